#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// One disturbance of a network connection. Kinds and attributes have the names that toxiproxy gave them
// (github.com/Shopify/toxiproxy, "Toxics"), but for kCorrupt, which it has not; amounts carry their units, as
// everywhere in an experiment file.
struct Toxic {
  enum class Kind {
    kLatency,    // all data is late by latency_ns, give or take jitter_ns
    kBandwidth,  // at most rate_bytes_per_s
    kSlowClose,  // the end of the connection is passed on delay_ns late
    kTimeout,    // nothing gets through; the connection is closed after timeout_ns, or when the toxic ends
    kResetPeer,  // the connection is reset after timeout_ns
    kSlicer,     // data arrives in pieces of average_bytes, give or take variation_bytes, delay_ns apart
    kLimitData,  // the connection is closed once limit_bytes have passed
    kCorrupt,    // of every_bytes, on average, one byte has a bit flipped
    kDown,       // connections are closed and no new one is accepted
  };
  enum class Stream { kUpstream, kDownstream };  // to the broker, from the broker

  Kind kind = Kind::kLatency;
  Stream stream = Stream::kDownstream;
  double toxicity = 1;  // the share of connections that it befalls

  Nanoseconds latency_ns = 0;
  Nanoseconds jitter_ns = 0;
  Nanoseconds delay_ns = 0;
  Nanoseconds timeout_ns = 0;  // 0 with kTimeout: until the toxic ends
  std::uint64_t rate_bytes_per_s = 0;
  std::size_t average_bytes = 0;
  std::size_t variation_bytes = 0;
  std::uint64_t limit_bytes = 0;
  std::uint64_t every_bytes = 0;
};

// "latency", "bandwidth", … : is it one of ours?
bool is_toxic(std::string_view kind);

// From a fault of the experiment file: `kind`, `stream`, `toxicity`, `attributes`. Throws Error (kUsage) that
// names the attribute that is missing, unknown or out of range.
Toxic toxic_from_json(const Json& fault);

}  // namespace brokerlab
