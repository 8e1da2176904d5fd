#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/toxic.h"
#include "core/clock.h"

namespace brokerlab {

// Disturbs TCP connections on their way to a broker: a port of 127.0.0.1 per way, and toxics that come and go
// while data flows. Works where no firewall or traffic control of the kernel is at hand, without privileges.
//
// It runs in a thread of its own with a loop of its own, because the controller makes short blocking calls
// and a stalled proxy would be a fault that nobody asked for. Every public function hands its work to that
// thread and waits until it is done, so that what it changes holds when it returns. Used by one thread.
class NetworkProxy {
 public:
  // `seed` decides which connections a toxicity below 1 befalls, and all jitter.
  NetworkProxy(const Clock& clock, std::uint64_t seed);
  ~NetworkProxy();  // closes every connection
  NetworkProxy(const NetworkProxy&) = delete;
  NetworkProxy& operator=(const NetworkProxy&) = delete;

  // Number of a new way to host:port; it begins undisturbed. Throws Error when the host is unknown or no port
  // is free.
  std::size_t add_way(const std::string& host, std::uint16_t port);
  std::uint16_t port(std::size_t way) const;  // where to connect to, on 127.0.0.1

  // Returns a number for remove(). Hits the connections that there are, and those to come.
  std::size_t add(std::size_t way, const Toxic& toxic);
  void remove(std::size_t way, std::size_t toxic);
  void remove_all();

  struct Counts {
    std::uint64_t connections = 0;  // accepted
    std::uint64_t bytes_up = 0, bytes_down = 0;
    std::uint64_t cut = 0;  // closed or reset by a toxic
  };
  Counts counts(std::size_t way);

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace brokerlab
