#pragma once

#include <functional>
#include <memory>
#include <string>

#include "amqp/channel.h"
#include "amqp/recorded_connection.h"
#include "core/child_run.h"
#include "loadgen/churn_spec.h"

namespace brokerlab {

// One thing that is opened and closed again: a connection, a channel, a queue, a binding, a consumer. open()
// and then close() are called once each, and answered once each, later; it must live until then, and may be
// destroyed after the turn of the loop in which it was answered.
class Churned {
 public:
  using Answer = std::function<void(bool ok)>;
  virtual ~Churned() = default;
  virtual void open(Answer answer) = 0;
  virtual void close(Answer answer) = 0;

  // What the things of one instance share. The connection and the channel are null for connections.
  struct Setup {
    ChildRun& run;
    const ChurnSpec& spec;
    const Json& broker;  // of the assignment
    std::string name;    // of the instance
    amqp::Connection* connection;
    amqp::Channel* channel;
  };
  // The `number`th thing of the instance.
  static std::unique_ptr<Churned> make(const Setup& setup, std::uint64_t number);
};

}  // namespace brokerlab
