#include "experiments/role_use.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "experiments/catalogue.h"
#include "experiments/findings.h"
#include "experiments/meaning.h"
#include "experiments/role_file.h"
#include "experiments/schema.h"

namespace brokerlab {
namespace {

struct Use {
  std::string file;
  std::string variant;
};

// "NAME", "NAME/VARIANT", "folder/file.json/VARIANT".
Use parse_use(const std::string& text) {
  constexpr std::string_view kEnding = ".json";
  const std::size_t ending = text.find(kEnding);
  const std::size_t end = ending == std::string::npos ? text.find('/') : ending + kEnding.size();
  const std::string file = text.substr(0, end);
  return {file, file.size() < text.size() ? text.substr(file.size() + 1) : ""};
}

// An object of a topology with every default and its keys in order, so that two ways to write the same are
// equal.
std::string completed(const std::string& list, const Json& object) {
  Json document = {{"topology", {{list, Json::array({object})}}}};
  fill_defaults(document);
  return nlohmann::json(document["topology"][list][0]).dump();
}

// One variant while the role files it names are merged into it.
class Resolution {
 public:
  Resolution(ExpandedVariant& variant, const std::filesystem::path& directory, std::vector<Problem>& problems)
      : variant_(variant), directory_(directory), problems_(problems), problems_before_(problems.size()) {}

  bool run() {
    for (const auto& [list, key] : {std::pair{"load", "load"}, std::pair{"roles", "role"}}) {
      for (std::size_t i = 0; i < list_at(variant_.document, list).size(); ++i) {
        if (member(list_at(variant_.document, list)[i], "use").is_string()) resolve(list, key, i);
      }
    }
    return problems_.size() == problems_before_;
  }

 private:
  void resolve(const std::string& list, const std::string& key, std::size_t index) {
    const JsonPointer at = JsonPointer() / list / index;
    Json& entry = variant_.document[list][index];
    const Use use = parse_use(entry["use"]);
    try {
      const SourceFile source = read_source_file(find_role_beside(directory_, use.file));
      std::vector<Problem> found;
      const RoleChoice role = choose_variant(source, use.variant, "", found);
      for (const Problem& problem : found) {
        problems_.push_back(problem.source.empty()
                                ? variant_.origin.problem(at / "use", problem.what, problem.remedy)
                                : problem);
      }
      if (!found.empty()) return;
      if (!member(role.document, key).is_object()) {
        throw Error(
            "role file \"" + use.file + "\" has no \"" + key + "\"", source.file.string(),
            "name it under \"" + std::string(key == "role" ? "load" : "roles") + "\", or another one");
      }
      merge_entry(role, key, at, entry);
      merge_topology(role, at);
    } catch (const Error& error) {
      problems_.push_back(variant_.origin.problem(
          at / "use", error.summary() + (error.where().empty() ? "" : " (" + error.where() + ")"),
          error.remedy()));
    }
  }

  void merge_entry(const RoleChoice& role, const std::string& key, const JsonPointer& at, Json& entry) {
    Json merged = role.document[key];
    entry.erase("use");
    merge_patch(merged, entry);
    entry = std::move(merged);
    variant_.origin.add_base(at, role.origin, JsonPointer() / key, role.document[key]);
  }

  void merge_topology(const RoleChoice& role, const JsonPointer& used_at) {
    const Json& topology = member(role.document, "topology");
    for (const char* list : {"exchanges", "queues", "bindings"}) {
      const Json& objects = list_at(topology, list);
      for (std::size_t i = 0; i < objects.size(); ++i) {
        if (objects[i].is_object()) add_object(role, list, i, used_at);
      }
    }
  }

  void add_object(const RoleChoice& role, const std::string& list, std::size_t index,
                  const JsonPointer& used_at) {
    const Json& object = role.document["topology"][list][index];
    const std::string wanted = completed(list, object);
    Json& own = variant_.document["topology"];
    if (!own.is_object()) own = Json::object();
    Json& there = own[list];
    if (!there.is_array()) there = Json::array();
    for (const Json& other : there) {
      const bool same = completed(list, other) == wanted;
      if (same) return;
      if (list == "bindings" || text_at(other, "name") != text_at(object, "name")) continue;
      problems_.push_back(variant_.origin.problem(
          used_at,
          "\"" + text_at(object, "name") +
              "\" of the role file is declared here or by another role file with other properties",
          "give both the same properties: " + wanted));
      return;
    }
    variant_.origin.add_base(JsonPointer("/topology") / list / there.size(), role.origin,
                             JsonPointer("/topology") / list / index, object);
    there.push_back(object);
  }

  ExpandedVariant& variant_;
  const std::filesystem::path& directory_;
  std::vector<Problem>& problems_;
  std::size_t problems_before_;
};

}  // namespace

bool resolve_uses(ExpandedVariant& variant, const std::filesystem::path& directory,
                  std::vector<Problem>& problems) {
  return Resolution(variant, directory, problems).run();
}

}  // namespace brokerlab
