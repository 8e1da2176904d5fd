#include "roles/task_process.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace brokerlab {
namespace {

constexpr Nanoseconds kLimit = 60 * kNanosecondsPerSecond;
const MonotonicClock kClock;

TaskProcessEnd shell(const char* script, std::string_view input = "", Nanoseconds limit = kLimit) {
  return TaskProcess("/bin/sh", {"-c", script}, kClock, limit).run(input);
}

TEST(TaskProcess, TakesItsTaskAndGivesItsResult) {
  const auto end = shell("read line; echo \"<$line>\"", "the task\n");
  EXPECT_EQ(end.failure, "");
  EXPECT_EQ(end.output, "<the task>\n");
  EXPECT_GT(end.pid, 0);
}

TEST(TaskProcess, LargeTasksAndResultsDoNotBlockEachOther) {
  const std::string large(std::size_t{4} << 20, 'x');
  const auto end = TaskProcess("/bin/cat", {}, kClock, kLimit).run(large);
  EXPECT_EQ(end.failure, "");
  EXPECT_TRUE(end.output == large);
}

TEST(TaskProcess, OneThatDoesNotReadIsNoObstacle) {
  EXPECT_EQ(shell("exec <&-; echo done", std::string(std::size_t{4} << 20, 'x')).output, "done\n");
}

TEST(TaskProcess, ADeathIsTold) {
  EXPECT_EQ(shell("kill -9 $$").failure, "was ended by signal 9");
  EXPECT_EQ(shell("echo half; exit 3").failure, "ended with status 3");
  EXPECT_NE(TaskProcess("/nonexistent", {}, kClock, kLimit).run("").failure, "");
}

TEST(TaskProcess, HasALimit) {
  const auto end = shell("exec sleep 600", "", kNanosecondsPerSecond / 5);
  EXPECT_EQ(end.failure, "was ended after 200 ms");
  EXPECT_EQ(kill(end.pid, 0), -1) << "it is gone, and no zombie";
  EXPECT_EQ(shell("exec >&- <&-; exec sleep 600", "", kNanosecondsPerSecond / 5).failure,
            "was ended after 200 ms");
}

}  // namespace
}  // namespace brokerlab
