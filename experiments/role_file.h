#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "experiments/origin.h"
#include "experiments/problem.h"
#include "experiments/source_file.h"

namespace brokerlab {

// What the command line changes about a role file; it wins over the variant.
struct RoleSettings {
  std::string variant;           // "": the file as it stands
  std::vector<std::string> set;  // "PARAMETER=VALUE", or "PATH=VALUE" as for experiments
  std::vector<std::pair<std::string, Json>>
      options;  // an option as it was given, and the merge patch it means
};

// Something a person at a terminal is asked for before each message.
struct RoleQuestion {
  std::string parameter;
  std::string text;
  std::int64_t from = 0, to = 0;
};

// A role file with one of its variants merged in: the base of an entry that uses it. A plain value.
struct RoleChoice {
  Json document;
  std::shared_ptr<const Origin> origin;
};

// A role file checked and ready to run by itself. A plain value; nothing in it depends on a broker.
struct RoleDeclaration {
  std::string name;  // of the file
  std::string description;
  std::filesystem::path directory;  // absolute; data files are relative to it
  // An experiment with this role only, every default filled in: "topology", "load", "roles".
  Json experiment;
  std::vector<RoleQuestion> questions;
  std::vector<Problem> warnings;
};

// Told by its content: an experiment has a name, a role file a "role" or one "load".
bool is_role_file(const Json& document);

// Appends to `problems` when there is no such variant; `called` shows who asked for it.
RoleChoice choose_variant(const SourceFile& source, const std::string& variant, const std::string& called,
                          std::vector<Problem>& problems);

// Throws ExperimentError with everything that is wrong, sorted by line.
RoleDeclaration load_role(const SourceFile& source, const RoleSettings& settings = {});

// The file as it stands and each of its variants. Throws ExperimentError with what is wrong in any of them.
std::vector<RoleDeclaration> load_all_variants(const SourceFile& source);

}  // namespace brokerlab
