#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace brokerlab {

// The folders that hold what comes with the program: experiments and roles. Found beside the installed
// program
// (<prefix>/share/brokerlab), else in the source tree it was built from; never dependent on the working
// directory. `room` is "experiments/catalogue", "roles/catalogue" or "experiments/schema".
std::filesystem::path shipped_folder(const std::string& room);

// The file an experiment's name or path means: a path that exists, NAME.json in the working directory, or
// NAME of the catalogue ("known-answers/r1" included), in that order. Throws Error (kUsage) with the nearest
// known name.
std::filesystem::path find_experiment(const std::string& name_or_path);

// The role file a name or path means, looked for in the same way. Throws Error (kUsage) with the nearest
// known name.
std::filesystem::path find_role(const std::string& name_or_path);
// The same for a name in a file of `folder`: relative to that, and never outside of it, else of the
// catalogue.
std::filesystem::path find_role_beside(const std::filesystem::path& folder, const std::string& name);

struct CatalogueEntry {
  std::string name;
  std::string description;
  std::filesystem::path file;
  bool suite = false;  // names others, and is no experiment itself
};

// By name. `folder` is below experiments/catalogue: "" or "known-answers".
std::vector<CatalogueEntry> catalogue_experiments(const std::string& folder = "");
std::vector<CatalogueEntry> catalogue_roles();

}  // namespace brokerlab
