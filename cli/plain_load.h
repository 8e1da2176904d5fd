#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// What a plain load test is described by on one command line: so many producers and consumers on so many
// queues. The vocabulary is that of RabbitMQ PerfTest (docs/coming-from-perftest.md). A value; every default
// here is PerfTest's, but for those that the page lists.
struct PlainLoad {
  std::string name = "load";
  int producers = 1, consumers = 1;                  // connections
  int producer_channels = 1, consumer_channels = 1;  // on each of them, each with a publisher or consumer

  std::string queue = "load";
  std::string queue_pattern;  // "work-%d"
  int queue_from = 1, queue_to = 0;
  std::vector<std::string> queue_arguments, consumer_arguments;  // "key=value"
  bool quorum = false, stream = false, auto_delete = false, exclusive = false, predeclared = false;
  std::optional<std::int64_t> max_length_bytes, max_segment_bytes;
  std::string leader_locator, max_age, stream_offset;
  std::optional<std::string> exchange;  // absent: the default exchange, unless a key or type is asked for
  std::optional<std::string> type, routing_key;
  bool random_routing_key = false, skip_binding = false;
  int routing_key_cache = 0;

  std::optional<double> rate;                 // of each publisher; absent: as fast as it goes
  std::optional<double> publishing_interval;  // seconds
  std::vector<std::string> variable_rate, variable_size, variable_latency;  // "value:seconds"
  std::int64_t size = 12;
  std::vector<std::string> body_files;
  std::string content_type;
  bool verify = false;
  bool json_body = false;
  int body_count = 100, body_fields = 1000;    // of --json-body
  std::vector<std::string> flags, properties;  // "persistent", "mandatory"; "key=value"
  std::optional<int> confirm;                  // most unconfirmed; absent: no confirms
  std::optional<int> producer_transaction, consumer_transaction;
  std::optional<double> random_start_delay, consumer_start_delay;  // seconds
  bool slow_start = false;

  bool auto_ack = false, nack = false, polling = false;
  bool requeue = true;
  std::optional<int> multi_ack, prefetch, global_prefetch, polling_interval;  // the last in ms
  std::optional<double> consumer_rate;
  std::optional<std::int64_t> consumer_latency;  // microseconds

  std::optional<double> seconds;  // absent: 10, or as long as the counts take
  std::optional<std::uint64_t> producer_messages, consumer_messages;
  std::optional<int> heartbeat;  // seconds
};

// The experiment that says the same: what `brokerlab load` runs, and what --save-experiment writes. Throws
// Error (kUsage) for values that contradict each other, naming the option.
Json experiment_of(const PlainLoad& plain);

}  // namespace brokerlab
