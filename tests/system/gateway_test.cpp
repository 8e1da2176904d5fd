// The gateway as a command. What it serves is tested in tests/broker/live and tests/browser.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <fstream>
#include <string>

#include "tests/system/program.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;

// The signals that a process catches, as /proc tells them; 0 when it is gone.
std::uint64_t caught_by(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigCgt:")) return std::stoull(line.substr(7), nullptr, 16);
  }
  return 0;
}

TEST(GatewayCommand, TriesFiveTimesToReachTheBrokerAndSaysEach) {
  const ScratchFolder folder;
  const ProgramResult program =
      run_program({"gateway", "--listen", "127.0.0.1:0", "--broker", "amqp://127.0.0.1:1"}, folder.path());
  EXPECT_EQ(program.status, 1);
  for (const char* each : {"try 1 of 5", "try 2 of 5", "try 3 of 5", "try 4 of 5", "connection refused"}) {
    EXPECT_THAT(program.err, HasSubstr(each));
  }
  EXPECT_THAT(program.out, testing::IsEmpty());
}

TEST(GatewayCommand, CtrlCIsAnOrderlyEndEvenBeforeTheBrokerIsThere) {
  const ScratchFolder folder;
  bool sent = false;
  const auto interrupt = [&](int pid) {
    if (!sent && (caught_by(pid) >> (SIGINT - 1) & 1) != 0) sent = kill(pid, SIGINT) == 0;
  };
  const ProgramResult program = run_program(
      {"gateway", "--listen", "127.0.0.1:0", "--broker", "amqp://127.0.0.1:1"}, folder.path(), interrupt);
  EXPECT_EQ(program.status, 0) << program.err;
  EXPECT_THAT(program.err, HasSubstr("Ctrl-C"));
}

TEST(GatewayCommand, RefusesWhatWouldOpenEveryQueueToTheNetwork) {
  const ScratchFolder folder;
  const ProgramResult program = run_program({"gateway", "--listen", "0.0.0.0:0"}, folder.path());
  EXPECT_EQ(program.status, 2);
  EXPECT_THAT(program.err, HasSubstr("token"));
  EXPECT_EQ(run_program({"gateway", "--listen", "nonsense"}, folder.path()).status, 2);
  EXPECT_EQ(run_program({"gateway", "--broker", "nonsense"}, folder.path()).status, 2);
}

}  // namespace
}  // namespace brokerlab
