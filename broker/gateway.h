#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/listen_address.h"
#include "broker/queue_desk.h"

namespace brokerlab {

// The web service in front of the queues (docs/code-on-demand.md):
//
//   POST /rabbit/         form field `nom_queue`: creates a queue
//   POST /rabbit/<queue>  form field `msg`: sends one message
//   GET  /rabbit/<queue>  receives and acknowledges one message
//   GET  /                a page on which a person does the same
//
// Answers are JSON, {"state": "OK" or "NO", "msg": text}, whatever goes wrong. Serves from threads of its own
// from start() to its end; `desk` must outlive it.
class Gateway {
 public:
  struct Options {
    ListenAddress listen;
    std::string token;               // needed beyond loopback
    std::vector<std::string> names;  // further names in the Host of a request
    // Told each request in a line; called from several threads.
    std::function<void(const std::string& line)> log;
  };
  static constexpr std::size_t kLargestBody = std::size_t{1} << 20;

  // Throws Error when the address cannot be listened on, or (kUsage) when a token is missing.
  static std::unique_ptr<Gateway> start(const Options& options, QueueDesk& desk);
  virtual ~Gateway() = default;  // ends the service; requests in hand are answered

  virtual const ListenAddress& address() const = 0;  // with the port that the system chose
};

}  // namespace brokerlab
