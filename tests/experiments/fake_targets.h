#pragma once

#include <uv.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "experiments/fault.h"

namespace brokerlab {

// Notes what nodes are asked, and answers what a test has laid out, or "ok".
class FakeControl final : public NodeControl {
 public:
  std::vector<std::string> asked;                  // "0: expression"
  std::deque<std::optional<std::string>> answers;  // nothing: not yet

  Ticket ask(std::size_t node, const std::string& expression) override {
    asked.push_back(std::to_string(node) + ": " + expression);
    return asked.size();
  }
  std::optional<std::string> answer(Ticket) override {
    if (answers.empty()) return "ok";
    auto next = answers.front();
    answers.pop_front();
    return next;
  }
};

// A broker of three nodes that exists in words only.
class FakeBroker final : public PrivateBroker {
 public:
  FakeBroker() {
    for (int i = 1; i <= 3; ++i)
      nodes_.push_back({"lab" + std::to_string(i) + "@localhost", 5672, 0, 0, 0, -1});
  }

  std::vector<std::string> done;  // "kill 0"
  std::vector<bool> running_nodes{false, false, false};
  bool answers = true;
  FakeControl erlang;

  const std::vector<Node>& nodes() const override { return nodes_; }
  const std::string& user() const override { return word_; }
  const std::string& password() const override { return word_; }
  const std::filesystem::path& directory() const override { return directory_; }
  const std::vector<std::string>& plugins() const override { return plugins_; }
  const std::string& id() const override { return word_; }
  pid_t guard_pid() const override { return -1; }
  void pause(std::size_t node) override { note("pause", node); }
  void resume(std::size_t node) override { note("resume", node); }
  void kill(std::size_t node) override { note("kill", node); }
  void terminate(std::size_t node) override { note("terminate", node); }
  bool running(std::size_t node) override { return running_nodes.at(node); }
  void restart(std::size_t node) override { note("restart", node); }
  bool accepting(std::size_t) override { return answers; }
  void wait_until_accepting(std::size_t, Nanoseconds) override {}
  NodeControl& control() override { return erlang; }
  void stop() override {}

 private:
  void note(const char* what, std::size_t node) { done.push_back(what + (" " + std::to_string(node))); }

  std::vector<Node> nodes_;
  std::string word_ = "fake";
  std::filesystem::path directory_;
  std::vector<std::string> plugins_;
};

// The targets of a fault: notes in words what is done to them.
class FakeTargets final : public FaultTargets {
 public:
  FakeTargets() { uv_loop_init(&loop_); }
  ~FakeTargets() override { uv_loop_close(&loop_); }

  std::vector<std::string> done;  // "w-0 signal 9"
  std::vector<std::string> notices;
  bool alive = true;
  bool ours = true;
  FakeBroker broker;

  // One turn of the loop, of some milliseconds at most.
  void turn() {
    uv_timer_t tick;
    uv_timer_init(&loop_, &tick);
    uv_timer_start(
        &tick, [](uv_timer_t*) {}, 2, 0);
    uv_run(&loop_, UV_RUN_ONCE);
    uv_close(reinterpret_cast<uv_handle_t*>(&tick), nullptr);
    uv_run(&loop_, UV_RUN_NOWAIT);
  }
  void run_out() { uv_run(&loop_, UV_RUN_DEFAULT); }

  uv_loop_t* loop() override { return &loop_; }
  const Clock& clock() const override { return clock_; }
  bool signal_process(const std::string& process, int signal) override {
    if (alive) done.push_back(process + " signal " + std::to_string(signal));
    return alive;
  }
  bool tell_process(const std::string& process, const Json& line) override {
    if (alive) done.push_back(process + " told " + line.dump());
    return alive;
  }
  void restart_process(const std::string& process) override { done.push_back(process + " restarted"); }
  void expect_end(const std::string& process) override {
    if (alive) done.push_back(process + " is to end");
  }
  void expect_deletion(const std::string& queue) override { done.push_back(queue + " is to go"); }
  std::string connection_name(const std::string& process) override { return process; }
  PrivateBroker* private_broker() override { return ours ? &broker : nullptr; }
  Management* management() override { return nullptr; }
  std::vector<std::string> broker_uris() const override { return {"amqp://127.0.0.1:1/"}; }
  NetworkPaths& network() override { return network_; }
  bool tls_insecure() const override { return false; }
  void notice(const std::string& text) override { notices.push_back(text); }

 private:
  uv_loop_t loop_{};
  MonotonicClock clock_;
  NetworkPaths network_{{"amqp://127.0.0.1:1/"}, false, clock_, 1};
};

}  // namespace brokerlab
