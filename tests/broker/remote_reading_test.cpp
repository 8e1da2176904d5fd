#include "broker/remote_reading.h"

#include <gtest/gtest.h>

#include "broker/prometheus_text.h"
#include "core/error.h"

namespace brokerlab {
namespace {

TEST(RemoteReading, KnowsTheQueuesOfTheRunAndNoOthers) {
  const Json answer = Json::parse(R"([
    {"name": "other", "messages_ready": 9, "messages_unacknowledged": 9},
    {"name": "b", "messages_ready": 3, "messages_unacknowledged": 4},
    {"name": "a"}])");
  const BrokerSample sample = RemoteReading::queues_from(answer, {"a", "b"});
  ASSERT_EQ(sample.queues.size(), 1U) << "of a new queue there are no statistics yet";
  EXPECT_EQ(sample.queues[0].index, 1U);
  EXPECT_EQ(sample.queues[0].ready, 3);
  EXPECT_EQ(sample.queues[0].unacked, 4);
}

TEST(RemoteReading, TakesTheSumOfAVhost) {
  const Json answer = {{"messages_ready", 70'000}, {"messages_unacknowledged", 20}};
  const BrokerSample sample = RemoteReading::queues_from(answer, {});
  EXPECT_EQ(sample.ready, 70'000);
  EXPECT_EQ(sample.unacked, 20);
}

TEST(RemoteReading, ReadsNodesAndWhoIsHeldBackOnThem) {
  std::vector<BrokerSample> nodes = RemoteReading::nodes_from(Json::parse(R"([
    {"name": "rabbit@one", "running": true, "processors": 8, "mem_used": 100, "mem_limit": 400,
     "mem_alarm": true, "disk_free_alarm": false},
    {"name": "rabbit@two", "running": false}])"));
  const Json connections = Json::parse(R"({"total_count": 3, "items": [
    {"node": "rabbit@one", "state": "flow"}, {"node": "rabbit@one", "state": "blocked"},
    {"node": "rabbit@two", "state": "flow"}]})");
  const Json channels =
      Json::parse(R"({"total_count": 900, "items": [{"node": "rabbit@one", "state": "flow"}]})");
  RemoteReading::add_states(connections, channels, nodes);
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].cores, 8);
  EXPECT_EQ(nodes[0].memory_bytes, 100);
  EXPECT_EQ(nodes[0].memory_alarm, true);
  EXPECT_EQ(nodes[0].connections, 2);
  EXPECT_EQ(nodes[0].connections_in_flow, 1);
  EXPECT_EQ(nodes[0].connections_blocked, 1);
  EXPECT_FALSE(nodes[0].channels_in_flow.has_value()) << "one page does not hold them all";
  EXPECT_GT(nodes[0].flow_lag_ns, 0);
  EXPECT_FALSE(nodes[1].failed.empty());
  EXPECT_FALSE(nodes[1].connections.has_value());
}

// In the format that the plugin's documentation describes.
constexpr char kMetrics[] = R"(# TYPE erlang_vm_statistics_runtime_milliseconds counter
# HELP erlang_vm_statistics_runtime_milliseconds Sum of the runtime for all threads
erlang_vm_statistics_runtime_milliseconds 41250
rabbitmq_identity_info{rabbitmq_node="rabbit@one",rabbitmq_cluster="a \"b\" {c}"} 1
rabbitmq_process_resident_memory_bytes 155189248
erlang_vm_schedulers_online 4
rabbitmq_queue_messages_ready{queue="}\" 7"} 12
rabbitmq_queue_messages_ready{queue="b"} 30
broken{queue="b 1
nan_one NaN
)";

TEST(RemoteReading, ReadsTheProcessFromThePrometheusPlugin) {
  const BrokerSample sample = RemoteReading::process_from(kMetrics);
  EXPECT_EQ(sample.node, "rabbit@one");
  EXPECT_EQ(sample.cpu_ns, 41'250'000'000);
  EXPECT_EQ(sample.resident_bytes, 155'189'248);
  EXPECT_EQ(sample.cores, 4);
  EXPECT_THROW(RemoteReading::process_from("node_load1 0.3\n"), Error) << "somebody else's exporter";
}

TEST(PrometheusText, AddsUpAMetricOverItsLabels) {
  const PrometheusText text = PrometheusText::parse(kMetrics);
  EXPECT_EQ(text.value("rabbitmq_queue_messages_ready"), 42);
  EXPECT_FALSE(text.value("broken").has_value());
  EXPECT_FALSE(text.value("nan_one").has_value());
  EXPECT_EQ(text.label("rabbitmq_identity_info", "nothing"), "");
}

TEST(RemoteReading, WithoutAnApiItSaysSoInsteadOfAsking) {
  const MonotonicClock clock;
  RemoteReading reading(nullptr, {}, clock);
  EXPECT_TRUE(reading.read(0).empty());
  EXPECT_TRUE(reading.given_up().contains("queues"));
  EXPECT_TRUE(reading.given_up().contains("nodes"));
}

TEST(RemoteReading, WhatFailsTheFirstTimeIsGivenUpWithItsReason) {
  const MonotonicClock clock;
  RemoteReading reading(std::make_unique<Management>("http://127.0.0.1:1", "a", "b"), {"/", {"q"}, false, {}},
                        clock);
  EXPECT_TRUE(reading.read(0).empty());
  EXPECT_NE(reading.given_up().at("queues").find("cannot be reached"), std::string::npos);
}

}  // namespace
}  // namespace brokerlab
