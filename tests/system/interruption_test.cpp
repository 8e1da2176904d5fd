// Ctrl-C, twice, and SIGKILL of the controller.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <thread>

#include "broker/journal.h"
#include "core/clock.h"
#include "core/recording.h"
#include "tests/system/program.h"

namespace brokerlab {
namespace {

constexpr char kExperiment[] = R"({
  "name": "long",
  "topology": {"queues": [{"name": "q"}]},
  "load": [{"name": "publisher", "arrivals": {"process": "constant", "rate": 500}, "publish": {"routing_key": "q"}}],
  "roles": [{"role": "worker", "consume": {"queue": "q"}}],
  "phases": {"measure": "60s", "drain": "10s"}
})";

std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == name) return entry.path();
  }
  return {};
}

// Calls `strike` once the load has been running for about a second.
class AfterASecondOfLoad {
 public:
  AfterASecondOfLoad(const std::filesystem::path& folder, std::function<void(int)> strike)
      : folder_(folder), strike_(std::move(strike)) {}
  void operator()(int pid) {
    if (struck_ || (started_ns_ == 0 && find_file(folder_, "publisher-0.rec").empty())) return;
    if (started_ns_ == 0) started_ns_ = clock_.now();
    if (clock_.now() - started_ns_ < 3 * kNanosecondsPerSecond / 2) return;
    struck_ = true;
    strike_(pid);
  }

 private:
  MonotonicClock clock_;
  std::filesystem::path folder_;
  std::function<void(int)> strike_;
  Nanoseconds started_ns_ = 0;
  bool struck_ = false;
};

TEST(Interruption, FirstCtrlCDrainsAndWritesAPartialResult) {
  const ScratchFolder folder;
  folder.write("long.json", kExperiment);
  const ProgramResult result =
      run_program({"run", "long.json", "--broker", shared_broker(), "--json"}, folder.path(),
                  AfterASecondOfLoad(folder.path(), [](int pid) { kill(pid, SIGINT); }));
  EXPECT_EQ(result.status, 105) << result.err;
  const Json saved = Json::parse(result.out);
  EXPECT_EQ(saved["aborted"], true);
  const Json ledger = run_of(saved)["ledger"];
  EXPECT_GT(ledger["published"].get<int>(), 100);
  EXPECT_LT(ledger["published"].get<int>(), 20000);
  EXPECT_EQ(ledger["published"], ledger["unique"]);  // drained before the end
  EXPECT_EQ(ledger["lost"], 0);
}

TEST(Interruption, SecondCtrlCEndsAtOnceAndStillWritesTheResult) {
  const ScratchFolder folder;
  Json slow = Json::parse(kExperiment);
  slow["roles"][0]["effort"] = {{"kind", "sleep"}, {"seconds", 0.5}};  // so that the drain would take long
  folder.write("long.json", slow.dump());
  const MonotonicClock clock;
  Nanoseconds struck_ns = 0;
  const ProgramResult result = run_program({"run", "long.json", "--broker", shared_broker(), "--json"},
                                           folder.path(), AfterASecondOfLoad(folder.path(), [&](int pid) {
                                             kill(pid, SIGINT);
                                             std::this_thread::sleep_for(std::chrono::milliseconds(300));
                                             kill(pid, SIGINT);
                                             struck_ns = clock.now();
                                           }));
  EXPECT_EQ(result.status, 105) << result.err;
  EXPECT_LT(clock.now() - struck_ns, 8 * kNanosecondsPerSecond);  // the drain alone would have taken ten
  EXPECT_EQ(Json::parse(result.out)["aborted"], true);
}

TEST(Interruption, CtrlCWhileTheBrokerBootsLeavesNothing) {
  const ScratchFolder folder;
  folder.write("long.json", kExperiment);
  bool struck = false;
  int ticks = 0;
  const ProgramResult result = run_program({"run", "long.json"}, folder.path(), [&](int pid) {
    if (!struck && ++ticks > 20) struck = kill(pid, SIGINT) == 0;
  });
  EXPECT_EQ(result.status, 105) << result.err;
  EXPECT_TRUE(find_file(folder.path(), "result.json").empty());
}

TEST(Interruption, SigkillOfTheControllerLeavesNoProcessAndAReadableRecording) {
  const ScratchFolder folder;
  folder.write("long.json", kExperiment);
  BrokerRecord record;
  const ProgramResult result =
      run_program({"run", "long.json"}, folder.path(), AfterASecondOfLoad(folder.path(), [&](int pid) {
                    for (const BrokerRecord& broker : Journal::brokers()) {
                      if (broker.controller.pid == pid) record = broker;
                    }
                    kill(pid, SIGKILL);
                  }));
  EXPECT_EQ(result.status, 128 + SIGKILL);
  ASSERT_FALSE(record.processes.empty());
  const MonotonicClock clock;
  const Nanoseconds limit = clock.now() + 15 * kNanosecondsPerSecond;
  const auto anything_left = [&] {
    bool left = record.guard.alive() || std::filesystem::exists(record.directory);
    for (const ProcessIdentity& process : record.processes) left |= process.alive();
    return left;
  };
  while (anything_left() && clock.now() < limit) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(anything_left());

  const RecordingReader recording(find_file(folder.path(), "publisher-0.rec"));
  std::size_t published = 0;
  recording.each_publish([&](std::span<const PublishRecord> records) { published += records.size(); });
  EXPECT_GT(published, 100U);
}

}  // namespace
}  // namespace brokerlab
