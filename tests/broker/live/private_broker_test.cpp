#include "broker/private_broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

#include "amqp/session.h"
#include "broker/cleanup.h"
#include "core/error.h"
#include "tests/broker/live/shared_broker.h"
#include "tests/broker/scratch_folder.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const MonotonicClock kClock;

bool exists(pid_t pid) {
  const auto process = ProcessIdentity::of(pid);
  return process && process->alive();
}

std::string command_line(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/cmdline");
  return {std::istreambuf_iterator<char>(file), {}};
}

// Every process whose command line or environment names `text`: the helpers of beam inherit the environment.
std::vector<pid_t> processes_that_name(const std::string& text) {
  std::vector<pid_t> found;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", failed)) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos || pid == std::to_string(::getpid()))
      continue;
    std::ifstream file(entry.path() / "environ");
    const std::string environment{std::istreambuf_iterator<char>(file), {}};
    if ((command_line(pid) + environment).find(text) != std::string::npos) found.push_back(std::stoi(pid));
  }
  return found;
}

// The states of a process's threads as /proc/pid/task/tid/stat has them after the name.
std::string states_of_threads(pid_t pid) {
  std::string states;
  for (const fs::directory_entry& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::ifstream file(task.path() / "stat");
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    states += line.substr(line.rfind(')') + 2, 1);
  }
  return states;
}

TEST(PrivateBroker, LoginWorksAndOnlyWithItsOwnPassword) {
  PrivateBroker& broker = SharedBroker::get();
  amqp::Uri uri = amqp::Uri::parse(broker.uri());
  EXPECT_NO_THROW(amqp::Session{uri});
  uri.password = "wrong";
  EXPECT_THROW(amqp::Session{uri}, Error);
  uri.user = uri.password = "guest";
  EXPECT_THROW(amqp::Session{uri}, Error);
}

TEST(PrivateBroker, PluginsAreThere) {
  const auto expected = testing::IsSupersetOf(
      {"rabbitmq_consistent_hash_exchange", "rabbitmq_management", "rabbitmq_prometheus"});
  EXPECT_THAT(SharedBroker::get().plugins(), expected);
  // A node's statistics come in some seconds after its boot.
  EXPECT_TRUE(eventually([] { return !SharedBroker::management()->enabled_plugins().empty(); }));
  EXPECT_THAT(SharedBroker::management()->enabled_plugins(), expected);
  EXPECT_THAT(SharedBroker::management()->exchange_types(), testing::Contains("x-consistent-hash"));
}

TEST(PrivateBroker, PasswordIsOnNoCommandLineAndInNoEnvironment) {
  EXPECT_THAT(processes_that_name(SharedBroker::get().password()), testing::IsEmpty());
}

TEST(PrivateBroker, OnlyLoopbackIsListenedOn) {
  std::ifstream sockets("/proc/net/tcp");
  const PrivateBroker::Node& node = SharedBroker::get().nodes()[0];
  int listening = 0;
  for (std::string line; std::getline(sockets, line);) {
    for (const std::uint16_t port :
         {node.amqp_port, node.distribution_port, node.management_port, node.prometheus_port}) {
      char wanted[8];
      std::snprintf(wanted, sizeof wanted, ":%04X ", port);
      if (line.find(std::string(wanted) + "00000000:0000 0A") == std::string::npos) continue;
      ++listening;
      EXPECT_THAT(line, HasSubstr("0100007F:")) << port;
    }
  }
  EXPECT_EQ(listening, 4);
}

// Faults of a node, and a second broker beside the shared one.
TEST(PrivateBroker, ASecondOneBesideItIsPausedKilledRestartedAndGone) {
  PrivateBroker& other = SharedBroker::get();
  std::vector<std::string> stages;
  auto broker = PrivateBroker::start({}, kClock,
                                     [&](const std::string& stage, Nanoseconds) { stages.push_back(stage); });
  EXPECT_THAT(stages, testing::Contains(HasSubstr("waiting for AMQP")));
  const fs::path directory = broker->directory();
  const pid_t guard = broker->guard_pid();
  EXPECT_NE(directory, other.directory());

  broker->pause(0);
  broker->pause(0);
  EXPECT_FALSE(broker->accepting(0));
  EXPECT_TRUE(broker->running(0));
  broker->resume(0);
  EXPECT_TRUE(eventually([&] { return broker->accepting(0); }));

  amqp::Session(amqp::Uri::parse(broker->uri()))
      .declare(amqp::QueueDeclaration{.name = "kept", .durable = true});
  const pid_t first = broker->nodes()[0].pid;
  broker->kill(0);
  EXPECT_FALSE(exists(first));
  EXPECT_FALSE(broker->running(0));
  EXPECT_THROW(broker->pause(0), Error);
  broker->restart(0);
  EXPECT_THROW(broker->restart(0), Error);
  broker->wait_until_accepting(0, 60 * kNanosecondsPerSecond);
  EXPECT_NE(broker->nodes()[0].pid, first);
  EXPECT_TRUE(amqp::Session(amqp::Uri::parse(broker->uri())).queue("kept").has_value());

  broker->stop();
  broker->stop();
  EXPECT_FALSE(fs::exists(directory));
  EXPECT_FALSE(exists(guard));
  EXPECT_THAT(processes_that_name(directory), testing::IsEmpty());
  EXPECT_TRUE(eventually([&] { return other.accepting(0); }));
}

TEST(PrivateBroker, AConfigurationRabbitmqRefusesIsToldAndLeavesNothing) {
  const std::size_t before = Journal::brokers().size();
  PrivateBrokerSpec spec;
  spec.configuration = {{"no_such_setting_at_all", "1"}};
  try {
    PrivateBroker::start(spec, kClock);
    FAIL() << "started";
  } catch (const Error& error) {
    EXPECT_THAT(error.summary(), HasSubstr("ended while it was starting"));
    EXPECT_THAT(error.remedy(), HasSubstr("broker.arguments"));
    EXPECT_THAT(error.remedy(), HasSubstr("no_such_setting_at_all"));
  }
  EXPECT_EQ(Journal::brokers().size(), before);
}

TEST(PrivateBroker, WhatCannotBeIsToldBeforeAnythingStarts) {
  PrivateBrokerSpec taken;
  taken.port = SharedBroker::get().nodes()[0].amqp_port;
  EXPECT_THROW(PrivateBroker::start(taken, kClock), Error);
  PrivateBrokerSpec missing;
  missing.installation = {{"/nonexistent"}, "/nonexistent"};
  EXPECT_THROW(PrivateBroker::start(missing, kClock), Error);
  PrivateBrokerSpec no_guard;
  no_guard.guard_program = "/nonexistent";
  EXPECT_THROW(PrivateBroker::start(no_guard, kClock), Error);
  const ScratchFolder scratch;
  std::ofstream(scratch.path / "precious") << "text";
  PrivateBrokerSpec occupied;
  occupied.directory = scratch.path;
  EXPECT_THROW(PrivateBroker::start(occupied, kClock), Error);
  EXPECT_TRUE(fs::exists(scratch.path / "precious"));
  EXPECT_EQ(Journal::brokers().size(), 1U);
}

TEST(PrivateBroker, AnInterruptEndsTheBoot) {
  PrivateBrokerSpec spec;
  spec.interrupted = [] { return true; };
  try {
    PrivateBroker::start(spec, kClock);
    FAIL() << "started";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kInterrupted);
  }
  EXPECT_EQ(Journal::brokers().size(), 1U);
}

// A controller in a process of its own, and the broker it holds.
class Controller {
 public:
  explicit Controller(const std::string& program, const std::string& before = "",
                      const std::string& wrapper = "") {
    int pipe[2];
    if (::pipe(pipe) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      ::dup2(pipe[1], 1);
      ::close(pipe[0]);
      ::close(pipe[1]);
      ::execl("/bin/sh", "sh", "-c", (before + "exec " + wrapper + "\"" + program + "\" hold").c_str(),
              nullptr);
      ::_exit(127);
    }
    ::close(pipe[1]);
    output_ = ::fdopen(pipe[0], "r");
  }
  ~Controller() {
    end(SIGKILL);
    std::fclose(output_);
  }
  // What it says of its broker; null when it could not start one.
  Json about() {
    char line[1024];
    return std::fgets(line, sizeof line, output_) ? Json::parse(line) : Json();
  }
  // As the terminal does it: the whole foreground group gets the signal.
  void end(int signal) {
    if (pid_ <= 0) return;
    ::kill(-pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_;
  std::FILE* output_;
};

TEST(Guard, NothingIsLeftHoweverTheControllerEnds) {
  const std::string self = fs::read_symlink("/proc/self/exe");
  Controller killed(self), interrupted(self), terminated(self);
  const std::vector<std::pair<Controller*, int>> ends{
      {&killed, SIGKILL}, {&interrupted, SIGINT}, {&terminated, SIGTERM}};
  for (const auto& [controller, signal] : ends) {
    const Json about = controller->about();
    ASSERT_FALSE(about.is_null());
    const std::string directory = about["directory"];
    EXPECT_TRUE(exists(about["beam"].get<pid_t>()));
    EXPECT_GE(processes_that_name(directory).size(), 4U);  // epmd, beam, erl_child_setup, its children
    controller->end(signal);
    EXPECT_TRUE(eventually([&] { return !fs::exists(directory) && processes_that_name(directory).empty(); }))
        << signal;
    EXPECT_TRUE(eventually([&] { return !exists(about["guard"].get<pid_t>()); })) << signal;
  }
  EXPECT_TRUE(eventually([] { return Journal::brokers().size() <= 1; }));
}

TEST(Guard, CleanupRemovesWhatAKilledGuardLeft) {
  const std::string self = fs::read_symlink("/proc/self/exe");
  Controller controller(self);
  const Json about = controller.about();
  ASSERT_FALSE(about.is_null());
  const std::string directory = about["directory"];
  // The guard first, then the controller, so that neither can tidy up.
  ::kill(about["guard"].get<pid_t>(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return !exists(about["beam"].get<pid_t>()); })) << "beam outlives its guard";
  controller.end(SIGKILL);
  EXPECT_TRUE(fs::exists(directory));
  SharedBroker::get();
  const auto lines = cleanup("", kClock);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("removed private broker " + about["id"].get<std::string>()));
  EXPECT_FALSE(fs::exists(directory));
  EXPECT_TRUE(eventually([&] { return processes_that_name(directory).empty(); }));
  EXPECT_TRUE(eventually([] { return SharedBroker::get().accepting(0); }));
}

TEST(Guard, ADetachedBrokerStaysUntilItIsStopped) {
  const ScratchFolder scratch;
  PrivateBrokerSpec spec;
  spec.detached = true;
  spec.directory = scratch.path / "by-hand";
  std::string id, uri;
  {
    const auto broker = PrivateBroker::start(spec, kClock);
    id = broker->id();
    uri = broker->uri();
  }
  EXPECT_THAT(cleanup("", kClock), testing::IsEmpty());
  bool found = false;
  for (const PrivateBrokerStatus& status : private_brokers(kClock)) {
    if (status.record.id != id) continue;
    found = true;
    EXPECT_TRUE(status.guard_alive && status.record.detached);
    EXPECT_EQ(status.record.uri, uri);
  }
  EXPECT_TRUE(found);
  EXPECT_NO_THROW(amqp::Session(amqp::Uri::parse(uri), {}));
  EXPECT_THROW(stop_private_broker("no-such-broker", kClock), Error);
  EXPECT_EQ(stop_private_broker("", kClock).id, id);
  EXPECT_FALSE(fs::exists(spec.directory));
  EXPECT_THAT(processes_that_name(spec.directory), testing::IsEmpty());
  EXPECT_THROW(stop_private_broker("", kClock), Error);
}

TEST(Guard, AnOrdinaryUserHasBrokersToo) {
  if (::geteuid() != 0) GTEST_SKIP() << "the other tests run as an ordinary user already";
  const ScratchFolder scratch;
  fs::permissions(scratch.path, fs::perms::all);
  const fs::path program = scratch.path / "program";
  fs::copy_file(fs::read_symlink("/proc/self/exe"), program);
  const fs::path outer = fs::path(std::getenv("TMPDIR"));
  fs::permissions(outer, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  Controller controller(program,
                        "unset XDG_RUNTIME_DIR; export TMPDIR=" + scratch.path.string() +
                            "; set -- setpriv --reuid=65534 --regid=65534 --clear-groups; ",
                        "\"$@\" ");
  fs::path directory;
  const Json about = controller.about();
  ASSERT_FALSE(about.is_null());
  directory = about["directory"].get<std::string>();
  EXPECT_TRUE(fs::exists(directory));
  controller.end(SIGINT);
  EXPECT_TRUE(eventually([&] { return !fs::exists(directory) && processes_that_name(directory).empty(); }));
}

TEST(Cluster, TwoNodesKnowEachOtherAndGoTogether) {
  PrivateBrokerSpec spec;
  spec.nodes = 2;
  const auto broker = PrivateBroker::start(spec, kClock);
  const fs::path directory = broker->directory();
  amqp::Session(amqp::Uri::parse(broker->uri(0)))
      .declare(amqp::QueueDeclaration{.name = "seen", .durable = true});
  EXPECT_TRUE(amqp::Session(amqp::Uri::parse(broker->uri(1))).queue("seen").has_value());
  broker->stop();
  EXPECT_FALSE(fs::exists(directory));
  EXPECT_THAT(processes_that_name(directory), testing::IsEmpty());
}

// The thread that takes the signal gets a core only when nobody else wants one: what is sent and not waited
// for would come milliseconds later.
TEST(PrivateBroker, APausedNodeStandsStillAlsoOnABusyMachine) {
  const auto broker = PrivateBroker::start({}, kClock);
  const pid_t pid = broker->nodes()[0].pid;
  const sched_param none{};
  ASSERT_EQ(::sched_setscheduler(pid, SCHED_IDLE, &none), 0);
  std::vector<std::jthread> others;
  for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i) {
    others.emplace_back([](const std::stop_token& end) {
      while (!end.stop_requested()) {
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    broker->pause(0);
    EXPECT_THAT(states_of_threads(pid), testing::Each('T')) << i;
    broker->resume(0);
  }
}

}  // namespace
}  // namespace brokerlab
