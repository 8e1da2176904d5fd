#pragma once

#include <cstdint>

#include "core/clock.h"

namespace brokerlab::amqp {

// Decides when a heartbeat is due and when the peer counts as missing. It watches the connection's byte
// counters from time to time, so that messages pay nothing for it. Pure: no clock, no I/O.
class Heartbeat {
 public:
  enum class Verdict { kQuiet, kSend, kPeerMissing };

  // `interval_ns` 0: switched off.
  Heartbeat() = default;
  Heartbeat(Nanoseconds interval_ns, Nanoseconds now) : interval_ns_(interval_ns), heard_ns_(now) {}

  bool enabled() const { return interval_ns_ > 0; }
  // When to ask next.
  Nanoseconds next_look(Nanoseconds now) const { return now + (suspicious_ ? kGraceNs : interval_ns_ / 2); }

  Verdict look(Nanoseconds now, std::int64_t bytes_in, std::int64_t bytes_out) {
    if (bytes_in != seen_in_) {
      seen_in_ = bytes_in;
      heard_ns_ = now;
      suspicious_ = false;
    }
    if (now - heard_ns_ > 2 * interval_ns_) {
      // After a pause of ours (a stopped process) the peer's bytes lie in the socket unread: look once more
      // first.
      if (suspicious_) return Verdict::kPeerMissing;
      suspicious_ = true;
    }
    const bool silent = bytes_out == seen_out_;
    seen_out_ = bytes_out;
    return silent ? Verdict::kSend : Verdict::kQuiet;
  }

 private:
  static constexpr Nanoseconds kGraceNs = 100'000'000;

  Nanoseconds interval_ns_ = 0;
  Nanoseconds heard_ns_ = 0;
  std::int64_t seen_in_ = -1;
  std::int64_t seen_out_ = -1;
  bool suspicious_ = false;
};

}  // namespace brokerlab::amqp
