#pragma once

#include <memory>
#include <string>

#include "broker/listen_address.h"
#include "core/clock.h"
#include "core/metric_text.h"
#include "live/state.h"

namespace brokerlab::live {

// Shows a State over HTTP, read only:
//
//   GET /metrics     what Prometheus scrapes (docs/live.md)
//   GET /            the page, with /live.json for what changes on it
//
// Serves from a few threads of its own from start() to its end: at most so many requests are in hand at once,
// the others wait in the kernel's queue, and each has limits of size and time. `state` must outlive it.
class Server {
 public:
  struct Options {
    ListenAddress listen;
    bool metrics = false, page = false;
    MetricLabels tags;
    std::string token;  // what whoever asks for figures must have; not empty beyond loopback
  };

  // Throws Error when the address cannot be listened on, or lies beyond loopback and there is no token.
  // `option`: which option named it.
  static std::unique_ptr<Server> start(const Options& options, const State& state, const char* option);
  virtual ~Server() = default;  // requests in hand are answered

  virtual const ListenAddress& address() const = 0;  // with the port that the system chose
  // Blocks until the page that somebody looks at, if somebody does, has asked for the outcome; not longer
  // than `limit`.
  virtual void await_page(Nanoseconds limit) = 0;
};

}  // namespace brokerlab::live
