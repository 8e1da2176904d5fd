#include "broker/lane.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/error.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kMs = 1'000'000;

Toxic toxic(const char* kind, const Json& attributes) {
  return toxic_from_json({{"kind", kind}, {"attributes", attributes}});
}

Lane lane_with(std::vector<Toxic> toxics) {
  Lane lane(1);
  lane.set_toxics(std::move(toxics), 0);
  return lane;
}

std::size_t total(const std::vector<Lane::Slice>& slices) {
  return std::accumulate(slices.begin(), slices.end(), std::size_t{0},
                         [](std::size_t sum, const Lane::Slice& slice) { return sum + slice.bytes; });
}

TEST(Lane, WithoutToxicsAllComesOutAtOnce) {
  Lane lane(1);
  const auto slices = lane.accept(1000, 5 * kMs);
  ASSERT_EQ(slices.size(), 1u);
  EXPECT_EQ(slices[0].bytes, 1000u);
  EXPECT_EQ(slices[0].due_ns, 5 * kMs);
  EXPECT_EQ(lane.end_due(7 * kMs), 7 * kMs);
}

TEST(Lane, LatencyWithJitterStaysInItsBoundsAndKeepsOrder) {
  Lane lane = lane_with({toxic("latency", {{"latency", "100ms"}, {"jitter", "20ms"}})});
  Nanoseconds last = 0, least = 1000 * kMs, most = 0;
  for (int i = 0; i < 1000; ++i) {
    const Nanoseconds at = i * 50 * kMs;  // further apart than the jitter: order changes nothing
    const Nanoseconds due = lane.accept(1, at).at(0).due_ns;
    EXPECT_GT(due, last);
    last = due;
    least = std::min(least, due - at);
    most = std::max(most, due - at);
  }
  EXPECT_GE(least, 80 * kMs);
  EXPECT_LE(most, 120 * kMs);
  EXPECT_LT(least, 82 * kMs);
  EXPECT_GT(most, 118 * kMs);
}

TEST(Lane, WhatComesAfterALatencyDoesNotOvertakeWhatIsStillUnderWay) {
  Lane lane = lane_with({toxic("latency", {{"latency", "100ms"}})});
  EXPECT_EQ(lane.accept(1, 0).at(0).due_ns, 100 * kMs);
  lane.set_toxics({}, 10 * kMs);
  EXPECT_EQ(lane.accept(1, 20 * kMs).at(0).due_ns, 100 * kMs);
  EXPECT_EQ(lane.accept(1, 150 * kMs).at(0).due_ns, 150 * kMs);
}

// 100 kB at 1 MB/s take 100 ms, in pieces; what follows waits its turn.
TEST(Lane, BandwidthSpreadsBytesOverTheirTime) {
  Lane lane = lane_with({toxic("bandwidth", {{"rate", "1MB"}})});
  const auto first = lane.accept(100'000, 0);
  EXPECT_GT(first.size(), 1u);
  EXPECT_EQ(total(first), 100'000u);
  EXPECT_EQ(first.back().due_ns, 100 * kMs);
  EXPECT_EQ(lane.accept(50'000, 10 * kMs).back().due_ns, 150 * kMs);
  EXPECT_EQ(lane.accept(50'000, 500 * kMs).back().due_ns, 550 * kMs) << "an idle line has nothing saved up";
}

// One byte of a hundred, whatever pieces the bytes come in.
TEST(Lane, CorruptionHitsItsShareOfTheBytes) {
  const std::vector<Toxic> toxics = {toxic("corrupt", {{"bytes", 100}})};
  Lane whole = lane_with(toxics), pieces = lane_with(toxics);
  const std::vector<std::size_t> hits = whole.altered(100'000);
  EXPECT_GT(hits.size(), 850U);
  EXPECT_LT(hits.size(), 1150U);
  std::vector<std::size_t> in_pieces;
  for (std::size_t from = 0; from < 100'000; from += 10) {
    for (const std::size_t at : pieces.altered(10)) in_pieces.push_back(from + at);
  }
  EXPECT_EQ(in_pieces, hits);
  EXPECT_TRUE(Lane(1).altered(100'000).empty()) << "no toxic, no harm";
}

TEST(Lane, ASlicerKeepsEveryByte) {
  Lane lane = lane_with({toxic("slicer", {{"average_size", 10}, {"size_variation", 5}, {"delay", "1ms"}})});
  const auto slices = lane.accept(1000, 0);
  EXPECT_EQ(total(slices), 1000u);
  EXPECT_GE(slices.size(), 1000u / 15);
  for (std::size_t i = 0; i + 1 < slices.size(); ++i) {
    EXPECT_GE(slices[i].bytes, 5u);
    EXPECT_LE(slices[i].bytes, 15u);
    EXPECT_EQ(slices[i].due_ns, static_cast<Nanoseconds>(i) * kMs);
  }
}

TEST(Lane, LimitDataLetsExactlySoMuchThrough) {
  Lane lane = lane_with({toxic("limit_data", {{"bytes", 100}})});
  EXPECT_EQ(total(lane.accept(60, 0)), 60u);
  EXPECT_FALSE(lane.close_at());
  EXPECT_EQ(total(lane.accept(60, kMs)), 40u);
  EXPECT_EQ(lane.close_at(), kMs);
  EXPECT_EQ(total(lane.accept(60, 2 * kMs)), 0u);
}

TEST(Lane, ATimeoutLetsNothingThroughAndClosesInTheEnd) {
  Lane lane = lane_with({toxic("timeout", {{"timeout", "500ms"}})});
  EXPECT_TRUE(lane.accept(10, kMs).empty());
  EXPECT_EQ(lane.close_at(), 500 * kMs);
  Lane open = lane_with({toxic("timeout", Json::object())});
  EXPECT_TRUE(open.accept(10, kMs).empty());
  EXPECT_FALSE(open.close_at());
  open.set_toxics({}, 900 * kMs);
  EXPECT_EQ(open.close_at(), 900 * kMs) << "bytes are missing: the stream cannot go on";
  Lane idle = lane_with({toxic("timeout", Json::object())});
  idle.set_toxics({}, 900 * kMs);
  EXPECT_FALSE(idle.close_at()) << "nothing was dropped";
}

TEST(Lane, AResetComesWhenItIsDueAndTheEndMayBeSlow) {
  EXPECT_EQ(lane_with({toxic("reset_peer", {{"timeout", "30ms"}})}).reset_at(), 30 * kMs);
  EXPECT_EQ(lane_with({toxic("reset_peer", Json::object())}).reset_at(), 0);
  EXPECT_EQ(lane_with({toxic("slow_close", {{"delay", "2s"}})}).end_due(kMs), 2001 * kMs);
}

TEST(Toxics, WhatIsWrongIsNamed) {
  const auto problem = [](const char* kind, const Json& attributes) -> std::string {
    try {
      toxic(kind, attributes);
    } catch (const Error& error) {
      return error.summary();
    }
    return "";
  };
  EXPECT_EQ(problem("latency", Json::object()), "latency needs the attribute \"latency\"");
  EXPECT_EQ(problem("latency", {{"latency", "1s"}, {"rate", 5}}), "latency has no attribute \"rate\"");
  EXPECT_NE(problem("latency", {{"latency", "1s"}, {"jitter", "2s"}}), "");
  EXPECT_NE(problem("latency", {{"latency", "soon"}}), "");
  EXPECT_NE(problem("bandwidth", {{"rate", 0}}), "");
  EXPECT_NE(problem("slicer", {{"average_size", 0}}), "");
  EXPECT_NE(problem("slicer", {{"average_size", 5}, {"size_variation", 6}}), "");
  EXPECT_NE(problem("meteor", Json::object()), "");
  EXPECT_EQ(problem("down", Json::object()), "");
}

}  // namespace
}  // namespace brokerlab
