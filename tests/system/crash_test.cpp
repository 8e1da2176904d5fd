// Crashes with known answers, on a real broker (docs/metrics.md, "Known answers"): A6, and what the
// experiments about durable queues and dead letters claim. BROKERLAB_FULL_KNOWN_ANSWERS=1 asks for the
// full form: twenty rounds of A6 instead of two.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <sstream>

#include "core/clock.h"
#include "tests/system/program.h"

namespace brokerlab {
namespace {

std::int64_t count(const Json& run, const char* pointer) {
  const Json::json_pointer at(pointer);
  if (!run.contains(at) || !run[at].is_number_integer()) {
    ADD_FAILURE() << pointer << " is not measured";
    return -1;
  }
  return run[at].get<std::int64_t>();
}

// On a private broker of the program's own: the tests' shared one must not be broken.
Json run_on_a_broker_of_its_own(const std::vector<std::string>& words, const ScratchFolder& folder,
                                int limit_s = 250) {
  std::vector<std::string> arguments = {"run", "--json", "--quiet"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  const ProgramResult program = run_program(arguments, folder.path(), {}, limit_s);
  EXPECT_EQ(program.status, 0) << program.err;
  Json result = Json::parse(program.out, nullptr, false);
  EXPECT_TRUE(result.is_object()) << program.out << program.err;
  return result;
}

void expect_balance(const Json& run) {
  EXPECT_EQ(run["verdict"]["status"], "valid") << run["verdict"].dump();
  for (const Json& law : run["ledger"]["laws"]) EXPECT_TRUE(law["ok"]) << law.dump();
  EXPECT_EQ(count(run, "/ledger/unexpected"), 0);
}

TEST(Crash, A6NothingThatWasConfirmedIsMissingAfterTheBrokerWasKilled) {
  const bool full = std::getenv("BROKERLAB_FULL_KNOWN_ANSWERS") != nullptr;
  const int rounds = full ? 20 : 2;
  const ScratchFolder folder;
  const Json result =
      run_on_a_broker_of_its_own({"broker-crash", "--variant", "classic", "--repeat", std::to_string(rounds)},
                                 folder, full ? 1500 : 250);
  std::int64_t confirmed = 0, unknown = 0, recovered = 0, duplicates = 0;
  for (const Json& run : result["runs"]) {
    SCOPED_TRACE(run["repetition"].dump());
    expect_balance(run);
    EXPECT_EQ(count(run, "/ledger/lost"), 0);
    EXPECT_GT(count(run, "/ledger/redelivered_flag"), 0) << "nothing waited: it was no test";
    confirmed += count(run, "/ledger/confirmed");
    unknown += count(run, "/ledger/unknown");
    recovered += count(run, "/ledger/recovered");
    duplicates += count(run, "/ledger/duplicates");
    // Downtime is an interval of each process, and every one of them came back.
    EXPECT_GE(run["downtime"].size(), 3U);
    for (const Json& interval : run["downtime"]) EXPECT_TRUE(interval.contains("to_ns")) << interval.dump();
  }
  EXPECT_EQ(result["runs"].size(), static_cast<std::size_t>(rounds));
  printf("A6: %d rounds, confirmed %ld, lost 0, undecided %ld, of these arrived %ld, delivered again %ld\n",
         rounds, static_cast<long>(confirmed), static_cast<long>(unknown), static_cast<long>(recovered),
         static_cast<long>(duplicates));
}

TEST(Crash, D3PersistentMessagesOutliveARestartAndTransientOnesOnlyInAQuorumQueue) {
  const ScratchFolder folder;
  const Json result = run_on_a_broker_of_its_own({"durable-queue"}, folder);
  for (const char* variant :
       {"classic,persistent", "classic,transient", "quorum,persistent", "quorum,transient"}) {
    SCOPED_TRACE(variant);
    const Json run = run_of(result, variant);
    expect_balance(run);
    EXPECT_EQ(count(run, "/recovery/0/unacked"), count(run, "/recovery/0/unacked_redelivered"))
        << "the others took over what the stopped receiver held";
    EXPECT_GT(run["fairness"]["consumers"][0]["messages"], 0);
    if (std::string(variant) == "classic,transient") {
      EXPECT_GT(count(run, "/ledger/lost"), 0);
      EXPECT_EQ(count(run, "/ledger/lost"), count(run, "/ledger/lost_by_design"));
    } else {
      EXPECT_EQ(count(run, "/ledger/lost"), 0);
    }
  }
}

TEST(Crash, DeadLettersHaveTheirReasonAndNoneIsMissing) {
  const Json result = run_experiment_file("dead-letter", {"--quick"});
  const std::map<std::string, std::string> reasons = {{"rejected", "rejected"},
                                                      {"expired", "expired"},
                                                      {"maxlen", "maxlen"},
                                                      {"delivery-limit", "delivery_limit"}};
  for (const auto& [variant, reason] : reasons) {
    SCOPED_TRACE(variant);
    const Json run = run_of(result, variant);
    expect_balance(run);
    const std::int64_t dead = count(run, "/ledger/dead_lettered");
    EXPECT_GT(dead, 0);
    EXPECT_EQ(run["ledger"]["dead_letters"], Json({{reason, dead}})) << "that reason and no other";
    EXPECT_EQ(count(run, "/ledger/lost"), 0);
    // Of every message it is known where it ended: with the worker, or with the undertaker.
    const std::int64_t by_worker = run["fairness"]["consumers"][0]["messages"].get<std::int64_t>();
    const std::int64_t by_undertaker = run["fairness"]["consumers"][1]["messages"].get<std::int64_t>();
    EXPECT_EQ(by_undertaker, dead);
    const std::int64_t rejected = reason == "rejected" ? dead : 0;
    EXPECT_EQ(by_worker - rejected + by_undertaker, count(run, "/ledger/published"));
    if (reason == "delivery_limit") {
      EXPECT_EQ(count(run, "/ledger/requeued"), 3 * dead) << "limit 2";
    }
  }
}

// The history as a person gets it: every operation begins and ends, and the fault stands among them in its
// place.
TEST(Crash, TheHistoryIsExportedAsLines) {
  const ScratchFolder folder;
  const ProgramResult ran = run_program(
      {"run", "known-answers/a2", "--broker", shared_broker(), "--quiet", "--out", folder.path().string()},
      folder.path());
  ASSERT_EQ(ran.status, 0) << ran.err;
  const auto run_folder = std::filesystem::directory_iterator(folder.path() / "a2")->path();
  const ProgramResult exported =
      run_program({"export", run_folder.string(), "--format", "history"}, folder.path());
  ASSERT_EQ(exported.status, 0) << exported.err;
  std::istringstream lines(exported.out);
  std::map<std::string, int> counts;
  Nanoseconds last = -kNanosecondsPerSecond;
  for (std::string line; std::getline(lines, line);) {
    const Json entry = Json::parse(line, nullptr, false);
    ASSERT_TRUE(entry.is_object()) << line;
    if (entry["type"] == "run") continue;
    ++counts[entry["f"].get<std::string>() + " " + entry["type"].get<std::string>()];
    EXPECT_GE(entry["time_ns"].get<Nanoseconds>(), last) << line;
    last = entry["time_ns"].get<Nanoseconds>();
    if (entry["f"] == "fault" && entry["event"] == "start") {
      EXPECT_EQ(counts["handle ok"], 20) << "done before the kill";
    }
  }
  EXPECT_EQ(counts["publish invoke"], 100);
  EXPECT_EQ(counts["publish ok"], 100);
  EXPECT_EQ(counts["handle invoke"], 100);
  EXPECT_EQ(counts["handle ok"], 20);
  EXPECT_EQ(counts["handle info"], 80);
  EXPECT_EQ(counts["fault info"], 2);
}

}  // namespace
}  // namespace brokerlab
