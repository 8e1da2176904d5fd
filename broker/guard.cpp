#include "broker/guard.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

#include "broker/child_process.h"
#include "broker/guard_plan.h"
#include "broker/handshake_probe.h"
#include "broker/line_socket.h"
#include "core/error.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

constexpr int kController = STDIN_FILENO;
constexpr Nanoseconds kEndLimit = 5 * kNanosecondsPerSecond;

void wait_a_little() { ::poll(nullptr, 0, 10); }

// Children of this process, adopted ones included.
std::vector<pid_t> children() {
  std::vector<pid_t> found;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", failed)) {
    std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string line;
    std::getline(file, line);
    auto bracket = line.rfind(')');
    if (bracket == std::string::npos) continue;
    std::istringstream fields(line.substr(bracket + 1));
    char state = 0;
    pid_t parent = 0;
    if (fields >> state >> parent && parent == ::getpid())
      found.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return found;
}

// Runs one broker from its plan to its end. Single-threaded; everything happens in run().
class Guard {
 public:
  explicit Guard(GuardPlan plan, LineSocket& controller)
      : plan_(std::move(plan)), controller_(controller), pids_(plan_.nodes.size(), -1) {}

  // Returns when the broker is gone again.
  void run(int signals);

 private:
  void start();
  void spawn_epmd();
  void spawn_node(std::size_t node);
  void write_journal() const;
  void serve(int signals);
  bool handle_lines();
  Json handle(const Json& command);
  void signal_node(std::size_t node, int number);
  void pause_node(std::size_t node);
  void kill_node(std::size_t node);
  void reap();
  void note_end(pid_t pid, int status);
  void end();

  GuardPlan plan_;
  LineSocket& controller_;
  MonotonicClock clock_;
  pid_t epmd_ = -1;
  std::vector<pid_t> pids_;  // of the beams; -1: not running
  std::string started_at_;
  bool ending_ = false;
  bool kept_ = false;  // stays when the controller goes: said once a detached broker has booted
};

void Guard::run(int signals) {
  try {
    start();
    Json started{{"started", pids_}};
    controller_.send(started);
    serve(signals);
  } catch (const Error& error) {
    controller_.send(Json{
        {"error", Json{{"what", error.summary()}, {"where", error.where()}, {"remedy", error.remedy()}}}});
  } catch (const std::exception& error) {
    controller_.send(
        Json{{"error", Json{{"what", error.what()}, {"where", plan_.directory.string()}, {"remedy", ""}}}});
  }
  end();
}

void Guard::start() {
  char now[32];
  started_at_ = WallClock::iso8601_now(now);
  // The entry stands before the folder does: whatever happens from here on, cleanup finds it.
  write_journal();
  write_broker_folder(plan_);
  spawn_epmd();
  for (std::size_t node = 0; node < pids_.size(); ++node) spawn_node(node);
  write_journal();
}

void Guard::spawn_epmd() {
  ChildProcess epmd;
  epmd.program = plan_.installation.epmd;
  epmd.arguments = {"epmd", "-address", "127.0.0.1", "-port", std::to_string(plan_.epmd_port)};
  epmd.environment = epmd_environment(plan_);
  epmd.folder = plan_.directory;
  epmd.output = plan_.directory / "epmd-output";
  epmd.dies_with_parent = true;
  epmd_ = epmd.spawn();
  // A node that finds no epmd starts one of its own, which nobody would end.
  Nanoseconds limit = clock_.now() + kEndLimit;
  while (!port_answers(plan_.epmd_port)) {
    if (::waitpid(epmd_, nullptr, WNOHANG) == epmd_ || clock_.now() > limit) {
      throw Error("epmd (Erlang's port mapper) does not start",
                  "127.0.0.1:" + std::to_string(plan_.epmd_port),
                  "try again; if it stays so, check the Erlang installation: epmd -d");
    }
    wait_a_little();
  }
}

void Guard::spawn_node(std::size_t node) {
  std::error_code ignored;
  fs::remove(plan_.node_folder(node) / "pid", ignored);  // a stale one survives SIGKILL
  ChildProcess beam;
  beam.program = server_script(plan_);
  beam.arguments = {"rabbitmq-server"};
  beam.environment = node_environment(plan_, node);
  beam.folder = plan_.node_folder(node);
  beam.output = plan_.output_file(node);
  beam.dies_with_parent = true;
  beam.own_session = true;
  pids_[node] = beam.spawn();
}

void Guard::write_journal() const {
  BrokerRecord record;
  record.id = plan_.id;
  record.directory = plan_.directory;
  record.detached = plan_.detached;
  record.started_at = started_at_;
  record.guard = ProcessIdentity::of(::getpid()).value_or(ProcessIdentity{});
  record.controller = plan_.controller;
  for (pid_t pid : pids_) {
    if (auto process = ProcessIdentity::of(pid)) record.processes.push_back(*process);
  }
  if (auto process = ProcessIdentity::of(epmd_)) record.processes.push_back(*process);
  const PrivateBroker::Node& first = plan_.nodes.front();
  record.uri =
      "amqp://" + plan_.user + ":" + plan_.password + "@127.0.0.1:" + std::to_string(first.amqp_port) + "/";
  record.management_uri = "http://127.0.0.1:" + std::to_string(first.management_port);
  Journal::write(record);
}

void Guard::serve(int signals) {
  pollfd sources[2] = {{signals, POLLIN, 0}, {kController, POLLIN, 0}};
  while (!ending_) {
    if (::poll(sources, 2, -1) < 0 && errno != EINTR) return;
    signalfd_siginfo signal{};
    if ((sources[0].revents & POLLIN) && ::read(signals, &signal, sizeof signal) == sizeof signal) {
      if (signal.ssi_signo != SIGCHLD) return;
      reap();
    }
    if (sources[1].revents && !handle_lines()) {
      if (!kept_) return;
      sources[1].fd = -1;  // our controller has done its work; from now on SIGTERM ends us
    }
  }
}

// False at end of file: the controller is gone.
bool Guard::handle_lines() {
  bool open = controller_.receive();
  while (auto line = controller_.next()) {
    try {
      controller_.send(handle(*line));
    } catch (const Error& error) {
      controller_.send(Json{{"done", false}, {"what", error.summary()}, {"remedy", error.remedy()}});
    }
    if (ending_) break;
  }
  return open;
}

Json Guard::handle(const Json& command) {
  std::string word = command.at("command").get<std::string>();
  if (word == "end") {
    ending_ = true;
    return Json{{"done", true}};
  }
  if (word == "keep") {
    kept_ = plan_.detached;
    return Json{{"done", kept_}, {"what", "this broker is not to stay"}, {"remedy", ""}};
  }
  auto node = command.at("node").get<std::size_t>();
  if (node >= pids_.size()) throw Error("there is no such node", std::to_string(node), "");
  reap();
  if (word == "restart") {
    if (pids_[node] > 0) throw Error("the node is still running", plan_.nodes[node].name, "end it first");
    spawn_node(node);
    write_journal();
  } else if (word == "kill") {
    kill_node(node);
  } else if (word == "pause") {
    pause_node(node);
  } else {
    signal_node(node, word == "resume" ? SIGCONT : SIGTERM);
  }
  return Json{{"done", true}, {"pid", pids_[node]}};
}

void Guard::signal_node(std::size_t node, int number) {
  if (pids_[node] <= 0) throw Error("the node is not running", plan_.nodes[node].name, "");
  ::kill(pids_[node], number);
}

// A signal that is sent has not stopped anything yet: on a busy machine the node's threads go on answering
// until one of them has taken it. The stop stays unconsumed, so that a second pause finds it.
void Guard::pause_node(std::size_t node) {
  signal_node(node, SIGSTOP);
  siginfo_t stopped{};
  while (::waitid(P_PID, static_cast<id_t>(pids_[node]), &stopped, WSTOPPED | WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
}

void Guard::kill_node(std::size_t node) {
  signal_node(node, SIGKILL);
  int status = 0;
  pid_t pid = pids_[node];
  if (::waitpid(pid, &status, 0) == pid) note_end(pid, status);
}

void Guard::reap() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) note_end(pid, status);
}

void Guard::note_end(pid_t pid, int status) {
  auto found = std::find(pids_.begin(), pids_.end(), pid);
  if (found == pids_.end()) return;
  *found = -1;
  Json event{{"ended", found - pids_.begin()}};
  event[WIFSIGNALED(status) ? "signal" : "exit_status"] =
      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  controller_.send(event);
}

// As a subreaper we inherit every orphan below us (beam's port programs, which have groups of their own):
// when we have no child left, nothing of the broker is left.
void Guard::end() {
  Nanoseconds limit = clock_.now() + kEndLimit;
  for (std::vector<pid_t> left = children(); !left.empty() && clock_.now() < limit; left = children()) {
    for (pid_t pid : left) ::kill(pid, SIGKILL);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    wait_a_little();
  }
  // On failure the journal entry stays: cleanup tries again.
  if (remove_broker_folder(plan_.directory, plan_.id)) Journal::remove_broker(plan_.id);
}

int open_signals() {
  sigset_t mask;
  ::sigemptyset(&mask);
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&mask, number);
  ::sigprocmask(SIG_BLOCK, &mask, nullptr);
  return ::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

int guard_main() {
  int signals = open_signals();
  ::umask(077);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  LineSocket controller(kController);
  try {
    std::optional<Json> line;
    while (!(line = controller.next())) {
      pollfd source{kController, POLLIN, 0};
      ::poll(&source, 1, -1);
      if (!controller.receive()) return 1;  // it died before it said what to do: nothing was made yet
    }
    Guard(GuardPlan::from_json(*line), controller).run(signals);
    return 0;
  } catch (const std::exception& error) {
    controller.send(Json{{"error", Json{{"what", error.what()}, {"where", "guard"}, {"remedy", ""}}}});
    return 1;
  }
}

}  // namespace brokerlab
