#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "amqp/session.h"
#include "amqp/tls_options.h"
#include "amqp/uri.h"

namespace brokerlab {

// Creates queues, sends and receives single messages for whoever asks, over one connection that is made again
// when it was lost. Any thread; one operation at a time, each bounded in time. A send whose answer was lost
// with the connection is not sent again: whoever asked is told.
class QueueDesk {
 public:
  enum class Outcome {
    kDone,
    kEmpty,    // nothing to receive
    kNoQueue,  // there is no queue of that name
    kRefused,  // the broker understood and said no
    kAway,     // the broker cannot be reached, or the connection was lost meanwhile
    kBusy,     // others have been waiting for so long that this one was given up
  };
  struct Answer {
    Outcome outcome = Outcome::kDone;
    std::string text;  // the message received; else what a person should know
  };

  QueueDesk(amqp::Uri uri, amqp::TlsOptions tls);

  // Connects if need be. Throws Error when it cannot.
  void connect();

  // Not durable, unless it is there already: then as it is.
  Answer create(const std::string& queue);
  Answer send(const std::string& queue, std::string_view message);
  // The oldest message; it is acknowledged, and gone.
  Answer receive(const std::string& queue);

 private:
  template <class Operation>
  Answer attend(const std::string& queue, Operation operation);
  amqp::Session& session();

  const amqp::Uri uri_;
  const amqp::TlsOptions tls_;
  std::timed_mutex in_use_;
  std::unique_ptr<amqp::Session> session_;
};

}  // namespace brokerlab
