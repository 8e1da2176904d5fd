#include "analysis/history.h"

#include <gmock/gmock.h>

#include "tests/analysis/recorded_fixture.h"

namespace brokerlab {
namespace {

class History : public RecordedFixture {
 protected:
  std::vector<Json> lines() {
    close({"worker-0"});
    const RecordedRun run(RunEvidence::from_json(evidence), folder);
    std::vector<Json> lines;
    write_history(run, [&](std::string_view line) {
      EXPECT_EQ(line.back(), '\n');
      lines.push_back(Json::parse(line));
    });
    return lines;
  }
  // "ok publish 3 confirmed", for every line but the first.
  static std::vector<std::string> short_forms(const std::vector<Json>& lines) {
    std::vector<std::string> forms;
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const Json& line = lines[i];
      std::string form = line["type"].get<std::string>() + " " + line["f"].get<std::string>();
      if (line.contains("sequence")) form += " " + line["sequence"].dump();
      for (const char* key : {"outcome", "event"})
        if (line.contains(key)) form += " " + line[key].get<std::string>();
      forms.push_back(form);
    }
    return forms;
  }
};

TEST_F(History, IsInTheOrderOfTimeWithTheFaultInItsPlace) {
  RecordingWriter& emitter = load();
  RecordingWriter& worker = role("worker-0", 0);
  RecordingWriter& next = role("worker-0-r1", 0);
  publish(emitter, 0, 0);                    // sent at 0.001 ms, confirmed at 1.001 ms
  publish(emitter, 1, 10 * kMs, kReturned);  // back at 11.001 ms
  publish(emitter, 2, 12 * kMs, 0);
  deliver(worker, 0, 0, 2 * kMs, 0, Settlement::kNone).done_ns = 0;
  deliver(next, 0, 0, 30 * kMs, 0, Settlement::kAcked, kRedelivered);
  evidence["processes"][1]["ended_by"] = "fault";
  evidence["faults"] = {{{"kind", "kill"},
                         {"target", "worker"},
                         {"processes", {"worker-0"}},
                         {"started_ns", kStart + 20 * kMs},
                         {"ended_ns", kStart + 25 * kMs}}};
  const std::vector<Json> all = lines();
  EXPECT_THAT(short_forms(all),
              testing::ElementsAre("invoke publish 0", "ok publish 0 confirmed", "invoke handle 0",
                                   "invoke publish 1", "fail publish 1 returned", "invoke publish 2",
                                   "info fault start", "info fault end", "invoke handle 0",
                                   "ok handle 0 acked", "info publish 2 undecided", "info handle 0 undone"));
  EXPECT_EQ(all[1]["time_ns"], 1000);
  EXPECT_EQ(all[1]["routing_key"], "tasks");
  EXPECT_EQ(all[3]["queue"], "tasks");
  EXPECT_EQ(all[7]["target"], "worker-0");
  EXPECT_EQ(all[9]["redelivered"], true);
}

TEST_F(History, MergesManyProcessesByTime) {
  RecordingWriter& one = load("emitter-0", 0);
  RecordingWriter& other = load("emitter-1", 1);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    publish(one, i, i * 1000, kConfirmed, 10);
    publish(other, i, i * 1000 + 500, kUnconfirmedByDesign, 10);
  }
  close();
  const RecordedRun run(RunEvidence::from_json(evidence), folder);
  Nanoseconds last = 0;
  std::size_t count = 0;
  write_history(run, [&](std::string_view line) {
    if (line.find("time_ns") == std::string_view::npos) return;
    const Nanoseconds at = std::strtoll(line.data() + line.find(':') + 1, nullptr, 10);
    ASSERT_GE(at, last);
    last = at;
    ++count;
  });
  EXPECT_EQ(count, 80'000u);
}

TEST_F(History, NamesAreText) {
  RecordingWriter& emitter = load();
  publish(emitter, 0, 0);
  evidence["processes"][0]["name"] = "\"><script>\n";
  const std::vector<Json> all = lines();
  EXPECT_EQ(all[1]["process"], "\"><script>\n");
}

}  // namespace
}  // namespace brokerlab
