#include "broker/guard_plan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <fstream>
#include <random>

#include "core/error.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

// Proves that a folder is ours to remove.
constexpr char kMarker[] = ".brokerlab-broker";

void write_file(const fs::path& path, const std::string& text, mode_t mode) {
  int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  bool written =
      descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!written) {
    throw Error("cannot write the folder of the private broker", path.string() + ": " + std::strerror(error),
                "make room there, or choose another folder by --dir or TMPDIR");
  }
}

std::string random_text(std::size_t length) {
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::random_device entropy;
  std::uniform_int_distribution<int> any(0, 25);
  std::string text;
  while (text.size() < length) text += kLetters[any(entropy)];
  return text;
}

std::string rabbitmq_conf(const GuardPlan& plan, std::size_t index) {
  const PrivateBroker::Node& node = plan.nodes[index];
  std::string text;
  auto line = [&](const std::string& key, const std::string& value) { text += key + " = " + value + "\n"; };
  line("default_user", plan.user);
  line("default_pass", plan.password);
  line("management.tcp.ip", "127.0.0.1");
  line("management.tcp.port", std::to_string(node.management_port));
  line("prometheus.tcp.ip", "127.0.0.1");
  line("prometheus.tcp.port", std::to_string(node.prometheus_port));
  auto chosen = [&](const std::string& start) {
    return std::any_of(plan.configuration.begin(), plan.configuration.end(),
                       [&](const auto& pair) { return pair.first.starts_with(start); });
  };
  if (plan.nodes.size() > 1) {
    if (!chosen("vm_memory_high_watermark")) line("vm_memory_high_watermark.absolute", "512MB");
    if (!chosen("disk_free_limit")) line("disk_free_limit.absolute", "50MB");
    if (!chosen("cluster_partition_handling")) line("cluster_partition_handling", "pause_minority");
    line("cluster_formation.peer_discovery_backend", "classic_config");
    line("cluster_formation.randomized_startup_delay_range.min", "0");
    line("cluster_formation.randomized_startup_delay_range.max", "1");
    for (std::size_t peer = 0; peer < plan.nodes.size(); ++peer) {
      line("cluster_formation.classic_config.nodes." + std::to_string(peer + 1), plan.nodes[peer].name);
    }
  }
  for (const auto& [key, value] : plan.configuration) line(key, value);
  return text;
}

// RabbitMQ's scripts and Erlang find everything from the folder the script stands in: a home of links with
// few plugins makes the official script start the official code, only faster.
void write_home(const GuardPlan& plan) {
  fs::path home = plan.directory / "rabbitmq";
  const fs::path& real = plan.installation.rabbitmq_home;
  fs::create_directories(home / "sbin");
  fs::create_directories(home / "plugins");
  for (const fs::directory_entry& script : fs::directory_iterator(real / "sbin")) {
    fs::create_symlink(script.path(), home / "sbin" / script.path().filename());
  }
  for (const std::string& folder : needed_plugin_folders(real / "plugins", plan.plugins)) {
    fs::create_symlink(real / "plugins" / folder, home / "plugins" / folder);
  }
  if (fs::exists(real / "escript")) fs::create_symlink(real / "escript", home / "escript");
}

void write_node(const GuardPlan& plan, std::size_t index) {
  fs::path folder = plan.node_folder(index);
  for (const char* part : {"mnesia", "log", "etc"}) fs::create_directories(folder / part);
  std::string plugins;
  for (const std::string& plugin : plan.plugins) plugins += (plugins.empty() ? "" : ",") + plugin;
  write_file(folder / "etc" / "enabled_plugins", "[" + plugins + "].\n", 0600);
  write_file(folder / "etc" / "rabbitmq.conf", rabbitmq_conf(plan, index), 0600);
}

Json node_json(const PrivateBroker::Node& node) {
  return Json{{"name", node.name},
              {"amqp_port", node.amqp_port},
              {"distribution_port", node.distribution_port},
              {"management_port", node.management_port},
              {"prometheus_port", node.prometheus_port}};
}

PrivateBroker::Node node_from(const Json& value) {
  PrivateBroker::Node node;
  node.name = value.at("name").get<std::string>();
  node.amqp_port = value.at("amqp_port").get<std::uint16_t>();
  node.distribution_port = value.at("distribution_port").get<std::uint16_t>();
  node.management_port = value.at("management_port").get<std::uint16_t>();
  node.prometheus_port = value.at("prometheus_port").get<std::uint16_t>();
  return node;
}

}  // namespace

Json GuardPlan::to_json() const {
  Json node_list = Json::array();
  for (const PrivateBroker::Node& node : nodes) node_list.push_back(node_json(node));
  Json lines = Json::array();
  for (const auto& [key, value] : configuration) lines.push_back(Json::array({key, value}));
  return Json{{"id", id},
              {"directory", directory.string()},
              {"detached", detached},
              {"controller", Json{{"pid", controller.pid}, {"start_ticks", controller.start_ticks}}},
              {"rabbitmq_home", installation.rabbitmq_home.string()},
              {"epmd", installation.epmd.string()},
              {"user", user},
              {"password", password},
              {"epmd_port", epmd_port},
              {"nodes", std::move(node_list)},
              {"configuration", std::move(lines)},
              {"plugins", plugins}};
}

GuardPlan GuardPlan::from_json(const Json& value) {
  GuardPlan plan;
  plan.id = value.at("id").get<std::string>();
  plan.directory = value.at("directory").get<std::string>();
  plan.detached = value.at("detached").get<bool>();
  plan.controller.pid = value.at("controller").at("pid").get<pid_t>();
  plan.controller.start_ticks = value.at("controller").at("start_ticks").get<std::uint64_t>();
  plan.installation.rabbitmq_home = value.at("rabbitmq_home").get<std::string>();
  plan.installation.epmd = value.at("epmd").get<std::string>();
  plan.user = value.at("user").get<std::string>();
  plan.password = value.at("password").get<std::string>();
  plan.epmd_port = value.at("epmd_port").get<std::uint16_t>();
  for (const Json& node : value.at("nodes")) plan.nodes.push_back(node_from(node));
  for (const Json& line : value.at("configuration")) {
    plan.configuration.emplace_back(line.at(0).get<std::string>(), line.at(1).get<std::string>());
  }
  plan.plugins = value.at("plugins").get<std::vector<std::string>>();
  return plan;
}

fs::path GuardPlan::node_folder(std::size_t node) const {
  return directory / ("node" + std::to_string(node + 1));
}
fs::path GuardPlan::output_file(std::size_t node) const { return node_folder(node) / "log" / "output"; }

void write_broker_folder(const GuardPlan& plan) {
  const fs::path& directory = plan.directory;
  try {
    if (fs::exists(directory) && !fs::is_empty(directory)) {
      throw Error("the folder for the private broker is not empty", directory,
                  "name a new or an empty one by --dir");
    }
    fs::create_directories(directory);
    fs::permissions(directory, fs::perms::owner_all);
    write_file(directory / kMarker, plan.id, 0600);
    fs::create_directories(directory / "home");
    write_file(directory / "home" / ".erlang.cookie", random_text(20), 0400);
    write_home(plan);
    for (std::size_t node = 0; node < plan.nodes.size(); ++node) write_node(plan, node);
  } catch (const fs::filesystem_error& error) {
    throw Error("cannot write the folder of the private broker",
                error.path1().string() + ": " + error.code().message(),
                "make room there, or choose another folder by --dir or TMPDIR");
  }
}

std::vector<std::string> epmd_environment(const GuardPlan& plan) {
  return {"PATH=" + plan.installation.epmd.parent_path().string() + ":/usr/local/bin:/usr/bin:/bin",
          "HOME=" + (plan.directory / "home").string(), "LANG=C.UTF-8", "ERL_EPMD_ADDRESS=127.0.0.1",
          "ERL_EPMD_PORT=" + std::to_string(plan.epmd_port)};
}

std::vector<std::string> node_environment(const GuardPlan& plan, std::size_t index) {
  const PrivateBroker::Node& node = plan.nodes[index];
  fs::path folder = plan.node_folder(index);
  std::vector<std::string> all = epmd_environment(plan);
  auto set = [&](const std::string& name, const std::string& value) { all.push_back(name + "=" + value); };
  set("RABBITMQ_SCRIPTS_DIR", (plan.directory / "rabbitmq" / "sbin").string());
  set("RABBITMQ_HOME", (plan.directory / "rabbitmq").string());
  set("RABBITMQ_PLUGINS_DIR", (plan.directory / "rabbitmq" / "plugins").string());
  set("RABBITMQ_NODENAME", node.name);
  set("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1");
  set("RABBITMQ_NODE_PORT", std::to_string(node.amqp_port));
  set("RABBITMQ_DIST_PORT", std::to_string(node.distribution_port));
  set("RABBITMQ_MNESIA_BASE", (folder / "mnesia").string());
  set("RABBITMQ_LOG_BASE", (folder / "log").string());
  set("RABBITMQ_PID_FILE", (folder / "pid").string());
  set("RABBITMQ_CONF_ENV_FILE", "/dev/null");
  set("RABBITMQ_CONFIG_FILE", (folder / "etc" / "rabbitmq").string());
  set("RABBITMQ_ADVANCED_CONFIG_FILE", (folder / "etc" / "advanced").string());
  set("RABBITMQ_ENABLED_PLUGINS_FILE", (folder / "etc" / "enabled_plugins").string());
  set("ERL_CRASH_DUMP_BYTES", "0");  // nobody reads it, and the folder is removed
  // The script execs beam instead of keeping a shell above it: the pid we spawn is beam's.
  set("RUNNING_UNDER_SYSTEMD", "true");
  // The nodes of a cluster share the cores with each other and with the load: one scheduler each.
  set("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
      std::string("-kernel inet_dist_use_interface {127,0,0,1}") + (plan.nodes.size() > 1 ? " +S 1:1" : ""));
  return all;
}

fs::path server_script(const GuardPlan& plan) {
  return plan.directory / "rabbitmq" / "sbin" / "rabbitmq-server";
}

bool remove_broker_folder(const fs::path& directory, const std::string& id) {
  std::ifstream marker(directory / kMarker);
  std::string owner;
  std::error_code failed;
  if (!std::getline(marker, owner) || owner != id) {
    if (fs::is_empty(directory, failed)) fs::remove(directory, failed);
    return true;  // nothing of ours is in there
  }
  // The marker goes last, so that a removal that was cut short can be repeated.
  for (const fs::directory_entry& part : fs::directory_iterator(directory, failed)) {
    if (part.path().filename() != kMarker) fs::remove_all(part.path(), failed);
  }
  for (const fs::directory_entry& part : fs::directory_iterator(directory, failed)) {
    if (part.path().filename() != kMarker) return false;
  }
  fs::remove_all(directory, failed);
  return !fs::exists(directory, failed);
}

void check_configuration(const std::vector<std::pair<std::string, std::string>>& configuration) {
  static constexpr const char* kOurs[] = {"listeners.",      "default_user",    "default_pass",
                                          "management.tcp.", "prometheus.tcp.", "cluster_formation.",
                                          "default_vhost"};
  for (const auto& [key, value] : configuration) {
    auto of_a_key = [](unsigned char c) { return std::isalnum(c) || std::strchr("._-$", c); };
    if (key.empty() || !std::all_of(key.begin(), key.end(), of_a_key)) {
      throw Error("\"" + key + "\" is no key of rabbitmq.conf", "/broker/arguments",
                  "letters, digits, dots and underscores", ExitStatus::kUsage);
    }
    auto is_control = [](unsigned char c) { return std::iscntrl(c) != 0; };
    if (std::any_of(value.begin(), value.end(), is_control)) {
      throw Error("a value for rabbitmq.conf has a line break or control character",
                  "/broker/arguments/" + key, "one line of text", ExitStatus::kUsage);
    }
    for (const char* ours : kOurs) {
      if (key.starts_with(ours)) {
        throw Error(
            "\"" + key + "\" is set by brokerlab for a private broker", "/broker/arguments/" + key,
            "leave it out (ports are free ones, the user is random), or use --broker with a broker of yours",
            ExitStatus::kUsage);
      }
    }
  }
}

}  // namespace brokerlab
