#pragma once

#include <cstdint>
#include <string>

#include "amqp/uri.h"

namespace brokerlab::bench {

// What one measured client does. Every message carries a stamp of 40 bytes in a header, written and read by
// each client.
struct Task {
  enum class Kind { kPublish, kConsume, kConsumeAndAck };
  Kind kind = Kind::kPublish;
  amqp::Uri uri;
  std::string name;  // of the exchange, or of the filled queue
  std::size_t body_bytes = 0;
  std::int64_t messages = 0;
  std::int64_t coalescing_ns = 0;

  static constexpr std::uint16_t kPrefetch = 1000;
  static constexpr std::int64_t kAckEvery = 100;  // multiple
};

// Told by the client when connecting is over and the measured part begins, and when it ends.
class Stopwatch {
 public:
  virtual ~Stopwatch() = default;
  virtual void start() = 0;
  virtual void stop() = 0;
};

// Run in a process of their own. Throw on any failure.
void run_ours(const Task& task, Stopwatch& watch);
void run_librabbitmq(const Task& task, Stopwatch& watch);

}  // namespace brokerlab::bench
