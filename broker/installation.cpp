#include "broker/installation.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "core/error.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> split_path(const std::string& path) {
  std::vector<fs::path> folders;
  std::istringstream parts(path);
  for (std::string part; std::getline(parts, part, ':');) {
    if (!part.empty()) folders.emplace_back(part);
  }
  return folders;
}

// The RabbitMQ home that a rabbitmq-server in `folder` belongs to; empty when it is none.
fs::path home_of(const fs::path& folder) {
  std::error_code failed;
  fs::path script = fs::canonical(folder / "rabbitmq-server", failed);
  if (failed) return {};
  fs::path home = script.parent_path().parent_path();
  return fs::is_directory(home / "plugins", failed) ? home : fs::path();
}

// Application names inside `{key, [ ... ]}` of an Erlang .app file.
std::vector<std::string> names_under(const std::string& app, const std::string& key) {
  std::regex list("\\{\\s*" + key + "\\s*,\\s*\\[([^\\]]*)\\]");
  std::smatch found;
  std::vector<std::string> names;
  if (!std::regex_search(app, found, list)) return names;
  static const std::regex name("[a-z][a-zA-Z0-9_]*");
  std::string body = found[1];
  for (std::sregex_iterator word(body.begin(), body.end(), name), end; word != end; ++word) {
    names.push_back(word->str());
  }
  return names;
}

std::vector<std::string> dependencies_of(const fs::path& app_file) {
  std::ifstream file(app_file);
  std::stringstream text;
  text << file.rdbuf();
  std::string app = std::regex_replace(text.str(), std::regex("%[^\n]*"), "");
  std::vector<std::string> all = names_under(app, "applications");
  for (const char* key : {"included_applications", "optional_applications"}) {
    for (std::string& name : names_under(app, key)) all.push_back(std::move(name));
  }
  return all;
}

}  // namespace

Installation Installation::find() { return find(Search{}); }

Installation Installation::find(const Search& search) {
  std::string path = search.path;
  if (path.empty()) {
    const char* inherited = std::getenv("PATH");
    path = std::string(inherited ? inherited : "") + ":/usr/local/bin:/usr/bin:/bin:/opt/erlang/bin";
  }
  std::vector<fs::path> on_path = split_path(path);
  std::vector<fs::path> folders = search.folders;
  folders.insert(folders.end(), on_path.begin(), on_path.end());

  Installation installation;
  for (const fs::path& folder : folders) {
    installation.rabbitmq_home = home_of(folder);
    if (!installation.rabbitmq_home.empty()) break;
  }
  for (const fs::path& folder : on_path) {
    if (::access((folder / "epmd").c_str(), X_OK) == 0) {
      installation.epmd = folder / "epmd";
      break;
    }
  }
  if (installation.rabbitmq_home.empty() || installation.epmd.empty()) {
    throw Error(
        "rabbitmq-server is not installed", "",
        "apt-get install rabbitmq-server (or script/bootstrap, which starts no system-wide broker), or "
        "use a running broker: --broker amqp://…");
  }
  return installation;
}

std::vector<std::string> needed_plugin_folders(const fs::path& plugins_folder,
                                               const std::vector<std::string>& plugins) {
  std::map<std::string, std::string> folder_of;
  for (const fs::directory_entry& entry : fs::directory_iterator(plugins_folder)) {
    std::string folder = entry.path().filename();
    if (auto dash = folder.rfind('-'); dash != std::string::npos) folder_of[folder.substr(0, dash)] = folder;
  }
  std::set<std::string> needed;
  // rabbit and its prelaunch are no plugins of anybody; prometheus uses quantile_estimator without saying so.
  std::vector<std::string> pending = {"rabbit", "rabbitmq_prelaunch", "quantile_estimator"};
  for (const std::string& plugin : plugins) {
    if (!folder_of.count(plugin)) {
      throw Error("RabbitMQ has no plugin \"" + plugin + "\"", plugins_folder,
                  "install it there, or leave it out");
    }
    pending.push_back(plugin);
  }
  while (!pending.empty()) {
    std::string name = std::move(pending.back());
    pending.pop_back();
    auto folder = folder_of.find(name);
    // What is not among the plugins belongs to Erlang itself.
    if (folder == folder_of.end() || !needed.insert(folder->second).second) continue;
    for (std::string& next : dependencies_of(plugins_folder / folder->second / "ebin" / (name + ".app"))) {
      pending.push_back(std::move(next));
    }
  }
  return {needed.begin(), needed.end()};
}

}  // namespace brokerlab
