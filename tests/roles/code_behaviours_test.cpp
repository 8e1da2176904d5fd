// The behaviours of code on demand, without a broker: code_worker, executor and project_client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "core/error.h"
#include "roles/code_worker.h"
#include "roles/executor.h"
#include "roles/opening.h"
#include "roles/project_client.h"

namespace brokerlab {
namespace {

using Verdict = Reaction::Verdict;
using testing::HasSubstr;

const MonotonicClock kClock;

RoleSpec spec_of(const std::string& behaviour, const Json& settings = Json::object(),
                 const char* ack = "manual") {
  return RoleSpec::from_json({{"role", "role"},
                              {"behaviour", behaviour},
                              {"settings", settings},
                              {"consume", {{"queue", "TODO"}, {"ack", ack}}},
                              {"publish", {{"routing_key", "DONE"}}}});
}

// As a consumer goes about it: asks, computes, and takes what is to be published.
std::vector<Json> act(Behaviour& behaviour, const std::string& body) {
  const Reaction reaction = behaviour.receive(body, "TODO");
  EXPECT_EQ(reaction.verdict, Verdict::kAct) << body;
  if (reaction.compute) reaction.compute();
  std::vector<Json> published;
  for (const Outgoing& message : behaviour.finish(reaction, body))
    published.push_back(parse_message(message.body));
  return published;
}

const std::string kEcho = R"({"cmd":"echo","id_projet":"p","id_task":1,"phrase":"hello","url":""})";
const std::string kNoTasks[] = {"",
                                "text",
                                "[]",
                                "{}",
                                R"({"id_projet":"p"})",
                                R"({"id_task":1})",
                                std::string(100'000, '['),
                                std::string("\xff\xfe", 2)};

TEST(CodeWorker, PublishesTheResult) {
  const RoleSpec spec = spec_of("code_worker");
  const auto worker = make_behaviour({spec, "w", "."});
  const auto published = act(*worker, kEcho);
  ASSERT_EQ(published.size(), 1U);
  EXPECT_EQ(published[0].at("result"), "hello");
  EXPECT_EQ(worker->remark(), "task 1 of p done: \"hello\"");
}

TEST(CodeWorker, AnUnknownCmdIsAnsweredAndWhatIsNoTaskIsUnreadable) {
  const RoleSpec spec = spec_of("code_worker");
  const auto worker = make_behaviour({spec, "w", "."});
  EXPECT_EQ(act(*worker, R"({"cmd":"sh","id_projet":"p","id_task":1})")[0].at("state"), "refused");
  for (const std::string& body : kNoTasks) EXPECT_EQ(worker->receive(body, "").verdict, Verdict::kUnreadable);
}

TaskProcess shell(const std::string& script) {
  return {"/bin/sh", {"-c", script}, kClock, 60 * kNanosecondsPerSecond};
}

TEST(Executor, GivesEachTaskAProcess) {
  const RoleSpec spec = spec_of("executor");
  Executor executor({spec, "e", "."},
                    shell(R"(read task; echo "${task%?}, \"state\": \"done\", \"result\": \"$$\"}")"));
  const auto first = act(executor, kEcho), second = act(executor, kEcho);
  EXPECT_EQ(first[0].at("phrase"), "hello");
  EXPECT_NE(first[0].at("result"), second[0].at("result"));
  EXPECT_THAT(executor.remark(), HasSubstr("process " + second[0].at("result").get<std::string>()));
  for (const std::string& body : kNoTasks)
    EXPECT_EQ(executor.receive(body, "").verdict, Verdict::kUnreadable);
}

TEST(Executor, ATaskAcknowledgedOnTakingIsLostWithItsProcess) {
  const RoleSpec spec = spec_of("executor", Json::object(), "auto");
  Executor executor({spec, "e", "."}, shell("kill -9 $$"));
  for (int death = 1; death <= 5; ++death) {
    EXPECT_TRUE(act(executor, kEcho).empty());
    EXPECT_TRUE(executor.undone());
    EXPECT_THAT(executor.remark(),
                HasSubstr("signal 9 (death " + std::to_string(death) + " here): task 1 of p is lost"));
  }
}

TEST(Executor, OtherwiseItIsTakenAgainButNotForEver) {
  const RoleSpec spec = spec_of("executor");
  Executor executor({spec, "e", "."}, shell("kill -9 $$"));
  for (unsigned death = 1; death < Executor::kMostDeaths; ++death) {
    EXPECT_TRUE(act(executor, kEcho).empty());
    EXPECT_TRUE(executor.undone());
  }
  const auto published = act(executor, kEcho);
  EXPECT_FALSE(executor.undone());
  ASSERT_EQ(published.size(), 1U);
  EXPECT_EQ(published[0].at("state"), "failed");
  EXPECT_EQ(published[0].at("id_task"), 1);
}

TEST(Executor, AnAnswerThatIsNoResultIsADeath) {
  const RoleSpec spec = spec_of("executor");
  Executor executor({spec, "e", "."}, shell("echo nonsense"));
  act(executor, kEcho);
  EXPECT_TRUE(executor.undone());
  EXPECT_THAT(executor.remark(), HasSubstr("gave no result"));
}

// A file is checked without anybody being asked; only a role that begins needs its gateway.
TEST(Executor, WithoutItsGatewayItDoesNotBegin) {
  const RoleSpec spec =
      spec_of("executor", {{"gateway", "http://127.0.0.1:1"}, {"creates", {"TODO", "DONE"}}});
  const std::unique_ptr<Behaviour> executor = make_behaviour({spec, "e", "."});
  EXPECT_THROW(executor->begin(), Error);
}

class ProjectClientTest : public testing::Test {
 protected:
  ProjectClientTest() {
    std::string name = (std::filesystem::temp_directory_path() / "brokerlab-client-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~ProjectClientTest() override { std::filesystem::remove_all(folder_); }

  RoleSpec spec(const Json& project) const {
    return spec_of("project_client", {{"file", (folder_ / "projects.json").string()}, {"project", project}});
  }

  std::filesystem::path folder_;
};

TEST_F(ProjectClientTest, OrdersPublishesAndPutsTogether) {
  const RoleSpec order = spec({{"cmd", "n_queens"}, {"n", 10U}});
  const auto client = make_behaviour({order, "c", "."});
  EXPECT_EQ(client->begin(), "ordered n_queens-1, 10 tasks");
  const RoleSpec work = spec_of("code_worker");
  const auto worker = make_behaviour({work, "w", "."});
  const auto tasks = client->opening();
  ASSERT_EQ(tasks.size(), 10U);
  std::vector<std::string> results;
  for (const Outgoing& task : tasks) {
    client->settled(task, true);
    results.push_back(print_message(act(*worker, task.body)[0]));
  }
  EXPECT_TRUE(client->opening().empty());
  for (auto result = results.rbegin(); result != results.rend(); ++result)
    EXPECT_TRUE(act(*client, *result).empty());
  EXPECT_EQ(client->remark(),
            "task 1 of n_queens-1 done: 64; n_queens-1: 10/10 done; n_queens-1 is finished: 724");
  EXPECT_EQ(client->news(), "n_queens-1 is finished: 724");
  EXPECT_EQ(client->receive(results[0], "").verdict, Verdict::kIgnore) << "delivered again";
  EXPECT_EQ(client->receive("nonsense", "").verdict, Verdict::kUnreadable);
}

TEST_F(ProjectClientTest, StartedAgainItGoesOnAndSendsOnlyWhatHasNotReachedItsQueue) {
  const RoleSpec order = spec({{"cmd", "echo"}, {"tasks", 3U}});
  {
    const auto client = make_behaviour({order, "c", "."});
    EXPECT_FALSE(std::filesystem::exists(folder_ / "projects.json"))
        << "what is only checked leaves no trace";
    client->begin();
    const auto tasks = client->opening();
    client->settled(tasks[0], true);
    client->settled(tasks[1], false);  // returned: no queue
    EXPECT_THROW(make_behaviour({order, "c2", "."})->begin(), Error) << "a second client on the same lists";
  }
  const auto client = make_behaviour({order, "c", "."});
  EXPECT_EQ(client->begin(), "goes on with what is unfinished, 2 tasks to send");
  EXPECT_EQ(client->opening().size(), 2U);
}

TEST_F(ProjectClientTest, ANamedProjectIsOrderedOnce) {
  const RoleSpec order = spec({{"id_projet", "mine"}, {"cmd", "echo"}, {"tasks", 1U}});
  { EXPECT_EQ(make_behaviour({order, "c", "."})->begin(), "ordered mine, 1 tasks"); }
  {
    const auto client = make_behaviour({order, "c", "."});
    EXPECT_EQ(client->begin(), "goes on: mine: 0/1 done");
    act(*client, R"({"id_projet":"mine","id_task":1,"result":"x"})");
  }
  EXPECT_EQ(make_behaviour({order, "c", "."})->begin(), "mine is finished already: \"x\"");
}

TEST_F(ProjectClientTest, AwaitsTasksThatSomebodyElsePublishes) {
  std::ofstream(folder_ / "tasks.jsonl") << kEcho << "\n\n";
  std::ofstream(folder_ / "broken.jsonl") << kEcho << "\n{}\n";
  const RoleSpec spec = spec_of("project_client", {{"tasks", "tasks.jsonl"}});
  const auto client = make_behaviour({spec, "c", folder_});
  client->begin();
  EXPECT_TRUE(client->opening().empty());
  act(*client, R"({"id_projet":"p","id_task":1,"result":"x"})");
  EXPECT_THAT(client->remark(), HasSubstr("p is finished: \"x\""));
  for (const char* file : {"broken.jsonl", "missing.jsonl"}) {
    const RoleSpec wrong = spec_of("project_client", {{"tasks", file}});
    EXPECT_THROW(make_behaviour({wrong, "c", folder_}), Error);
  }
}

// What has been published stays in order, waits for a writable channel, and is told once the broker decided.
TEST(Opening, TellsInOrderWhatBecameOfEach) {
  struct Greeter final : Behaviour {
    std::vector<Outgoing> opening() override { return {{0, "", "a"}, {0, "", "b"}, {0, "", "c"}}; }
    void settled(const Outgoing& message, bool reached) override {
      told += message.body + (reached ? "+" : "-");
    }
    Reaction receive(std::string_view, std::string_view) override { return {}; }
    std::vector<Outgoing> finish(const Reaction&, std::string_view) override { return {}; }
    std::string told;
  } greeter;
  std::vector<PublishRecord> records(3);
  std::string published;
  int room = 2;
  Opening opening(greeter);
  const auto go_on = [&] {
    opening.go_on([&] { return room > 0; },
                  [&](const Outgoing& message) -> const PublishRecord& {
                    --room;
                    published += message.body;
                    return records[published.size() - 1];
                  });
  };
  opening.begin();
  go_on();
  EXPECT_EQ(published, "ab");
  records[1].settled_ns = 5;
  records[1].outcome = kConfirmed | kReturned;
  opening.tell();
  EXPECT_EQ(greeter.told, "");
  records[0].settled_ns = 6;
  records[0].outcome = kConfirmed;
  opening.tell();
  opening.tell();
  EXPECT_EQ(greeter.told, "a+b-");
  room = 9;
  go_on();
  EXPECT_EQ(published, "abc");
}

}  // namespace
}  // namespace brokerlab
