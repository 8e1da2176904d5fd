#include "broker/private_broker.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <set>

#include "amqp/session.h"
#include "broker/child_process.h"
#include "broker/guard_plan.h"
#include "broker/handshake_probe.h"
#include "broker/line_socket.h"
#include "broker/node_output.h"
#include "broker/ports.h"
#include "core/error.h"
#include "core/units.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

constexpr Nanoseconds kMillisecond = 1'000'000;
constexpr Nanoseconds kAnswerLimit = 10 * kNanosecondsPerSecond;

std::string random_word(std::size_t length) {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device entropy;
  std::uniform_int_distribution<int> any(0, 35);
  std::string word;
  while (word.size() < length) word += kLetters[any(entropy)];
  return word;
}

std::vector<std::string> all_plugins(const std::vector<std::string>& wanted) {
  std::set<std::string> plugins(wanted.begin(), wanted.end());
  for (const char* always :
       {"rabbitmq_consistent_hash_exchange", "rabbitmq_management", "rabbitmq_prometheus"}) {
    plugins.insert(always);
  }
  return {plugins.begin(), plugins.end()};
}

GuardPlan make_plan(const PrivateBrokerSpec& spec) {
  GuardPlan plan;
  plan.installation = Installation::find(spec.installation);
  plan.id = random_word(8);
  plan.directory =
      spec.directory.empty() ? Journal::data_directory() / plan.id : fs::absolute(spec.directory);
  plan.detached = spec.detached;
  plan.controller = ProcessIdentity::of(::getpid()).value_or(ProcessIdentity{});
  plan.user = "lab-" + random_word(6);
  plan.password = random_word(24);
  plan.configuration = spec.configuration;
  plan.plugins = all_plugins(spec.plugins);
  // Fails here, with a clear word, rather than in the guard.
  needed_plugin_folders(plan.installation.rabbitmq_home / "plugins", plan.plugins);
  if (spec.port && !port_is_free(*spec.port)) {
    throw Error("the port is taken", "127.0.0.1:" + std::to_string(*spec.port),
                "choose another one by --port, or none");
  }
  std::vector<std::uint16_t> ports = free_ports(1 + 4 * spec.nodes);
  plan.epmd_port = ports[0];
  for (int index = 0; index < spec.nodes; ++index) {
    const std::uint16_t* own = &ports[1 + 4 * static_cast<std::size_t>(index)];
    PrivateBroker::Node node;
    node.name = "lab" + std::to_string(index + 1) + "@localhost";
    node.amqp_port = index == 0 && spec.port ? *spec.port : own[0];
    node.distribution_port = own[1];
    node.management_port = own[2];
    node.prometheus_port = own[3];
    plan.nodes.push_back(node);
  }
  return plan;
}

class GuardedBroker final : public PrivateBroker {
 public:
  GuardedBroker(GuardPlan plan, const PrivateBrokerSpec& spec, const Clock& clock,
                const BrokerProgress& progress)
      : plan_(std::move(plan)), spec_(spec), clock_(clock), progress_(progress), started_(clock.now()) {}
  ~GuardedBroker() override;

  void boot();
  // Another program took one of our ports between the choice and the boot.
  bool lost_a_port() const { return lost_a_port_; }

  const std::vector<Node>& nodes() const override { return plan_.nodes; }
  const std::string& user() const override { return plan_.user; }
  const std::string& password() const override { return plan_.password; }
  const fs::path& directory() const override { return plan_.directory; }
  const std::vector<std::string>& plugins() const override { return plan_.plugins; }
  const std::string& id() const override { return plan_.id; }
  pid_t guard_pid() const override { return guard_; }

  void pause(std::size_t node) override { ask("pause", node); }
  void resume(std::size_t node) override { ask("resume", node); }
  void kill(std::size_t node) override;
  void terminate(std::size_t node) override { ask("terminate", node); }
  bool running(std::size_t node) override;
  void restart(std::size_t node) override;
  bool accepting(std::size_t node) override { return amqp_answers(plan_.nodes.at(node).amqp_port); }
  void wait_until_accepting(std::size_t node, Nanoseconds limit) override;
  NodeControl& control() override {
    if (!control_) control_ = start_node_control(plan_);
    return *control_;
  }
  void stop() override;

 private:
  void spawn_guard();
  void wait_for_node(std::size_t node, Nanoseconds limit);
  void tell(const std::string& stage, bool always);
  Json answer(const char* key, Nanoseconds limit);
  Json ask(const char* command, std::optional<std::size_t> node);
  void take(const Json& line);
  [[noreturn]] void fail_ended(std::size_t node);
  void reap_guard();
  void leave();

  GuardPlan plan_;
  PrivateBrokerSpec spec_;
  const Clock& clock_;
  BrokerProgress progress_;
  Nanoseconds started_;
  Nanoseconds told_ = 0;
  bool lost_a_port_ = false;
  pid_t guard_ = -1;
  int descriptor_ = -1;
  std::optional<LineSocket> socket_;
  std::unique_ptr<NodeControl> control_;
};

GuardedBroker::~GuardedBroker() {
  if (plan_.detached && guard_ > 0 && !lost_a_port_) {
    leave();
    return;
  }
  try {
    stop();
  } catch (const std::exception&) {
    // The journal entry is still there: `brokerlab cleanup` finishes what could not be finished here.
  }
}

void GuardedBroker::leave() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  guard_ = -1;
}

void GuardedBroker::spawn_guard() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    throw Error(std::string("cannot make a socket pair: ") + std::strerror(errno), "",
                "raise the limit of open files");
  }
  descriptor_ = pair[0];
  socket_.emplace(descriptor_);
  ChildProcess guard;
  guard.program = spec_.guard_program;
  guard.arguments = {"brokerlab"};
  guard.arguments.insert(guard.arguments.end(), spec_.guard_arguments.begin(), spec_.guard_arguments.end());
  guard.environment = own_environment();
  guard.input = pair[1];
  guard.own_session = true;  // Ctrl-C goes to the terminal's foreground group: not to the guard
  try {
    guard_ = guard.spawn();
  } catch (const Error&) {
    ::close(pair[1]);
    throw;
  }
  ::close(pair[1]);
  socket_->send(plan_.to_json());
}

void GuardedBroker::boot() {
  spawn_guard();
  tell("starting RabbitMQ", true);
  Json started = answer("started", kAnswerLimit);
  for (std::size_t node = 0; node < plan_.nodes.size(); ++node)
    plan_.nodes[node].pid = started.at("started").at(node);
  for (std::size_t node = 0; node < plan_.nodes.size(); ++node) {
    wait_for_node(node, started_ + spec_.boot_limit - clock_.now());
  }
  tell("logging in", true);
  const amqp::Session login(amqp::Uri::parse(uri()));  // throws when it is refused
  if (plan_.detached) ask("keep", std::nullopt);
  tell("RabbitMQ is ready", true);
}

void GuardedBroker::tell(const std::string& stage, bool always) {
  Nanoseconds now = clock_.now();
  if (!progress_ || (!always && now - told_ < 200 * kMillisecond)) return;
  told_ = now;
  progress_(stage, now - started_);
}

void GuardedBroker::wait_for_node(std::size_t node, Nanoseconds limit) {
  Nanoseconds end = clock_.now() + limit;
  std::string stage =
      "waiting for AMQP on node " + std::to_string(node + 1) + " of " + std::to_string(plan_.nodes.size());
  // Longer than accepting(): on a crowded machine a ready node may need more than its 200 ms to answer.
  while (!amqp_answers(plan_.nodes[node].amqp_port, 1000)) {
    if (spec_.interrupted && spec_.interrupted()) {
      throw Error("interrupted while RabbitMQ was starting", "", "", ExitStatus::kInterrupted);
    }
    if (!running(node)) fail_ended(node);
    if (clock_.now() > end) {
      throw Error("RabbitMQ did not become ready within " + format_duration(limit), plan_.nodes[node].name,
                  "free the machine's cores and memory, and look at what it printed:" +
                      reason_in_output(plan_.output_file(node)));
    }
    tell(stage, false);
    pollfd event{descriptor_, POLLIN, 0};
    ::poll(&event, 1, 25);
  }
}

void GuardedBroker::wait_until_accepting(std::size_t node, Nanoseconds limit) { wait_for_node(node, limit); }

void GuardedBroker::fail_ended(std::size_t node) {
  std::string words = reason_in_output(plan_.output_file(node));
  lost_a_port_ =
      words.find("eaddrinuse") != std::string::npos || words.find("already in use") != std::string::npos;
  throw Error("RabbitMQ ended while it was starting", plan_.nodes[node].name,
              spec_.configuration.empty() ? "what it printed:" + words
                                          : "check broker.arguments; what it printed:" + words);
}

void GuardedBroker::take(const Json& line) {
  if (line.contains("ended")) plan_.nodes.at(line.at("ended").get<std::size_t>()).pid = -1;
}

// The guard's answer that has `key`. Events that arrive before it are taken.
Json GuardedBroker::answer(const char* key, Nanoseconds limit) {
  Nanoseconds end = clock_.now() + limit;
  for (;;) {
    bool open = socket_->receive();
    while (auto line = socket_->next()) {
      if (line->contains(key)) return *line;
      if (line->contains("error")) {
        const Json& error = line->at("error");
        throw Error(error.at("what"), error.at("where"), error.at("remedy"));
      }
      take(*line);
    }
    if (!open || clock_.now() > end) {
      throw Error(open ? "the guard of the private broker does not answer"
                       : "the guard of the private broker is gone",
                  plan_.directory, "brokerlab cleanup removes what is left; then try again");
    }
    pollfd event{descriptor_, POLLIN, 0};
    ::poll(&event, 1, 50);
  }
}

Json GuardedBroker::ask(const char* command, std::optional<std::size_t> node) {
  if (descriptor_ < 0)
    throw Error("the private broker has been stopped", plan_.directory, "start another one");
  Json line{{"command", command}};
  if (node) line["node"] = *node;
  socket_->send(line);
  Json reply = answer("done", kAnswerLimit);
  if (!reply.at("done").get<bool>()) {
    throw Error(reply.at("what"), node ? plan_.nodes.at(*node).name : "", reply.at("remedy"));
  }
  return reply;
}

void GuardedBroker::kill(std::size_t node) {
  ask("kill", node);
  plan_.nodes.at(node).pid = -1;
}

void GuardedBroker::restart(std::size_t node) {
  plan_.nodes.at(node).pid = ask("restart", node).at("pid").get<pid_t>();
}

bool GuardedBroker::running(std::size_t node) {
  if (descriptor_ < 0) return false;
  bool open = socket_->receive();
  while (auto line = socket_->next()) take(*line);
  return open && plan_.nodes.at(node).pid > 0;
}

void GuardedBroker::reap_guard() {
  Nanoseconds end = clock_.now() + 2 * kAnswerLimit;
  bool killed = false;
  while (::waitpid(guard_, nullptr, WNOHANG) == 0) {
    ::poll(nullptr, 0, 10);
    if (clock_.now() < end || killed) continue;
    ::kill(guard_, SIGKILL);  // its children die with it; the folder is ours to remove then
    killed = true;
  }
  guard_ = -1;
}

void GuardedBroker::stop() {
  if (guard_ <= 0) return;
  control_.reset();
  // End of file says the same as a command would, and the guard hears it in every state.
  ::kill(guard_, SIGTERM);
  ::close(descriptor_);
  descriptor_ = -1;
  reap_guard();
  for (Node& node : plan_.nodes) node.pid = -1;
  if (!remove_broker_folder(plan_.directory, plan_.id)) {
    throw Error("the folder of the private broker could not be removed", plan_.directory,
                "brokerlab cleanup");
  }
  Journal::remove_broker(plan_.id);
}

}  // namespace

std::unique_ptr<PrivateBroker> PrivateBroker::start(const PrivateBrokerSpec& spec, const Clock& clock,
                                                    const BrokerProgress& progress) {
  check_configuration(spec.configuration);
  for (int attempt = 1;; ++attempt) {
    auto broker = std::make_unique<GuardedBroker>(make_plan(spec), spec, clock, progress);
    try {
      broker->boot();
      return broker;
    } catch (const Error&) {
      bool again = broker->lost_a_port() && !spec.port && attempt < 3;
      broker->stop();
      if (!again) throw;
    }
  }
}

std::string PrivateBroker::uri(std::size_t node) const {
  return "amqp://" + user() + ":" + password() + "@127.0.0.1:" + std::to_string(nodes().at(node).amqp_port) +
         "/";
}

std::string PrivateBroker::management_uri(std::size_t node) const {
  return "http://127.0.0.1:" + std::to_string(nodes().at(node).management_port);
}

}  // namespace brokerlab
