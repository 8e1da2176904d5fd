#include "tests/roles/live/child_under_test.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "core/clock.h"
#include "core/control_pipe.h"
#include "loadgen/churn_process.h"
#include "loadgen/load_process.h"
#include "roles/role_process.h"

namespace brokerlab {
namespace {

constexpr int kPatience_ms = 60'000;

int run_child(int input, int output) {
  ::dup2(input, 0);
  ::dup2(output, 1);
  ::close_range(3, ~0U, 0);  // else a sibling would hold our ends of this child's pipes
  return child_process_main([](ControlPipe& pipe, const Json& assignment) {
    if (assignment.at("kind") == "churn") return churn_process_main(pipe, assignment);
    return assignment.at("kind") == "load" ? load_process_main(pipe, assignment)
                                           : role_process_main(pipe, assignment);
  });
}

}  // namespace

ChildUnderTest::ChildUnderTest(const Json& assignment) {
  int to_child[2];
  int from_child[2];
  if (::pipe(to_child) != 0 || ::pipe(from_child) != 0) throw std::runtime_error("no pipes");
  pid_ = ::fork();
  if (pid_ == 0) ::_exit(run_child(to_child[0], from_child[1]));
  ::close(to_child[0]);
  ::close(from_child[1]);
  input_ = to_child[1];
  output_ = from_child[0];
  send({{"assignment", assignment}});
}

ChildUnderTest::~ChildUnderTest() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  end_input();
  ::close(output_);
}

void ChildUnderTest::send(const Json& line) {
  const std::string text = line.dump() + "\n";
  if (::write(input_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("the child takes no line");
  }
}

Json ChildUnderTest::next_line() {
  std::size_t end;
  while ((end = partial_.find('\n')) == std::string::npos) {
    pollfd readable{output_, POLLIN, 0};
    char bytes[65536];
    if (::poll(&readable, 1, kPatience_ms) != 1) throw std::runtime_error("the child says nothing more");
    const ssize_t size = ::read(output_, bytes, sizeof bytes);
    if (size <= 0) throw std::runtime_error("the child has closed its output; notices: " + notices_);
    partial_.append(bytes, static_cast<std::size_t>(size));
  }
  const Json line = Json::parse(partial_.substr(0, end));
  partial_.erase(0, end + 1);
  if (line.contains("progress")) progress_ = line.at("progress");
  if (line.contains("notice")) notices_ += line.at("notice").get<std::string>() + "\n";
  return line;
}

Json ChildUnderTest::wait_for(const std::string& key) {
  for (;;) {
    const Json line = next_line();
    if (line.contains(key)) return line.at(key);
    if (line.contains("error")) throw std::runtime_error("the child failed: " + line.dump());
  }
}

void ChildUnderTest::wait_for_progress(const std::string& figure, std::int64_t at_least) {
  do {
    wait_for("progress");
  } while (progress_.value(figure, std::int64_t{0}) < at_least);
}

void ChildUnderTest::end_input() {
  if (input_ >= 0) ::close(input_);
  input_ = -1;
}

void ChildUnderTest::kill(int signal) { ::kill(pid_, signal); }

int ChildUnderTest::wait_for_end() {
  const MonotonicClock clock;
  const Nanoseconds limit = clock.now() + kPatience_ms * 1'000'000LL;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (clock.now() > limit) throw std::runtime_error("the child does not end");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void ChildUnderTest::stop() {
  send({{"stop", true}});
  wait_for("done");
  if (const int status = wait_for_end(); status != 0) {
    throw std::runtime_error("the child ended with " + std::to_string(status));
  }
}

RunUnderTest::RunUnderTest(const amqp::Uri& uri) : uri_(uri.full()) {
  static int number = 0;
  folder_ = std::filesystem::temp_directory_path() /
            ("brokerlab-children-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
  std::filesystem::create_directories(folder_);
}

RunUnderTest::~RunUnderTest() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Json RunUnderTest::assignment(const std::string& kind, const std::string& name, const Json& spec,
                              std::uint32_t publisher) const {
  Json instances = Json::array();
  const auto count = spec.value("instances", 1U);
  const std::string queue = kind == "role" ? spec.at("consume").at("queue").get<std::string>() : "";
  for (std::uint32_t i = 0; i < count; ++i) {
    instances.push_back({{"index", i},
                         {"name", name + "-" + std::to_string(i)},
                         {"publisher", publisher + i},
                         {"queue", queue}});
  }
  return {{"kind", kind},
          {"process", name + "-0"},
          {"run", kRun},
          {"seed", 1},
          {"broker", {{"uri", uri_}, {"tls_insecure", false}, {"heartbeat_s", 10}}},
          {"recording", (folder_ / (name + ".rec")).string()},
          {"spec", spec},
          {"directory", folder_.string()},
          {"instances", instances},
          {"instances_total", count},
          {"routes", Json::array()},
          {"queues", {queue}},
          {"load_ns", 60 * kNanosecondsPerSecond}};
}

Json RunUnderTest::load(const Json& spec, std::uint32_t publisher) const {
  return assignment("load", spec.at("name").get<std::string>(), spec, publisher);
}

Json RunUnderTest::churn(const Json& spec) const {
  return assignment("churn", spec.at("name").get<std::string>(), spec, 0);
}

Json RunUnderTest::role(const Json& spec, std::uint32_t publisher) const {
  return assignment("role", spec.at("role").get<std::string>(), spec, publisher);
}

RecordingReader RunUnderTest::recording(const Json& assignment) const {
  return RecordingReader(assignment.at("recording").get<std::string>());
}

}  // namespace brokerlab
