#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "amqp/channel.h"
#include "amqp/declaration.h"
#include "amqp/properties.h"
#include "amqp/tls_options.h"
#include "amqp/uri.h"
#include "core/clock.h"

namespace brokerlab::amqp {

// A blocking AMQP client for the controller's cold paths: topology, depths, clearing up. Runs a private loop
// inside each call until the answer is there or the time is over. Every call throws brokerlab::Error (what,
// where, remedy) when the broker refuses or does not answer; the session stays usable after a refusal (the
// channel is opened again). After a lost connection every call throws.
class Session {
 public:
  // Connects, too. `timeout_ns` bounds each call.
  Session(const Uri& uri, const TlsOptions& tls = {}, Nanoseconds timeout_ns = 10 * kNanosecondsPerSecond);
  ~Session();  // says good-bye, bounded in time
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void declare(const Topology& topology);
  void declare(const ExchangeDeclaration& exchange);
  QueueStatus declare(const QueueDeclaration& queue);
  void bind(const BindingDeclaration& binding);
  void unbind(const BindingDeclaration& binding);

  // Long lists, with some requests under way at a time, and but for bindings on several channels: a hundred
  // thousand queues would take a hundred thousand round trips else. Bindings are made in the list's order,
  // which the ring of a consistent-hash exchange depends on. The first refusal is thrown; what comes after it
  // may be there or not. `on_progress` is told how many are done each time some are, and may throw to end it.
  using Progress = std::function<void(std::size_t done)>;
  void declare(std::span<const QueueDeclaration> queues, const Progress& on_progress);
  void bind(std::span<const BindingDeclaration> bindings, const Progress& on_progress);
  void remove_queues(std::span<const std::string> queues, const Progress& on_progress);
  // As queue() of each. What was answered before an error is in `statuses`, one for each name.
  void queues(std::span<const std::string> names, std::vector<std::optional<QueueStatus>>& statuses);

  // Passive declare; nothing when the queue does not exist.
  std::optional<QueueStatus> queue(const std::string& name);
  bool exchange_exists(const std::string& name);

  std::uint32_t purge(const std::string& queue);  // how many messages went
  std::uint32_t remove_queue(const std::string& queue);
  void remove_exchange(const std::string& exchange);

  // Confirmed by the broker when it returns. False: mandatory and not routed.
  bool publish(const std::string& exchange, const std::string& routing_key, const Properties& properties,
               std::string_view body);
  struct Message {
    std::string exchange, routing_key, body;
    Properties properties;
    bool redelivered = false;
    std::uint32_t remaining = 0;
  };
  std::optional<Message> get(const std::string& queue);  // acknowledged

  // False once the connection is lost: every further call would throw. Sends nothing; takes in what has come
  // since the last call.
  bool alive();

  const std::string& server_version() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace brokerlab::amqp
