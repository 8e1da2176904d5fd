#include "experiments/experiment.h"

#include <algorithm>

#include "core/error.h"
#include "experiments/catalogue.h"
#include "experiments/digest.h"
#include "experiments/expansion.h"
#include "experiments/findings.h"
#include "experiments/meaning.h"
#include "experiments/origin.h"
#include "experiments/role_use.h"
#include "experiments/schema.h"
#include "experiments/source_file.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

SourceFile read_source(const std::string& name_or_path) {
  return read_source_file(find_experiment(name_or_path));
}

// What is found wrong or doubtful on the way from a file to an Experiment.
struct Collected {
  std::vector<Problem> problems;
  std::vector<Problem> warnings;

  void add(const Findings& findings, const Origin& origin) {
    for (const Findings::Finding& finding : findings.all()) {
      Problem problem = origin.problem(finding.at, finding.what, finding.remedy);
      problem.code = finding.warning;
      if (!finding.warning.empty()) problem.severity = Problem::Severity::kWarning;
      (finding.warning.empty() ? problems : warnings).push_back(std::move(problem));
    }
  }
  void add(std::vector<Problem> found) {
    for (Problem& problem : found) {
      const bool error = problem.severity == Problem::Severity::kError;
      (error ? problems : warnings).push_back(std::move(problem));
    }
  }
};

// The keys that concern the whole file and no single variant.
void check_frame(const Json& document, const Origin& origin, Collected& collected) {
  Findings findings;
  Json frame = document;
  for (const auto& [key, unused] : document.items()) {
    const bool of_the_frame =
        key == "name" || key == "variants" || key == "matrix" || key == "quick" || key == "$schema";
    if (!of_the_frame) frame.erase(key);
  }
  check_schema(frame, [&](const JsonPointer& at, const std::string& what, const std::string& remedy) {
    findings.error(at, what, remedy);
  });
  collected.add(findings, origin);
}

// Checks one variant and fills in its defaults.
Variant finish_variant(const ExpandedVariant& expanded, const fs::path& directory, Collected& collected) {
  Findings findings;
  check_schema(expanded.document, [&](const JsonPointer& at, const std::string& what,
                                      const std::string& remedy) { findings.error(at, what, remedy); });
  Variant variant{expanded.name, expanded.document};
  fill_defaults(variant.experiment);
  for (const char* key : {"variants", "matrix", "quick"}) variant.experiment.erase(key);
  check_meaning(variant.experiment, expanded.document, directory, findings);
  collected.add(findings, expanded.origin);
  return variant;
}

void keep_variants(const Overrides& overrides, std::vector<Variant>& variants, Collected& collected) {
  if (overrides.variants.empty()) return;
  std::vector<std::string> names;
  for (const Variant& variant : variants) names.push_back(variant.name);
  for (const std::string& wanted : overrides.variants) {
    if (std::find(names.begin(), names.end(), wanted) != names.end()) continue;
    Problem problem;
    problem.source = "--variant " + wanted;
    problem.what = "no such variant";
    problem.remedy = suggestion(wanted, names);
    collected.problems.push_back(std::move(problem));
  }
  std::erase_if(variants, [&](const Variant& variant) {
    return std::find(overrides.variants.begin(), overrides.variants.end(), variant.name) ==
           overrides.variants.end();
  });
}

std::vector<DataFile> digests_of(const std::vector<Variant>& variants, const fs::path& directory) {
  std::vector<DataFile> files;
  for (const Variant& variant : variants) {
    for (const NamedFile& named : data_files(variant.experiment)) {
      const bool known = std::any_of(files.begin(), files.end(),
                                     [&](const DataFile& file) { return file.path == named.path; });
      if (!known) files.push_back({named.path, sha256_of_file(directory / named.path)});
    }
  }
  return files;
}

// The short form that the file declares of itself.
void make_quick(Json& document, Origin& origin) {
  const Json patch = document.value("quick", Json());
  if (!patch.is_object()) return;
  merge_patch(document, patch);
  origin.add_inner_patch(JsonPointer("/quick"), patch);
}

Experiment build(const SourceFile& source, Json document, Origin origin, const Overrides& overrides) {
  Collected collected;
  std::vector<Problem> found;
  if (overrides.quick) make_quick(document, origin);
  apply_overrides(overrides, document, origin, found);
  Experiment experiment;
  experiment.file = source.file;
  experiment.directory = source.directory();
  check_frame(document, origin, collected);
  for (ExpandedVariant& expanded : expand_variants(document, origin, overrides, found)) {
    // Without the roles it names, a variant would only give problems that follow from that.
    experiment.variants.push_back(resolve_uses(expanded, experiment.directory, found)
                                      ? finish_variant(expanded, experiment.directory, collected)
                                      : Variant{expanded.name, expanded.document});
  }
  collected.add(std::move(found));
  keep_variants(overrides, experiment.variants, collected);
  if (!collected.problems.empty()) throw ExperimentError(sorted(std::move(collected.problems)));
  const Json& first = experiment.variants.front().experiment;
  experiment.name = first["name"];
  experiment.description = first["description"];
  experiment.question = first["question"];
  experiment.seed = first["seed"];
  experiment.repetitions = first["repetitions"];
  for (const Json& entry : first["thresholds"]) experiment.thresholds.push_back(Threshold::from_json(entry));
  experiment.data_files = digests_of(experiment.variants, experiment.directory);
  experiment.warnings = sorted(std::move(collected.warnings));
  return experiment;
}

void check_suite(const SourceFile& suite) {
  const Origin origin(suite.text, suite.document);
  Collected collected;
  Findings findings;
  check_schema(suite.document, [&](const JsonPointer& at, const std::string& what,
                                   const std::string& remedy) { findings.error(at, what, remedy); });
  collected.add(findings, origin);
  if (!collected.problems.empty()) throw ExperimentError(sorted(std::move(collected.problems)));
}

// A member is a catalogue name, or a path relative to the suite.
SourceFile read_member(const SourceFile& suite, const std::string& name) {
  const fs::path beside = suite.file.parent_path() / name;
  std::error_code error;
  for (const fs::path& path : {beside, fs::path(beside.string() + ".json")}) {
    if (fs::is_regular_file(path, error)) return read_source(path.string());
  }
  return read_source(name);
}

Experiment build_member(const SourceFile& suite, std::size_t number, const Overrides& overrides) {
  const JsonPointer at = JsonPointer("/suite") / number;
  const Json& entry = suite.document["suite"][number];
  const Json patch = entry.is_object() ? entry.value("patch", Json::object()) : Json::object();
  const Origin suite_origin(suite.text, suite.document);
  try {
    const SourceFile source = read_member(suite, entry.is_object() ? entry["experiment"] : entry);
    if (!source.document.is_object() || source.document.contains("suite")) {
      throw Error("\"" + source.file.string() + "\" is no single experiment", "",
                  "a suite names experiments only", ExitStatus::kUsage);
    }
    Json document = source.document;
    Origin origin(source.text, document);
    merge_patch(document, patch);
    origin.add_file_patch(suite.text, at / "patch", patch);
    return build(source, std::move(document), std::move(origin), overrides);
  } catch (const ExperimentError&) {
    throw;
  } catch (const Error& error) {
    const std::string where = error.where().empty() ? "" : " (" + error.where() + ")";
    throw ExperimentError({suite_origin.problem(at, error.summary() + where, error.remedy())});
  }
}

std::vector<Experiment> build_suite(const SourceFile& suite, const Overrides& overrides) {
  check_suite(suite);
  std::vector<Experiment> experiments;
  std::vector<Problem> problems;
  for (std::size_t i = 0; i < suite.document["suite"].size(); ++i) {
    try {
      experiments.push_back(build_member(suite, i, overrides));
    } catch (const ExperimentError& error) {
      problems.insert(problems.end(), error.problems().begin(), error.problems().end());
    }
  }
  if (!problems.empty()) throw ExperimentError(sorted(std::move(problems)));
  return experiments;
}

}  // namespace

void add_aa(Experiment& experiment) {
  experiment.variants.push_back({"A/A", experiment.variants.front().experiment});
}

std::vector<Experiment> load_experiments(const std::string& name_or_path, const Overrides& overrides) {
  const SourceFile source = read_source(name_or_path);
  if (source.document.is_object() && source.document.contains("suite")) return build_suite(source, overrides);
  Origin origin(source.text, source.document);
  if (!source.document.is_object()) {
    throw ExperimentError({origin.problem(JsonPointer(), "an experiment is a JSON object",
                                          "brokerlab init writes one to start from")});
  }
  std::vector<Experiment> experiments;
  experiments.push_back(build(source, source.document, std::move(origin), overrides));
  return experiments;
}

Experiment make_experiment(const Json& document, const std::string& name, const Overrides& overrides) {
  SourceFile source;
  source.file = name;
  source.text = std::make_shared<SourceText>(SourceText{name, document.dump(2)});
  source.document = document;
  Origin origin(source.text, document);
  return build(source, document, std::move(origin), overrides);
}

}  // namespace brokerlab
