#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "broker/installation.h"
#include "broker/journal.h"
#include "broker/private_broker.h"
#include "core/json.h"

namespace brokerlab {

// Everything a guard needs to run one private broker; the first line on its standard input. Holds the
// credentials, so it is never an argument, an environment variable or a log line.
struct GuardPlan {
  std::string id;  // of the journal entry
  std::filesystem::path directory;
  bool detached = false;
  ProcessIdentity controller;
  Installation installation;
  std::string user, password;
  std::uint16_t epmd_port = 0;
  std::vector<PrivateBroker::Node> nodes;
  std::vector<std::pair<std::string, std::string>> configuration;
  std::vector<std::string> plugins;

  Json to_json() const;
  static GuardPlan from_json(const Json& value);

  std::filesystem::path node_folder(std::size_t node) const;
  std::filesystem::path output_file(std::size_t node) const;  // what beam prints
};

// Writes the folder of the whole broker (all modes private): RabbitMQ's home with only the plugins that are
// needed, as symbolic links; the cookie; and a folder with configuration per node. The folder must not exist,
// or be empty. Throws Error.
void write_broker_folder(const GuardPlan& plan);

// The environment of a node ("NAME=value"), complete: nothing is inherited.
std::vector<std::string> node_environment(const GuardPlan& plan, std::size_t node);
std::vector<std::string> epmd_environment(const GuardPlan& plan);
// The script to run a node with.
std::filesystem::path server_script(const GuardPlan& plan);

// Removes a folder that write_broker_folder() made for broker `id`; anybody else's is left alone. False when
// something of ours remains.
bool remove_broker_folder(const std::filesystem::path& directory, const std::string& id);

// Throws Error (kUsage) for a key or value that would break rabbitmq.conf, or a key that is ours to set
// (ports, users, cluster).
void check_configuration(const std::vector<std::pair<std::string, std::string>>& configuration);

}  // namespace brokerlab
