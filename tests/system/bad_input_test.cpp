// Every wrong input gets a message that says what, where and what to do, the documented exit status, and
// loses nothing that was measured.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>

#include "broker/cleanup.h"
#include "tests/system/program.h"

namespace brokerlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A small experiment that is right; tests break one thing of it.
Json experiment() {
  return Json::parse(R"({
    "name": "probe",
    "topology": {
      "exchanges": [{"name": "in", "type": "direct"}],
      "queues": [{"name": "q"}],
      "bindings": [{"exchange": "in", "queue": "q", "routing_key": "k"}]
    },
    "load": [{"name": "publisher", "arrivals": {"process": "constant", "rate": 200},
              "publish": {"exchange": "in", "routing_key": "k"}}],
    "roles": [{"role": "worker", "consume": {"queue": "q"}}],
    "phases": {"measure": "1s", "drain": "5s"}
  })");
}

ProgramResult run_file(const std::string& text, std::vector<std::string> more = {}) {
  const ScratchFolder folder;
  folder.write("probe.json", text);
  std::vector<std::string> arguments = {"run", "probe.json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments, folder.path());
}

TEST(BadInput, BrokenJson) {
  const ProgramResult result = run_file("{\n  \"name\": \"probe\",\n  \"load\": [\n}\n");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("probe.json:4"));
}

TEST(BadInput, UnknownKeyNamesTheNearest) {
  Json wrong = experiment();
  wrong["roles"][0]["consume"]["prefech"] = 1;
  const ProgramResult result = run_file(wrong.dump(2));
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("probe.json:"), HasSubstr("/roles/0/consume/prefech"), HasSubstr("prefetch")));
}

TEST(BadInput, NegativeRate) {
  Json wrong = experiment();
  wrong["load"][0]["arrivals"]["rate"] = -5;
  const ProgramResult result = run_file(wrong.dump(2));
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("/load/0/arrivals/rate"));
}

TEST(BadInput, RoleConsumesFromUndeclaredQueue) {
  Json wrong = experiment();
  wrong["roles"][0]["consume"]["queue"] = "qq";
  const ProgramResult result = run_file(wrong.dump(2));
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("/roles/0/consume/queue"), HasSubstr("qq")));
}

TEST(BadInput, UnknownOptionIsWrongUsage) {
  const ScratchFolder folder;
  const ProgramResult result = run_program({"run", "quickstart", "--no-such-option"}, folder.path());
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
}

TEST(BadInput, UnknownExperimentNamesTheNearest) {
  const ScratchFolder folder;
  const ProgramResult result = run_program({"run", "quickstrat"}, folder.path());
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("quickstart"));
}

TEST(BadInput, ExchangeOfUnknownType) {
  Json wrong = experiment();
  wrong["topology"]["exchanges"][0]["type"] = "x-nonsense";
  const ProgramResult result = run_file(wrong.dump(2), {"--broker", shared_broker()});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("x-nonsense"));
}

TEST(BadInput, ExchangeTypeWhosePluginIsNotEnabledNamesThePlugin) {
  Json wrong = experiment();
  wrong["topology"]["exchanges"][0]["type"] = "x-random";
  const ProgramResult result = run_file(wrong.dump(2), {"--broker", shared_broker()});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("rabbitmq_random_exchange"));
}

TEST(BadInput, WrongPasswordIsRefusedAndNotShown) {
  std::string uri = shared_broker();
  const auto at = uri.find('@');
  const auto colon = uri.find(':', uri.find("//"));
  uri.replace(colon + 1, at - colon - 1, "canary-of-a-password");
  const ProgramResult result = run_file(experiment().dump(2), {"--broker", uri});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("refused"));
  EXPECT_THAT(result.out + result.err, testing::Not(HasSubstr("canary-of-a-password")));
}

TEST(BadInput, NoBrokerAtThePort) {
  const ProgramResult result =
      run_file(experiment().dump(2), {"--broker", "amqp://guest:guest@127.0.0.1:1/"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("127.0.0.1:1"));
}

TEST(BadInput, ResultsFolderCannotBeWritten) {
  const ProgramResult result =
      run_file(experiment().dump(2), {"--broker", shared_broker(), "--out", "/proc/no-folder"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("/proc/no-folder"), HasSubstr("--out")));
}

TEST(BadInput, BodyThatIsNoJsonIsCountedAndKillsNoRole) {
  Json mixed = experiment();
  mixed["load"][0]["publish"]["body"] = {{"lines", {"{\"status\": \"submitted\"}", "not json at all"}}};
  mixed["load"][0]["stop"] = {{"count", 20}};
  mixed["roles"][0]["when"] = {{"/status", "submitted"}};
  const ProgramResult result = run_file(mixed.dump(2), {"--broker", shared_broker(), "--json"});
  EXPECT_EQ(result.status, 0) << result.err;
  const Json run = run_of(Json::parse(result.out));
  EXPECT_EQ(run["ledger"]["deliveries"], 20);
  EXPECT_EQ(run["ledger"]["unreadable"], 10);
  EXPECT_EQ(run["ledger"]["lost"], 0);
}

// The pid of the beam whose controller is `controller`.
int beam_of(int controller) {
  const MonotonicClock clock;
  for (const PrivateBrokerStatus& status : private_brokers(clock)) {
    if (status.record.controller.pid != controller) continue;
    for (const ProcessIdentity& process : status.record.processes) {
      std::string name;
      std::ifstream("/proc/" + std::to_string(process.pid) + "/comm") >> name;
      if (name.starts_with("beam")) return process.pid;
    }
  }
  return 0;
}

TEST(BadInput, BrokerThatDiesInMidRunLosesNoMeasurement) {
  Json longer = experiment();
  longer["phases"]["measure"] = "20s";
  const ScratchFolder folder;
  folder.write("probe.json", longer.dump(2));
  bool killed = false;
  std::string seen;
  const ProgramResult result = run_program({"run", "probe.json"}, folder.path(), [&](int pid) {
    if (killed) return;
    // Only once the load is under way: a recording of the load has grown.
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             folder.path(), std::filesystem::directory_options::skip_permission_denied)) {
      if (entry.path().filename() != "publisher-0.rec") continue;
      static int ticks = 0;
      if (++ticks < 40) return;
      const int beam = beam_of(pid);
      ASSERT_GT(beam, 0);
      kill(beam, SIGKILL);
      killed = true;
      return;
    }
  });
  EXPECT_TRUE(killed);
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err, "");
  std::filesystem::path found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (entry.path().filename() == "result.json") found = entry.path();
  }
  ASSERT_FALSE(found.empty()) << result.err;
  const Json saved = read_json_file(found);
  EXPECT_NE(saved["verdict"]["status"], "valid");
  EXPECT_GT(run_of(saved)["ledger"]["unique"].get<int>(), 100);
}

}  // namespace
}  // namespace brokerlab
