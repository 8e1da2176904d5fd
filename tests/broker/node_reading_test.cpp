#include "broker/node_reading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/process_usage.h"
#include "core/error.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;
using testing::Not;

// As nodes of RabbitMQ 3.10 answer.
constexpr char kExact[] =
    "{5000300,5000900,{each,[{{0,250,50}},{{2,7,0}}]},2,147750912,10110604083,false,true,{5,1,2,0},{6,3,0}}";
constexpr char kStatistics[] =
    "{null,null,{all,{90000,120,5000}},4,147750912,10110604083,false,false,{2000,40,0,10000},{12,0,0}}";

TEST(NodeReading, ReadsWhatANodeTellsAtItsOwnInstant) {
  const BrokerSample sample = NodeReading::sample(kExact, 5'000'000, 9'000'000);
  EXPECT_EQ(sample.at_ns, 5'000'300);
  EXPECT_EQ(sample.within_ns, 600);
  EXPECT_EQ(sample.lag_ns, 0);
  ASSERT_EQ(sample.queues.size(), 2U);
  EXPECT_EQ(sample.queues[1].index, 2U);
  EXPECT_EQ(sample.queues[1].ready, 7);
  EXPECT_EQ(sample.queues[0].unacked, 50);
  EXPECT_FALSE(sample.ready.has_value()) << "the sum of one node's queues is no sum of all";
  EXPECT_EQ(sample.cores, 2);
  EXPECT_EQ(sample.memory_alarm, false);
  EXPECT_EQ(sample.disk_alarm, true);
  EXPECT_EQ(sample.connections_in_flow, 1);
  EXPECT_EQ(sample.connections_blocked, 2);
  EXPECT_EQ(sample.channels_in_flow, 3);
}

TEST(NodeReading, SaysHowOldStatisticsMayBe) {
  const BrokerSample sample = NodeReading::sample(kStatistics, 5'000'000, 9'000'000);
  EXPECT_EQ(sample.at_ns, 5'000'000) << "a clock that is not ours says nothing";
  EXPECT_EQ(sample.within_ns, 4'000'000);
  EXPECT_EQ(sample.ready, 90'000);
  EXPECT_EQ(sample.lag_ns, 5 * kNanosecondsPerSecond);
  EXPECT_EQ(sample.flow_lag_ns, 10 * kNanosecondsPerSecond);
  EXPECT_TRUE(sample.queues.empty());
}

TEST(NodeReading, AnInstantOutsideOfTheQuestionIsOfAnotherClock) {
  const BrokerSample sample = NodeReading::sample(kExact, 6'000'000, 9'000'000);
  EXPECT_EQ(sample.at_ns, 6'000'000);
  EXPECT_EQ(sample.within_ns, 3'000'000);
}

TEST(NodeReading, WhatAVersionDoesNotKnowIsAbsentAndTakesNothingElseAlong) {
  const BrokerSample sample =
      NodeReading::sample("{null,null,null,2,null,null,null,null,null,{6,null,0}}", 1, 2);
  EXPECT_EQ(sample.cores, 2);
  EXPECT_FALSE(sample.memory_bytes || sample.memory_alarm || sample.connections || sample.channels_in_flow);
  EXPECT_EQ(sample.channels, 6);
  const Json json = sample.to_json();
  EXPECT_FALSE(json.contains("memory_bytes")) << json;
  EXPECT_FALSE(json.contains("queues")) << json;
}

TEST(NodeReading, SomethingElseIsNoAnswer) {
  for (const char* answer : {"", "undefined", "{1,2", "[]", "{null,null,{each,[{x}]},2,1,1,true,true,{},{}}"})
    EXPECT_THROW(NodeReading::sample(answer, 1, 2), Error) << answer;
}

TEST(NodeReading, NamesOfQueuesCannotBecomeErlang) {
  const std::string question = NodeReading::question("lab", {"tasks-1", "\">>, halt(), <<\"", "ü"});
  EXPECT_THAT(question, HasSubstr("{0, <<\"tasks-1\">>}, {1, <<34,62,62,44,"));
  EXPECT_THAT(question, HasSubstr("{2, <<195,188>>}"));
  EXPECT_THAT(question, Not(HasSubstr("halt")));
  EXPECT_THAT(question, Not(HasSubstr("\n"))) << "a question is one line";
}

TEST(NodeReading, TooManyQueuesAreAskedForTheirSum) {
  const std::vector<std::string> queues(NodeReading::kMostAsked + 1, "one-of-many");
  EXPECT_THAT(NodeReading::question("lab", queues), Not(HasSubstr("one-of-many")));
}

TEST(BrokerSample, SurvivesItsJson) {
  BrokerSample sample = NodeReading::sample(kExact, 5'000'000, 9'000'000);
  sample.node = "lab1@localhost";
  sample.round = 3;
  EXPECT_EQ(BrokerSample::from_json(sample.to_json()).to_json(), sample.to_json());
}

TEST(ProcessUsage, ReadsTheKernelsLine) {
  const char* line =
      "4711 (beam) x) S 1 2 3 0 -1 4194560 9 9 9 9 1230 770 5 5 20 0 25 0 1111 3000000000 37500 0 0 0";
  const auto usage = ProcessUsage::from_stat(line, 100, 4096);
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->cpu_ns, 20 * kNanosecondsPerSecond);
  EXPECT_EQ(usage->resident_bytes, 37500 * 4096);
  EXPECT_FALSE(ProcessUsage::from_stat("", 100, 4096).has_value());
  EXPECT_FALSE(
      ProcessUsage::from_stat("4711 (beam.smp) Z 1 2 3 0 -1 4 9 9 9 9 1 7 5 5 20 0 25 0 1 0 0", 100, 4096)
          .has_value())
      << "a zombie uses nothing and has nothing";
  EXPECT_FALSE(ProcessUsage::of(-1).has_value());
}

}  // namespace
}  // namespace brokerlab
