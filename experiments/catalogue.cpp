#include "experiments/catalogue.h"

#include <uv.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/error.h"
#include "core/json.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

constexpr char kExperiments[] = "experiments/catalogue";
constexpr char kRoles[] = "roles/catalogue";

fs::path program_folder() {
  std::array<char, 4096> buffer{};
  std::size_t size = buffer.size();
  if (uv_exepath(buffer.data(), &size) != 0) return {};
  return fs::path(std::string(buffer.data(), size)).parent_path();
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

CatalogueEntry entry_of(const fs::path& file, const std::string& prefix) {
  CatalogueEntry entry{prefix + file.stem().string(), "", file};
  try {
    const Json document = read_json_file(file);
    if (!document.is_object()) return entry;
    const Json description = document.value("description", Json());
    if (description.is_string()) entry.description = description;
    entry.suite = document.contains("suite");
  } catch (const Error& error) {
    entry.description = "(cannot be read: " + error.summary() + ")";
  }
  return entry;
}

std::vector<CatalogueEntry> entries_of(const fs::path& folder, const std::string& prefix) {
  std::vector<CatalogueEntry> entries;
  std::error_code error;
  for (const fs::directory_entry& item : fs::directory_iterator(folder, error)) {
    if (item.path().extension() != ".json") continue;
    entries.push_back(entry_of(item.path(), prefix));
  }
  std::sort(entries.begin(), entries.end(),
            [](const CatalogueEntry& a, const CatalogueEntry& b) { return a.name < b.name; });
  return entries;
}

// A name of the catalogue is one or two plain words: it never leads anywhere else.
bool is_catalogue_name(const std::string& name) {
  return !name.empty() && name.front() != '/' && name.find("..") == std::string::npos &&
         std::count(name.begin(), name.end(), '/') <= 1;
}

std::optional<fs::path> with_or_without_ending(const fs::path& path) {
  std::error_code error;
  for (const fs::path& candidate : {path, fs::path(path.string() + ".json")}) {
    if (fs::is_regular_file(candidate, error)) return candidate;
  }
  return std::nullopt;
}

std::optional<fs::path> shipped_file(const std::string& room, const std::string& name) {
  std::error_code error;
  const fs::path file = shipped_folder(room) / (name + ".json");
  const bool there = is_catalogue_name(name) && fs::is_regular_file(file, error);
  return there ? std::optional(file) : std::nullopt;
}

// Symbolic links followed.
bool is_within(const fs::path& file, const fs::path& folder) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error), root = fs::canonical(folder, error);
  return !error && std::mismatch(root.begin(), root.end(), real.begin(), real.end()).first == root.end();
}

std::vector<std::string> names_of(const std::vector<CatalogueEntry>& entries) {
  std::vector<std::string> names;
  for (const CatalogueEntry& entry : entries) names.push_back(entry.name);
  return names;
}

[[noreturn]] void unknown(const std::string& what, const std::string& name, const std::string& folder,
                          const std::vector<std::string>& names) {
  const std::string nearest = nearest_word(name, names);
  const std::string file = fs::path(name + ".json").filename().string();
  throw Error("there is no " + what + " \"" + name + "\"",
              "neither a file, nor " + file + " in " + folder + ", nor in the catalogue",
              nearest.empty() ? "brokerlab list shows the catalogue" : "did you mean \"" + nearest + "\"?",
              ExitStatus::kUsage);
}

}  // namespace

fs::path shipped_folder(const std::string& room) {
  const fs::path installed = program_folder() / ".." / "share" / "brokerlab" / room;
  if (is_there(installed)) return installed.lexically_normal();
  return fs::path(BROKERLAB_SOURCE_DIR) / room;
}

fs::path find_experiment(const std::string& name_or_path) {
  const fs::path as_path(name_or_path);
  if (const auto found = with_or_without_ending(as_path)) return *found;
  if (const auto shipped = shipped_file(kExperiments, name_or_path)) return *shipped;
  std::vector<std::string> names;
  for (const char* folder : {"", "planning", "known-answers"}) {
    for (const CatalogueEntry& entry : catalogue_experiments(folder)) names.push_back(entry.name);
  }
  unknown("experiment", name_or_path, "this folder", names);
}

fs::path find_role(const std::string& name_or_path) {
  if (const auto found = with_or_without_ending(name_or_path)) return *found;
  if (const auto shipped = shipped_file(kRoles, name_or_path)) return *shipped;
  unknown("role", name_or_path, "this folder", names_of(catalogue_roles()));
}

fs::path find_role_beside(const fs::path& folder, const std::string& name) {
  if (is_catalogue_name(name)) {
    const auto found = with_or_without_ending(folder / name);
    if (found && is_within(*found, folder)) return *found;
  }
  if (const auto shipped = shipped_file(kRoles, name)) return *shipped;
  unknown("role", name, "the experiment's folder", names_of(catalogue_roles()));
}

std::vector<CatalogueEntry> catalogue_experiments(const std::string& folder) {
  const fs::path root = shipped_folder(kExperiments);
  return folder.empty() ? entries_of(root, "") : entries_of(root / folder, folder + "/");
}

std::vector<CatalogueEntry> catalogue_roles() { return entries_of(shipped_folder(kRoles), ""); }

}  // namespace brokerlab
