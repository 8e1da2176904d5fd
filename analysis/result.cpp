#include "analysis/result.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "analysis/answers.h"
#include "analysis/comparison.h"
#include "analysis/flags.h"
#include "analysis/search_verdict.h"
#include "analysis/verdict.h"
#include "core/error.h"

namespace brokerlab {
namespace {

// How often the same settings were run under two names: A/A, the comparison of a thing with itself.
int aa_trials(const std::map<std::string, int>& trials, const Json& plan) {
  const Json variants = plan.is_object() ? plan.value("variants", Json::object()) : Json::object();
  int most = 0;
  for (auto one = variants.begin(); one != variants.end(); ++one) {
    for (auto other = std::next(one); other != variants.end(); ++other) {
      const auto first = trials.find(one.key()), second = trials.find(other.key());
      if (first == trials.end() || second == trials.end() || one.value() != other.value()) continue;
      most = std::max(most, std::min(first->second, second->second));
    }
  }
  return most;
}

// What only all runs together can tell. With one variant there is nothing to compare, and both stay
// unmeasured.
void add_trial_flags(Json& runs, const Json& plan) {
  std::map<std::string, int> trials;
  for (const Json& run : runs) ++trials[run.value("variant", "")];
  if (trials.size() < 2) return;
  const int aa = aa_trials(trials, plan);
  for (Json& run : runs) {
    FlagSet flags = FlagSet::from_json(run.at("flags"));
    flags.measure("TOO_FEW_TRIALS", trials[run.value("variant", "")]);
    flags.measure("NO_AA", aa);
    run["flags"] = flags.to_json();
  }
}

}  // namespace

Json assemble_result(const ResultInput& input) {
  Json runs = input.runs;
  const bool search = input.search.is_object();
  if (!search) add_trial_flags(runs, input.plan);
  Verdict verdict = search ? judge_search(runs, input.search) : judge_all(runs);
  // A run that a threshold ended says so itself.
  if (input.aborted && input.stopped_by.empty())
    verdict.worsen(VerdictStatus::kUnknown, "the experiment was interrupted");
  Json result = {
      {"schema_version", kResultSchemaVersion}, {"run_id", input.run_id},   {"experiment", input.experiment},
      {"started_at", input.started_at},         {"aborted", input.aborted}, {"verdict", verdict.to_json()},
      {"environment", input.environment},       {"plan", input.plan},       {"seed", input.seed},
      {"config_hash", input.config_hash}};
  if (!input.stopped_by.empty()) result["stopped_by"] = input.stopped_by;
  Json comparison = compare_variants(runs, input.plan);
  if (search) {
    for (const char* between : {"pairs", "aa"}) comparison.erase(between);
    result["search"] = input.search;
  }
  result["runs"] = std::move(runs);
  result["comparison"] = std::move(comparison);
  result["thresholds"] = input.thresholds;
  result["answers"] = answer_questions(result["runs"], input.plan);
  return result;
}

std::filesystem::path write_result(const std::filesystem::path& folder, const Json& result) {
  const std::filesystem::path path = folder / "result.json";
  write_json_file(path, result);
  return path;
}

Json read_result(const std::filesystem::path& path) {
  const std::filesystem::path file = std::filesystem::is_directory(path) ? path / "result.json" : path;
  Json result = read_json_file(file, std::size_t{1} << 30);
  if (!result.is_object() || !result.contains("schema_version") || !result.contains("runs"))
    throw Error("this is no result of brokerlab", file.string(),
                "name a result.json, or the folder that holds it", ExitStatus::kUsage);
  const Json& version = result.at("schema_version");
  if (!version.is_number_integer() || version.get<int>() != kResultSchemaVersion)
    throw Error("the result has schema version " + version.dump() + ", this program reads version " +
                    std::to_string(kResultSchemaVersion),
                file.string(), "read it with the version of brokerlab that wrote it", ExitStatus::kUsage);
  return result;
}

std::vector<Json> read_results(const std::vector<std::string>& paths) {
  std::vector<Json> results;
  for (const std::string& path : paths) results.push_back(read_result(path));
  return results;
}

}  // namespace brokerlab
