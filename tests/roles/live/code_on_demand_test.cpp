// Client, executor and worker on a real broker, and what is left when one of them is killed.
#include <gmock/gmock.h>
#include <poll.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>

#include "roles/code_task.h"
#include "roles/project.h"
#include "tests/roles/live/live_run.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;

class CodeOnDemand : public LiveRun {
 protected:
  CodeOnDemand() {
    std::string name = (std::filesystem::temp_directory_path() / "brokerlab-code-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    amqp::QueueDeclaration done;
    done.name = done_;
    broker_.declare(done);
  }
  ~CodeOnDemand() override {
    amqp::Session(amqp::LiveBroker::instance().uri()).remove_queue(done_);
    std::filesystem::remove_all(folder_);
  }

  Json client(const Json& project) const {
    return {{"role", "client"},
            {"behaviour", "project_client"},
            {"settings", {{"file", lists_file()}, {"project", project}}},
            {"consume", {{"queue", done_}}},
            {"publish", {{"routing_key", queue_}}}};
  }
  Json worker(const char* behaviour, const Json& consume) const {
    Json spec = role_spec(consume);
    spec["role"] = behaviour;
    spec["behaviour"] = behaviour;
    spec["publish"] = {{"routing_key", done_}};
    return spec;
  }
  std::string lists_file() const { return (folder_ / "projects.json").string(); }
  Json lists() const { return read_json_file(lists_file()); }
  // Until the lists say so; every wait is bounded.
  void wait_for_lists(const std::function<bool(const Json&)>& as_wanted) const {
    const Nanoseconds limit = clock_.now() + 60 * kNanosecondsPerSecond;
    while (!std::filesystem::exists(lists_file()) || !as_wanted(lists())) {
      ASSERT_LT(clock_.now(), limit) << "the lists stay as they are";
      poll(nullptr, 0, 5);
    }
  }
  void publish_task(const Json& task) { broker_.publish("", queue_, {}, task.dump()); }
  std::optional<Json> take_result() {
    const auto message = broker_.get(done_);
    return message ? std::optional(Json::parse(message->body)) : std::nullopt;
  }

  const std::string done_ = queue_ + ".DONE";
  std::filesystem::path folder_;
};

Json queens(unsigned n, const Json& first) {
  return {{"cmd", "n_queens"}, {"id_projet", "queens"},
          {"id_task", 1},      {"phrase", ""},
          {"url", ""},         {"arguments", {{"n", n}, {"first", first}}}};
}

// The children of a process, from /proc.
std::set<pid_t> children_of(pid_t parent) {
  std::set<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid == 0) continue;
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const std::size_t name_end = stat.rfind(')');  // a name may hold anything
    if (name_end == std::string::npos) continue;
    char state = 0;
    int of = 0;
    if (std::sscanf(stat.c_str() + name_end + 1, " %c %d", &state, &of) == 2 && of == parent && state != 'Z')
      children.insert(pid);
  }
  return children;
}

pid_t wait_for_child_of(pid_t parent, const Clock& clock) {
  for (const Nanoseconds limit = clock.now() + 30 * kNanosecondsPerSecond; clock.now() < limit;
       poll(nullptr, 0, 2)) {
    if (const auto children = children_of(parent); !children.empty()) return *children.begin();
  }
  ADD_FAILURE() << "no process was started for the task";
  return -1;
}

TEST_F(CodeOnDemand, AProjectIsOrderedCarriedOutAndRebuiltInOrder) {
  const Json client_part = run_.role(client({{"cmd", "n_queens"}, {"n", 10}, {"depth", 1}}), 100);
  const Json worker_part = run_.role(worker("code_worker", {{"prefetch", 1}}), 200);
  ChildUnderTest client(client_part), worker(worker_part);
  client.wait_for("ready");
  worker.wait_for("ready");
  wait_for_lists([](const Json& lists) { return !lists.at("finished").empty(); });
  client.stop();
  worker.stop();
  EXPECT_EQ(lists().at("finished")[0].at("result"), 724);
  EXPECT_EQ(lists().at("finished")[0].at("results"), Json::parse("[64,48,65,93,92,92,93,65,48,64]"));
  EXPECT_THAT(client.notices(), HasSubstr("n_queens-1 is finished: 724"));
  EXPECT_EQ(with_outcome(publishes(client_part), kConfirmed), 10U);
  EXPECT_EQ(deliveries(worker_part).size(), 10U);
}

TEST_F(CodeOnDemand, AClientKilledInMidProjectGoesOnWhereItWas) {
  const Json order = client({{"id_projet", "mine"}, {"cmd", "echo"}, {"tasks", 6}});
  const auto done_tasks = [](const Json& lists) {
    const Json& entries = lists.at("in_progress");
    return std::count_if(entries.begin(), entries.end(),
                         [](const Json& entry) { return entry.at("state") == "done"; });
  };
  {
    ChildUnderTest client(run_.role(order, 100));
    client.wait_for("ready");
    wait_for_lists([](const Json& lists) { return lists.at("in_progress").size() == 6; });
    for (int i = 0; i < 2; ++i)
      broker_.publish("", done_, {}, carry_out(Json::parse(broker_.get(queue_)->body)).dump());
    wait_for_lists([&](const Json& lists) { return done_tasks(lists) == 2; });
    client.kill(SIGKILL);
    EXPECT_EQ(client.wait_for_end(), -SIGKILL);
  }
  for (int i = 0; i < 4; ++i)
    broker_.publish("", done_, {}, carry_out(Json::parse(broker_.get(queue_)->body)).dump());
  Json again = run_.role(order, 100);
  again["process"] = "client-again";
  again["recording"] = again.at("recording").get<std::string>() + ".again";
  ChildUnderTest client(again);
  client.wait_for("ready");
  wait_for_lists([](const Json& lists) { return !lists.at("finished").empty(); });
  client.stop();
  EXPECT_EQ(ready_messages(), 0U) << "no task was sent twice";
  EXPECT_THAT(lists().at("finished")[0].at("result").get<std::string>(),
              testing::EndsWith("\ntask 6 of project mine"));
}

TEST_F(CodeOnDemand, WhatNoQueueTookIsSentWhenTheClientStartsAgain) {
  Json order = client({{"cmd", "echo"}, {"tasks", 3}});
  order["publish"]["routing_key"] = queue_ + ".nowhere";
  {
    ChildUnderTest client(run_.role(order, 100));
    client.wait_for("ready");
    client.wait_for_progress("returned", 3);
    client.stop();
  }
  EXPECT_EQ(lists().at("to_do").size(), 3U);
}

TEST_F(CodeOnDemand, AnExecutorGivesEachTaskAProcess) {
  const Json part = run_.role(worker("executor", {{"get", "10ms"}, {"ack", "manual"}}), 200);
  for (unsigned first = 0; first < 4; ++first) publish_task(queens(8, Json::array({first})));
  broker_.publish("", queue_, {}, "no task at all");
  publish_task({{"cmd", "sh -c 'exit 1'"}, {"id_projet", "evil"}, {"id_task", 1}});
  ChildUnderTest executor(part);
  executor.wait_for("ready");
  executor.wait_for_progress("done", 5);
  executor.wait_for_progress("unreadable", 1);
  executor.stop();
  std::uint64_t sum = 0;
  for (int i = 0; i < 4; ++i) sum += take_result()->at("result").get<std::uint64_t>();
  EXPECT_EQ(sum, 46U) << "half of 92";
  EXPECT_EQ(take_result()->at("state"), "refused");
  EXPECT_EQ(ready_messages(), 0U);
}

TEST_F(CodeOnDemand, AProcessKilledInMidTaskIsReplacedWhereTheAnswerIsAcknowledged) {
  publish_task(queens(15, Json::array()));
  ChildUnderTest executor(run_.role(worker("executor", {{"get", "10ms"}, {"ack", "manual"}}), 200));
  executor.wait_for("ready");
  kill(wait_for_child_of(executor.pid(), clock_), SIGKILL);
  executor.wait_for_progress("done", 1);
  executor.stop();
  EXPECT_EQ(take_result()->at("result"), 2279184);
  EXPECT_THAT(executor.notices(),
              HasSubstr("was ended by signal 9 (death 1 here): task 1 of queens goes back"));
  EXPECT_EQ(executor.progress().at("redelivered"), 1);
}

TEST_F(CodeOnDemand, AProcessKilledInMidTaskLosesWhatWasAcknowledgedOnTaking) {
  publish_task(queens(15, Json::array()));
  publish_task(queens(8, Json::array()));
  ChildUnderTest executor(run_.role(worker("executor", {{"get", "10ms"}, {"ack", "auto"}}), 200));
  executor.wait_for("ready");
  kill(wait_for_child_of(executor.pid(), clock_), SIGKILL);
  executor.wait_for_progress("done", 1);
  executor.stop();
  EXPECT_EQ(take_result()->at("result"), 92);
  EXPECT_EQ(take_result(), std::nullopt);
  EXPECT_THAT(executor.notices(), HasSubstr("task 1 of queens is lost"));
}

// Dead children of the dead are there, as zombies, until somebody reaps them: they do not run.
bool runs(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const std::size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.size() > name_end + 2 && stat[name_end + 2] != 'Z';
}

TEST_F(CodeOnDemand, ADeadExecutorLeavesNoProcessBehind) {
  publish_task(queens(16, Json::array()));
  ChildUnderTest executor(run_.role(worker("executor", {{"get", "10ms"}, {"ack", "manual"}}), 200));
  executor.wait_for("ready");
  const pid_t child = wait_for_child_of(executor.pid(), clock_);
  executor.kill(SIGKILL);
  executor.wait_for_end();
  const Nanoseconds limit = clock_.now() + 4 * kNanosecondsPerSecond;  // the computation takes longer
  while (runs(child) && clock_.now() < limit) poll(nullptr, 0, 5);
  EXPECT_FALSE(runs(child));
}

}  // namespace
}  // namespace brokerlab
