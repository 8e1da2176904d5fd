#include "experiments/catalogue.h"

#include <uv.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/json.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

constexpr char kExperiments[] = "experiments/catalogue";

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

}  // namespace

fs::path shipped_folder(const std::string& room) {
  const fs::path installed = program_folder() / ".." / "share" / "brokerlab" / room;
  if (is_there(installed)) return installed.lexically_normal();
  return fs::path(BROKERLAB_SOURCE_DIR) / room;
}

fs::path find_experiment(const std::string& name_or_path) {
  std::error_code error;
  const fs::path as_path(name_or_path);
  if (fs::is_regular_file(as_path, error)) return as_path;
  const fs::path here = as_path.string() + ".json";
  if (fs::is_regular_file(here, error)) return here;
  if (is_catalogue_name(name_or_path)) {
    const fs::path shipped = shipped_folder(kExperiments) / (name_or_path + ".json");
    if (fs::is_regular_file(shipped, error)) return shipped;
  }
  std::vector<std::string> names;
  for (const char* folder : {"", "known-answers"}) {
    for (const CatalogueEntry& entry : catalogue_experiments(folder)) names.push_back(entry.name);
  }
  const std::string nearest = nearest_word(name_or_path, names);
  throw Error("there is no experiment \"" + name_or_path + "\"",
              "neither a file, nor " + here.filename().string() + " in this folder, nor in the catalogue",
              nearest.empty() ? "brokerlab list shows the catalogue" : "did you mean \"" + nearest + "\"?",
              ExitStatus::kUsage);
}

std::vector<CatalogueEntry> catalogue_experiments(const std::string& folder) {
  const fs::path root = shipped_folder(kExperiments);
  return folder.empty() ? entries_of(root, "") : entries_of(root / folder, folder + "/");
}

std::vector<CatalogueEntry> catalogue_roles() { return entries_of(shipped_folder("roles/catalogue"), ""); }

}  // namespace brokerlab
