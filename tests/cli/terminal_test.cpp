#include "cli/terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/command.h"

namespace brokerlab {
namespace {

RunProgress progress() {
  RunProgress progress;
  progress.run = "work-queue · push (run 1 of 2)";
  progress.stage = "load";
  progress.elapsed_ns = 2'500'000'000;
  progress.planned_ns = 10'000'000'000;
  progress.done_share = 0.25;
  ProgressRow load;
  load.name = "emitter";
  load.is_load = true;
  load.instances = load.processes = load.processes_alive = 1;
  load.messages = 12345;
  ProgressRow role;
  role.name = "worker-with-a-very-long-name";
  role.instances = 3;
  role.processes = 3;
  role.processes_alive = 2;
  progress.rows = {load, role};
  return progress;
}

std::size_t columns_of(const std::string& line) {
  std::size_t columns = 0;
  for (const char c : line) columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return columns;
}

TEST(Terminal, TableFitsTheWidthAndShowsWhoIsAlive) {
  const std::string table = progress_table(progress(), 100, false);
  EXPECT_THAT(table, testing::HasSubstr("12,345"));
  EXPECT_THAT(table, testing::HasSubstr("2/3 alive"));
  EXPECT_THAT(table, testing::HasSubstr("8 s left"));
  for (const int width : {60, 80, 120}) {
    std::istringstream lines(progress_table(progress(), width, false));
    for (std::string line; std::getline(lines, line);)
      EXPECT_LE(columns_of(line), static_cast<std::size_t>(width));
  }
}

TEST(Terminal, ColoursOnlyWhenAskedFor) {
  EXPECT_THAT(progress_table(progress(), 80, false), testing::Not(testing::HasSubstr("\x1b")));
  EXPECT_THAT(progress_table(progress(), 80, true), testing::HasSubstr("\x1b[36m"));
}

TEST(Terminal, NamesCannotMoveTheCursor) { EXPECT_EQ(printable("a\x1b[2Jb\n"), "a?[2Jb?"); }

TEST(CommandLine, OptionsAreEnvironmentVariables) {
  EXPECT_EQ(environment_name("-k,--tls-insecure"), "BROKERLAB_TLS_INSECURE");
  EXPECT_EQ(environment_name("--out"), "BROKERLAB_OUT");
}

}  // namespace
}  // namespace brokerlab
