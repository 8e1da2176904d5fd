#include "roles/project.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "core/error.h"
#include "roles/code_task.h"

namespace brokerlab {
namespace {

Json order_json(const char* text) { return Json::parse(text); }

std::vector<Json> tasks_of(const char* text) {
  return ProjectOrder::from_json(order_json(text)).make_tasks();
}

Json result(const std::string& project, const Json& task, const Json& value) {
  return {{"cmd", "echo"}, {"id_projet", project}, {"id_task", task}, {"state", "done"}, {"result", value}};
}

class ProjectsTest : public testing::Test {
 protected:
  ProjectsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "brokerlab-projects-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~ProjectsTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  std::filesystem::path file() const { return folder_ / "projects.json"; }
};

TEST(ProjectOrder, EchoNamesTaskAndProject) {
  const auto tasks = tasks_of(R"({"id_projet": "demo", "cmd": "echo", "tasks": 2, "url": "http://u/"})");
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[1], Json::parse(R"({"cmd": "echo", "id_projet": "demo", "id_task": 2,
                                      "phrase": "task 2 of project demo", "url": "http://u/"})"));
}

TEST(ProjectOrder, QueensAreSplitByTheFirstOnes) {
  const auto tasks = tasks_of(R"({"id_projet": "q", "cmd": "n_queens", "n": 10, "depth": 2})");
  ASSERT_EQ(tasks.size(), 72U);
  EXPECT_EQ(tasks[0].at("arguments"), Json::parse(R"({"n": 10, "first": [0, 2]})"));
  EXPECT_EQ(tasks[0].at("phrase"), "10 queens, the first in column 1, 3");
  EXPECT_EQ(tasks_of(R"({"cmd": "n_queens", "n": 8})").size(), 8U);
}

TEST(ProjectOrder, WhatCannotBeOrderedIsRefused) {
  for (const char* text :
       {R"(7)", R"({})", R"({"cmd": "rm"})", R"({"cmd": "echo"})", R"({"cmd": "echo", "tasks": 0})",
        R"({"cmd": "echo", "tasks": 2001})", R"({"cmd": "echo", "tasks": "5"})", R"({"cmd": "n_queens"})",
        R"({"cmd": "n_queens", "n": 17})", R"({"cmd": "n_queens", "n": 8, "depth": 5})",
        R"({"cmd": "n_queens", "n": 16, "depth": 4})", R"({"cmd": "n_queens", "n": 2, "depth": 2})",
        R"({"cmd": "n_queens", "n": 8, "dept": 1})", R"({"cmd": "echo", "tasks": 5, "id_projet": 3})"}) {
    EXPECT_THROW(ProjectOrder::from_json(order_json(text)), Error) << text;
  }
}

TEST_F(ProjectsTest, GoFromListToListAndComeTogetherInOrder) {
  Projects projects(file());
  ASSERT_TRUE(projects.order(tasks_of(R"({"id_projet": "p", "cmd": "echo", "tasks": 3})")));
  EXPECT_EQ(projects.standing("p").total, 3U);
  for (const Json& task : Json(projects.to_do())) projects.sent(task);
  EXPECT_TRUE(projects.to_do().empty());
  EXPECT_EQ(projects.take(result("p", 3, "c")), std::nullopt);
  EXPECT_EQ(projects.take(result("p", 1, "a")), std::nullopt);
  EXPECT_EQ(projects.standing("p").done, 2U);
  EXPECT_TRUE(projects.unfinished());
  const auto whole = projects.take(result("p", 2, "b"));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->at("result"), "a\nb\nc");
  EXPECT_EQ(whole->at("results"), Json::parse(R"(["a","b","c"])"));
  EXPECT_EQ(projects.standing("p").done, 3U);
  EXPECT_FALSE(projects.unfinished());
}

TEST_F(ProjectsTest, QueensAddUp) {
  Projects projects({});
  const auto tasks = tasks_of(R"({"id_projet": "q", "cmd": "n_queens", "n": 10})");
  projects.order(tasks);
  std::optional<Json> whole;
  for (auto task = tasks.rbegin(); task != tasks.rend(); ++task) whole = projects.take(carry_out(*task));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->at("result"), 724);
  EXPECT_EQ(whole->at("results"), Json::parse("[64,48,65,93,92,92,93,65,48,64]"));
  EXPECT_EQ(whole->at("tasks"), 10);
}

TEST_F(ProjectsTest, TellWhatFitsAndWhatDoesNot) {
  Projects projects({});
  projects.order(tasks_of(R"({"id_projet": "p", "cmd": "echo", "tasks": 2})"));
  projects.order(tasks_of(R"({"id_projet": "q", "cmd": "n_queens", "n": 8})"));
  using Fit = Projects::Fit;
  EXPECT_EQ(projects.fit(result("p", 1, "x")), Fit::kAwaited) << "even before it is noted as sent";
  EXPECT_EQ(projects.fit(result("p", "1", "x")), Fit::kAwaited);
  EXPECT_EQ(projects.fit(result("p", 3, "x")), Fit::kForeign);
  EXPECT_EQ(projects.fit(result("other", 1, "x")), Fit::kForeign);
  EXPECT_EQ(projects.fit(result("p", 1, nullptr)), Fit::kUnusable);
  EXPECT_EQ(projects.fit(result("q", 1, "four")), Fit::kUnusable);
  EXPECT_EQ(projects.fit(result("q", 1, -4)), Fit::kUnusable);
  EXPECT_EQ(projects.fit(result("q", 1, 4U)), Fit::kAwaited);
  EXPECT_EQ(projects.fit(Json::parse(R"({"id_projet":"p","id_task":1})")), Fit::kUnusable);
  EXPECT_EQ(projects.fit(Json::parse(R"({"id_projet":"p","id_task":1,"result":"a"})")), Fit::kAwaited);
  EXPECT_EQ(projects.fit(Json::parse(R"({"id_projet":"p","id_task":1,"result":"a","state":"sent"})")),
            Fit::kUnusable);
  EXPECT_EQ(projects.fit(Json::parse(R"({"id_projet":"p","id_task":1,"result":"a","state":[]})")),
            Fit::kUnusable);
  EXPECT_EQ(projects.fit(Json::parse("[]")), Fit::kUnusable);
  projects.take(result("p", 1, "x"));
  EXPECT_EQ(projects.fit(result("p", 1, "y")), Fit::kAgain);
  projects.take(result("p", 2, "x"));
  EXPECT_EQ(projects.fit(result("p", 2, "y")), Fit::kAgain) << "after the project's end, too";
}

TEST_F(ProjectsTest, ARefusedTaskLeavesAProjectWithoutAResult) {
  Projects projects({});
  projects.order(tasks_of(R"({"id_projet": "p", "cmd": "echo", "tasks": 2})"));
  projects.take(result("p", 1, "x"));
  Json refused = result("p", 2, "not known");
  refused["state"] = "refused";
  const auto whole = projects.take(refused);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->at("not_done"), 1);
  EXPECT_TRUE(whole->at("result").is_null());
}

TEST_F(ProjectsTest, OneNameOneProject) {
  Projects projects({});
  const auto tasks = tasks_of(R"({"id_projet": "echo-1", "cmd": "echo", "tasks": 1})");
  EXPECT_EQ(projects.fresh_id("echo"), "echo-1");
  EXPECT_TRUE(projects.order(tasks));
  EXPECT_FALSE(projects.order(tasks));
  EXPECT_EQ(projects.fresh_id("echo"), "echo-2");
  projects.take(result("echo-1", 1, "x"));
  EXPECT_FALSE(projects.order(tasks));
}

TEST_F(ProjectsTest, TasksThatSomebodyElseSendsAreInProgressAtOnce) {
  Projects projects({});
  projects.order(tasks_of(R"({"id_projet": "p", "cmd": "echo", "tasks": 2})"), true);
  EXPECT_TRUE(projects.to_do().empty());
  EXPECT_EQ(projects.standing("p").total, 2U);
}

// The client is killed between two changes: nothing that a call has returned from may be gone.
TEST_F(ProjectsTest, SurviveAKilledClientInMidProject) {
  const pid_t client = fork();
  if (client == 0) {
    Projects projects(file());
    projects.order(tasks_of(R"({"id_projet": "p", "cmd": "echo", "tasks": 4})"));
    const Json to_do = projects.to_do();
    for (int i : {0, 1, 2}) projects.sent(to_do[i]);
    projects.take(result("p", 2, "b"));
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(client, &status, 0), client);
  ASSERT_EQ(WTERMSIG(status), SIGKILL);

  Projects projects(file());
  ASSERT_EQ(projects.to_do().size(), 1U);
  EXPECT_EQ(projects.to_do()[0].at("id_task"), 4);
  EXPECT_EQ(projects.standing("p").done, 1U);
  EXPECT_EQ(projects.standing("p").total, 4U);
  for (const auto& [task, text] : {std::pair{4, "d"}, {1, "a"}})
    EXPECT_FALSE(projects.take(result("p", task, text)));
  EXPECT_EQ(projects.take(result("p", 3, "c"))->at("result"), "a\nb\nc\nd");
}

TEST_F(ProjectsTest, AFileHasOneClient) {
  const Projects first(file());
  EXPECT_THROW(Projects second(file()), Error);
  EXPECT_THROW(Projects nowhere(folder_ / "no" / "folder.json"), Error);
}

TEST_F(ProjectsTest, AFileOfSomethingElseIsLeftAlone) {
  for (const char* text :
       {"{}", "[]", "nonsense", R"({"to_do": [7], "in_progress": [], "finished": []})",
        R"({"to_do": [], "in_progress": [{"task": {"id_projet": 1, "id_task": 1}}], "finished": []})",
        R"({"to_do": [], "in_progress": [], "finished": [{"id_projet": "p", "tasks": "x"}]})"}) {
    std::ofstream(file(), std::ios::trunc) << text;
    EXPECT_THROW(Projects projects(file()), Error) << text;
    std::string left;
    std::getline(std::ifstream(file()), left);
    EXPECT_EQ(left, text);
  }
}

}  // namespace
}  // namespace brokerlab
