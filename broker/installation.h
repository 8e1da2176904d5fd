#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace brokerlab {

// Where the programs of RabbitMQ and Erlang are on this machine. A plain value.
struct Installation {
  std::filesystem::path rabbitmq_home;  // holds sbin/rabbitmq-server and plugins/
  std::filesystem::path epmd;

  // Folders that may hold the real rabbitmq-server script (Debian, the official container image), and a PATH
  // that is searched after them. Debian's /usr/sbin/rabbitmq-server is a wrapper that refuses or changes
  // users: it is never taken.
  struct Search {
    std::vector<std::filesystem::path> folders = {"/usr/lib/rabbitmq/bin", "/opt/rabbitmq/sbin"};
    std::string path;  // empty: $PATH, then the usual folders
  };
  // Throws Error with one line that says what to install.
  static Installation find();
  static Installation find(const Search& search);
};

// The plugin folders ("rabbit-3.10.8") that `plugins` need, their dependencies included, read from the .app
// files in `plugins_folder`. RabbitMQ looks through every folder it is given for every module it loads: half
// of its boot time is spent on plugins nobody enabled. Throws Error naming a plugin that is not installed.
std::vector<std::string> needed_plugin_folders(const std::filesystem::path& plugins_folder,
                                               const std::vector<std::string>& plugins);

}  // namespace brokerlab
