// The command line as a user meets it: the README's commands, what is printed where, and secrets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/system/program.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Every command of the binary in the README's shell blocks, in order, without its comment.
std::vector<std::string> readme_commands() {
  std::vector<std::string> commands;
  std::ifstream readme(std::string(BROKERLAB_SOURCE_DIR) + "/README.md");
  for (std::string line; std::getline(readme, line);) {
    if (line.find("build/cli/brokerlab ") == std::string::npos || line.starts_with("|")) continue;
    commands.push_back(line.substr(0, line.find(" #")));
  }
  return commands;
}

void replace(std::string& text, const std::string& from, const std::string& to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
}

TEST(CommandLine, ReadmeCommandsWork) {
  const ScratchFolder folder;
  // One broker for all of them instead of a private one each: they are the same commands, only quicker.
  setenv("BROKERLAB_BROKER", shared_broker().c_str(), 1);
  // Brokers that somebody has started by hand on this machine are none of theirs.
  const std::filesystem::path runtime = folder.path() / "runtime";
  std::filesystem::create_directory(runtime);
  setenv("XDG_RUNTIME_DIR", runtime.c_str(), 1);
  const std::vector<std::string> commands = readme_commands();
  EXPECT_GT(commands.size(), 10U);
  for (std::string command : commands) {
    replace(command, "amqp://user:password@broker.example:5672/", shared_broker());
    // A role runs until Ctrl-C.
    if (command.starts_with("build/cli/brokerlab role"))
      command = "timeout --preserve-status -s INT 3 " + command;
    replace(command, "build/cli/brokerlab", BROKERLAB_PROGRAM);
    const std::string shell = "cd '" + folder.path().string() + "' && " + command + " >output.txt 2>&1";
    EXPECT_EQ(std::system(shell.c_str()), 0) << command << "\n" << text_of(folder.path() / "output.txt");
  }
  unsetenv("BROKERLAB_BROKER");
  unsetenv("XDG_RUNTIME_DIR");
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "busy.png"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "report.html"));
}

TEST(CommandLine, CommandsOfTheRolesPageWork) {
  const ScratchFolder folder;
  folder.write("tasks.csv", "first,task.\nsecond,task..\n");
  setenv("BROKERLAB_BROKER", shared_broker().c_str(), 1);
  std::ifstream page(std::string(BROKERLAB_SOURCE_DIR) + "/docs/roles.md");
  int commands = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("brokerlab ")) continue;
    ++commands;
    // Those that have no end get their Ctrl-C.
    std::string command = "timeout --preserve-status -s INT 3 " + line.substr(0, line.find(" #"));
    replace(command, "brokerlab", BROKERLAB_PROGRAM);
    const std::string shell =
        "cd '" + folder.path().string() + "' && " + command + " </dev/null >output.txt 2>&1";
    EXPECT_EQ(std::system(shell.c_str()), 0) << command << "\n" << text_of(folder.path() / "output.txt");
  }
  unsetenv("BROKERLAB_BROKER");
  EXPECT_GE(commands, 7);
}

// Each is what a user of PerfTest would type. All are understood; the first is run.
TEST(CommandLine, CommandsOfThePerftestPageWork) {
  const ScratchFolder folder;
  std::ifstream page(std::string(BROKERLAB_SOURCE_DIR) + "/docs/coming-from-perftest.md");
  int commands = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("brokerlab load ")) continue;
    const bool run = ++commands == 1;
    std::string command = line + (run ? " --json" : " --dry-run");
    replace(command, "brokerlab", BROKERLAB_PROGRAM);
    setenv("BROKERLAB_BROKER", shared_broker().c_str(), 1);
    const std::string shell =
        "cd '" + folder.path().string() + "' && " + command + " >output.txt 2>errors.txt";
    EXPECT_EQ(std::system(shell.c_str()), 0) << command << "\n" << text_of(folder.path() / "errors.txt");
    unsetenv("BROKERLAB_BROKER");
    if (!run) continue;
    const Json result = Json::parse(text_of(folder.path() / "output.txt"), nullptr, false);
    ASSERT_TRUE(result.is_object());
    EXPECT_EQ(result.at("runs").at(0).at("ledger").at("lost"), 0);
    EXPECT_EQ(result.at("runs").at(0).at("ledger").at("published"), 4000);
    EXPECT_TRUE(result.at("runs").at(0).at("latency").at("end_to_end").at("p99_ns").is_number());
  }
  EXPECT_GE(commands, 8);
}

// Every variant is compared with the first, and so is the first with itself: what differs there is chance.
TEST(CommandLine, AaRunsTheFirstVariantAgainstItself) {
  const ScratchFolder folder;
  folder.write("one.json", R"({
    "name": "one", "topology": {"queues": [{"name": "q"}]},
    "load": [{"name": "l", "arrivals": {"process": "poisson", "rate": 200}, "publish": {"routing_key": "q"}}],
    "roles": [{"role": "w", "consume": {"queue": "q"}, "effort": {"kind": "sleep", "seconds": "2ms"}}],
    "phases": {"measure": "300ms"}
  })");
  const auto run = [&](const char* repetitions, const char* how) {
    return run_program({"run", "one.json", "--aa", "--repeat", repetitions, "--broker", "simulated", how},
                       folder.path());
  };
  const ProgramResult enough = run("6", "--json");
  ASSERT_EQ(enough.status, 0) << enough.err;
  const Json result = Json::parse(enough.out);
  EXPECT_EQ(result.at("runs").size(), 12U) << "A and A again, six times each";
  const Json aa = result.at("comparison").at("aa");
  EXPECT_EQ(aa.at("baseline"), "default");
  EXPECT_EQ(aa.at("trials"), 6);
  const ProgramResult few = run("2", "--dry-run");
  EXPECT_EQ(few.status, 0);
  EXPECT_NE(few.err.find("--repeat 6"), std::string::npos) << few.err;
}

// The run is over as soon as it is lost, and so are those that would have followed.
TEST(CommandLine, AThresholdMayEndARunEarly) {
  const ScratchFolder folder;
  folder.write("early.json", R"({
    "name": "early", "topology": {"queues": [{"name": "q"}]},
    "load": [{"name": "l", "arrivals": {"process": "constant", "rate": 200}, "publish": {"routing_key": "q"}}],
    "roles": [{"role": "w", "consume": {"queue": "q"}}],
    "phases": {"measure": "100s"},
    "thresholds": [{"expression": "ledger.published < 50", "abort": true}],
    "repetitions": 3
  })");
  const ProgramResult program =
      run_program({"run", "early.json", "--broker", shared_broker(), "--json"}, folder.path(), {}, 40);
  EXPECT_EQ(program.status, 99) << program.err;
  const Json result = Json::parse(program.out);
  EXPECT_EQ(result.at("aborted"), true);
  ASSERT_EQ(result.at("runs").size(), 1U);
  const Json& run = result.at("runs").at(0);
  EXPECT_NE(run.at("stopped_by").get<std::string>().find("ledger.published < 50"), std::string::npos);
  EXPECT_EQ(run.at("verdict").at("status"), "unknown");
  EXPECT_GE(run.at("ledger").at("published"), 50);
  EXPECT_EQ(run.at("ledger").at("lost"), 0) << "what was published is still consumed";
  EXPECT_EQ(result.at("thresholds").at(0).at("stopped"), true);
}

// The experiment that the options mean is a file like any other.
TEST(CommandLine, AWorkloadCanBeSavedAsAnExperiment) {
  const ScratchFolder folder;
  EXPECT_EQ(
      run_program({"load", "-x", "2", "-qp", "w-%d", "-qpt", "2", "-r", "9", "--save-experiment", "e.json"},
                  folder.path())
          .status,
      0);
  EXPECT_EQ(run_program({"validate", "e.json"}, folder.path()).status, 0);
  const ProgramResult mixed = run_program({"load", "student", "-x", "2"}, folder.path());
  EXPECT_EQ(mixed.status, 2);
  EXPECT_THAT(mixed.err, HasSubstr("--producers"));
}

TEST(CommandLine, StandardOutputHasOnlyTheResult) {
  const ScratchFolder folder;
  const ProgramResult result =
      run_program({"run", "known-answers/a4", "--broker", shared_broker(), "--json"}, folder.path());
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(Json::parse(result.out, nullptr, false).is_object());
  EXPECT_THAT(result.err, Not(HasSubstr("\x1b")));  // plain lines in a pipe
}

TEST(CommandLine, MissedThresholdExits99) {
  const ScratchFolder folder;
  folder.write("late.json", R"({
    "name": "late", "topology": {"queues": [{"name": "q"}]},
    "load": [{"name": "publisher", "publish": {"routing_key": "q"}, "stop": {"count": 20}}],
    "roles": [{"role": "worker", "consume": {"queue": "q"}}],
    "phases": {"measure": "2s"}, "thresholds": ["end_to_end.p50 < 1ns"]})");
  const ProgramResult result = run_program({"run", "late.json", "--broker", shared_broker()}, folder.path());
  EXPECT_EQ(result.status, 99) << result.out << result.err;
}

TEST(CommandLine, DryRunTouchesNothing) {
  const ScratchFolder folder;
  const ProgramResult result = run_program({"run", "work-queue", "--dry-run"}, folder.path());
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("task_queue"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(CommandLine, NoSecretInAnyArtefact) {
  const ScratchFolder folder;
  int looks = 0;
  std::string command_line;  // as others on the machine see it once the program is under way
  const ProgramResult result =
      run_program({"run", "known-answers/a4", "--broker", shared_broker()}, folder.path(), [&](int pid) {
        if (++looks == 5) command_line = text_of("/proc/" + std::to_string(pid) + "/cmdline");
      });
  ASSERT_EQ(result.status, 0) << result.err;
  const std::string& uri = shared_broker();
  const auto at = uri.find('@');
  const auto colon = uri.find(':', uri.find("//"));
  const std::string password = uri.substr(colon + 1, at - colon - 1);
  ASSERT_GT(password.size(), 8U);
  EXPECT_THAT(result.out + result.err, Not(HasSubstr(password)));
  EXPECT_THAT(command_line, HasSubstr("amqp://"));
  EXPECT_THAT(command_line, Not(HasSubstr(password)));
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    EXPECT_THAT(text_of(entry.path()), Not(HasSubstr(password))) << entry.path();
  }
  EXPECT_GT(files, 3);
}

}  // namespace
}  // namespace brokerlab
