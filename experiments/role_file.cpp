#include "experiments/role_file.h"

#include "experiments/expansion.h"
#include "experiments/findings.h"
#include "experiments/meaning.h"
#include "experiments/schema.h"
#include "loadgen/load_spec.h"
#include "loadgen/payload.h"

namespace brokerlab {
namespace {

// Longer than anybody waits: by hand a load ends by its own "stop", by --duration or by Ctrl-C.
constexpr char kNoEnd[] = "87600h";

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  if (!object.is_object()) return keys;
  for (const auto& [key, unused] : object.items()) keys.push_back(key);
  return keys;
}

// The role file as an experiment, so that it is checked, completed and planned by what experiments are.
Json as_experiment(const Json& role, const std::string& name) {
  Json experiment = {{"name", name}, {"phases", {{"measure", kNoEnd}}}};
  if (role.contains("topology")) experiment["topology"] = role["topology"];
  if (role.contains("load")) experiment["load"] = Json::array({role["load"]});
  if (role.contains("role")) experiment["roles"] = Json::array({role["role"]});
  return experiment;
}

// The place of the role file that stands at `at` of the experiment made from it.
JsonPointer in_role_file(const JsonPointer& at) {
  std::vector<std::string> keys = tokens_of(at);
  const bool in_entry = keys.size() > 1 && (keys[0] == "load" || keys[0] == "roles");
  if (in_entry) {
    keys[0] = keys[0] == "load" ? "load" : "role";
    keys.erase(keys.begin() + 1);
  }
  JsonPointer place;
  for (const std::string& key : keys) place /= key;
  return place;
}

bool is_pointer(const std::string& text) {
  try {
    return !JsonPointer(text).empty();
  } catch (const Json::exception&) {
    return false;
  }
}

std::string with_value(std::string text, const std::string& value) {
  constexpr std::string_view kPlaceholder = "{value}";
  for (std::size_t at = text.find(kPlaceholder); at != std::string::npos;
       at = text.find(kPlaceholder, at + value.size())) {
    text.replace(at, kPlaceholder.size(), value);
  }
  return text;
}

// What "NAME=VALUE" puts at one place. A text stays a text, whatever it looks like: a queue may be named "7".
Json value_for(const Json& document, const JsonPointer& place, const Json& parameter, const Json& wanted,
               const std::string& value) {
  if (!wanted.is_string()) return wanted;
  const std::string text = with_value(wanted, value);
  const bool number = parameter.contains("from") || parameter.contains("to");
  const bool text_there = document.contains(place) && document[place].is_string();
  if (wanted != "{value}" || (text_there && !number)) return text;
  Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() ? Json(text) : parsed;
}

// {"a": {"b": value}} for /a/b.
Json patch_setting(const JsonPointer& pointer, Json value) {
  const std::vector<std::string> keys = tokens_of(pointer);
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) value = Json{{*key, std::move(value)}};
  return value;
}

// The role file while the command line is applied to it.
class RoleEdit {
 public:
  RoleEdit(Json document, Origin origin, std::vector<Problem>& problems)
      : document_(std::move(document)), origin_(std::move(origin)), problems_(problems) {}

  void merge(const std::string& option, const Json& patch) {
    merge_patch(document_, patch);
    origin_.add_option(option, patch);
  }

  void set(const std::string& setting) {
    const std::size_t equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    const Json parameters = member(document_, "parameters");
    if (equals == std::string::npos || !member(parameters, name).is_object()) return set_path(setting, name);
    const Json& parameter = parameters[name];
    for (const auto& [place, wanted] : member(parameter, "sets").items()) {
      if (!is_pointer(place)) continue;  // reported by check_parameters()
      const JsonPointer pointer(place);
      merge("--set " + setting, patch_setting(pointer, value_for(document_, pointer, parameter, wanted,
                                                                 setting.substr(equals + 1))));
    }
  }

  const Json& document() const { return document_; }
  const Origin& origin() const { return origin_; }

 private:
  void set_path(const std::string& setting, const std::string& name) {
    const std::vector<std::string> known = keys_of(member(document_, "parameters"));
    const std::string nearest = nearest_word(name, known);
    const bool is_path = name.find('.') != std::string::npos || name.find('/') != std::string::npos;
    if (!is_path && !document_.contains(name)) {
      problems_.push_back(option_problem("--set " + setting, "this role has no parameter \"" + name + "\"",
                                         suggestion(name, known)));
      return;
    }
    Overrides overrides;
    overrides.set = {setting};
    apply_overrides(overrides, document_, origin_, problems_);
  }

  Json document_;
  Origin origin_;
  std::vector<Problem>& problems_;
};

void check_parameters(const Json& document, Findings& findings) {
  const Json& parameters = member(document, "parameters");
  if (!parameters.is_object()) return;
  for (const auto& [name, parameter] : parameters.items()) {
    const JsonPointer at = JsonPointer("/parameters") / name;
    const bool asks = member(parameter, "ask").is_string();
    if (asks && !(member(parameter, "from").is_number() && member(parameter, "to").is_number())) {
      findings.error(at, "a question needs the range of its answers", "add \"from\" and \"to\"");
    }
    if (!member(parameter, "sets").is_object()) continue;
    for (const auto& [place, unused] : parameter["sets"].items()) {
      if (is_pointer(place)) continue;
      findings.error(at / "sets" / place, "\"" + place + "\" is no JSON pointer", "write \"/" + place + "\"");
    }
  }
}

// Checks one variant of a role file; appends what is wrong.
RoleDeclaration declare(const SourceFile& source, const std::filesystem::path& directory,
                        const Json& document, const Origin& origin, std::vector<Problem>& problems) {
  RoleDeclaration role;
  role.name = source.file.stem().string();
  role.directory = directory;
  Findings findings;
  check_role_schema(document, [&](const JsonPointer& at, const std::string& what, const std::string& remedy) {
    findings.error(at, what, remedy);
  });
  for (const char* entry : {"load", "role"}) {
    if (!member(document, entry).contains("use")) continue;
    findings.error(JsonPointer() / entry / "use", "a role file stands for itself",
                   "copy what you need of the other");
  }
  check_parameters(document, findings);
  const Json written = as_experiment(document, role.name);
  role.experiment = written;
  if (findings.clean(JsonPointer())) {
    fill_defaults(role.experiment);
    Findings meaning;
    check_meaning(role.experiment, written, role.directory, meaning);
    for (const Findings::Finding& finding : meaning.all()) {
      if (finding.warning == "UNROUTABLE") continue;  // whoever is to receive it may declare the way to it
      const JsonPointer at = in_role_file(finding.at);
      // A file without queues takes what others have declared; with some, another name is a slip.
      const bool of_others = list_at(member(document, "topology"), "queues").empty();
      if (of_others && at == JsonPointer("/role/consume/queue")) continue;
      finding.warning.empty() ? findings.error(at, finding.what, finding.remedy)
                              : findings.warning(at, finding.what, finding.remedy, finding.warning);
    }
  }
  for (const Findings::Finding& finding : findings.all()) {
    Problem problem = origin.problem(finding.at, finding.what, finding.remedy);
    problem.code = finding.warning;
    if (!finding.warning.empty()) problem.severity = Problem::Severity::kWarning;
    (finding.warning.empty() ? problems : role.warnings).push_back(std::move(problem));
  }
  role.description = text_at(document, "description");
  return role;
}

// A data file that the command line names is the user's own, wherever it is; those of the role file stay
// beside it.
std::filesystem::path take_named_file(const Json& before, Json& document, std::filesystem::path directory) {
  for (const char* kind : {"csv", "jsonl"}) {
    const JsonPointer at = JsonPointer("/load/publish/body") / kind;
    if (!document.contains(at) || !document[at].is_string()) continue;
    if (before.contains(at) && before[at] == document[at]) continue;
    const std::filesystem::path file = std::filesystem::absolute(document[at].get<std::string>());
    directory = file.parent_path();
    document[at] = file.filename().string();
  }
  return directory;
}

// By hand a list of messages is sent once, unless the file says when to end.
void send_lists_once(RoleDeclaration& role) {
  for (Json& load : role.experiment["load"]) {
    Json& stop = load["stop"];
    if (stop.contains("count") || stop.contains("after")) continue;
    const LoadSpec spec = LoadSpec::from_json(load, role.directory);
    const std::size_t entries = Payload::make(spec, 0, 0)->entries();
    if (entries > 0) stop["count"] = (entries + spec.instances - 1) / spec.instances;
  }
}

std::vector<RoleQuestion> questions_of(const Json& document) {
  std::vector<RoleQuestion> questions;
  for (const std::string& name : keys_of(member(document, "parameters"))) {
    const Json& parameter = document["parameters"][name];
    if (parameter.contains("ask")) {
      questions.push_back({name, parameter["ask"], whole_at(parameter, "from"), whole_at(parameter, "to")});
    }
  }
  return questions;
}

}  // namespace

bool is_role_file(const Json& document) {
  if (!document.is_object() || document.contains("name")) return false;
  return document.contains("role") || member(document, "load").is_object();
}

RoleChoice choose_variant(const SourceFile& source, const std::string& variant, const std::string& called,
                          std::vector<Problem>& problems) {
  Origin origin(source.text, source.document);
  Json document = source.document;
  if (!document.is_object()) {
    problems.push_back(origin.problem(JsonPointer(), "a role file is a JSON object",
                                      "see docs/roles.md, or an entry of the catalogue"));
    return {Json::object(), std::make_shared<const Origin>(std::move(origin))};
  }
  const Json variants = member(document, "variants");
  for (const char* key : {"variants", "$schema"}) document.erase(key);
  if (!variant.empty()) {
    if (const Json& patch = member(variants, variant); patch.is_object()) {
      try {
        merge_patch(document, patch);
        origin.add_inner_patch(JsonPointer("/variants") / variant, patch);
      } catch (const Error& error) {
        problems.push_back(
            origin.problem(JsonPointer("/variants") / variant, error.summary(), error.remedy()));
      }
    } else {
      problems.push_back(option_problem(called, source.text->name + " has no variant \"" + variant + "\"",
                                        suggestion(variant, keys_of(variants))));
    }
  }
  return {std::move(document), std::make_shared<const Origin>(std::move(origin))};
}

RoleDeclaration load_role(const SourceFile& source, const RoleSettings& settings) {
  std::vector<Problem> problems;
  const RoleChoice choice =
      choose_variant(source, settings.variant, "--variant " + settings.variant, problems);
  if (!source.document.is_object()) throw ExperimentError(std::move(problems));
  RoleEdit edit(choice.document, *choice.origin, problems);
  for (const std::string& set : settings.set) edit.set(set);
  for (const auto& [option, patch] : settings.options) edit.merge(option, patch);
  Json document = edit.document();
  const std::filesystem::path directory = take_named_file(choice.document, document, source.directory());
  RoleDeclaration role = declare(source, directory, document, edit.origin(), problems);
  if (!problems.empty()) throw ExperimentError(sorted(std::move(problems)));
  role.questions = questions_of(document);
  send_lists_once(role);
  return role;
}

std::vector<RoleDeclaration> load_all_variants(const SourceFile& source) {
  std::vector<Problem> problems;
  std::vector<RoleDeclaration> roles;
  Findings findings;
  check_role_schema(source.document, [&](const JsonPointer& at, const std::string& what,
                                         const std::string& remedy) { findings.error(at, what, remedy); });
  const Origin origin(source.text, source.document);
  for (const Findings::Finding& finding : findings.all()) {
    problems.push_back(origin.problem(finding.at, finding.what, finding.remedy));
  }
  std::vector<std::string> names = keys_of(member(source.document, "variants"));
  names.insert(names.begin(), "");
  for (const std::string& name : names) {
    const RoleChoice choice = choose_variant(source, name, name, problems);
    roles.push_back(declare(source, source.directory(), choice.document, *choice.origin, problems));
  }
  if (!problems.empty()) throw ExperimentError(sorted(std::move(problems)));
  return roles;
}

}  // namespace brokerlab
