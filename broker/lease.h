#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/management.h"
#include "broker/private_broker.h"
#include "broker/topology.h"
#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

struct LeaseRequest {
  std::string run_id;  // [A-Za-z0-9_.-], names what is ours: "lab-<run id>"
  std::optional<std::string>
      uri;  // --broker, several nodes separated by commas; absent: a private broker is started
  std::optional<std::string> management_uri;  // derived from `uri` when absent
  bool tls_insecure = false;
  // The topology names predeclared objects: they live in the vhost of `uri`, so that no vhost of our own can
  // be used.
  bool predeclared_objects = false;
  PrivateBrokerSpec private_broker;  // used when `uri` is absent
};

// The room a `brokerlab run` has on a broker, for as long as this object lives: a private broker; or on an
// external one a vhost of its own with a scoped user, where the management API allows it; else a prefix for
// every name, with a journal of what was made. Only what the lease created is deleted at its end: a vhost
// only if its name and tag are ours. Controller only, one thread; calls block.
class Lease {
 public:
  enum class Kind { kPrivateBroker, kOwnVhost, kPrefix };

  // Throws Error: as PrivateBroker::start; no broker at the address, wrong user or password, vhost missing or
  // refused.
  static std::unique_ptr<Lease> open(const LeaseRequest& request, const Clock& clock,
                                     const BrokerProgress& progress = {});
  virtual ~Lease() = default;  // close() without throwing

  virtual Kind kind() const = 0;
  virtual const std::string& uri() const = 0;  // AMQP, with credentials, for children: a secret
  // The same of every node, that one first: secrets.
  virtual std::vector<std::string> uris() const { return {uri()}; }
  virtual const std::string& prefix() const = 0;  // before every name of ours; empty where the vhost is ours
  // scheme://host:port/vhost, safe to print.
  virtual const std::string& display_uri() const = 0;
  // For the result's environment, no secrets: {"kind", "uri", "rabbitmq", "erlang", "plugins", "nodes",
  // "management"}.
  virtual Json environment() = 0;

  virtual PrivateBroker* private_broker() = 0;  // nullptr for an external one
  virtual Management* management() = 0;         // nullptr where the API cannot be reached or used

  // Declares a topology as the experiment file names it (the prefix is applied here), and deletes it again:
  // on a private broker only before the next one is declared, because the broker mostly goes right away, and
  // a hundred thousand queues with it in a second. `on_progress` may throw to end it.
  enum class Step { kDeclare, kRemove };
  using Progress = std::function<void(Step step, std::size_t done, std::size_t of)>;
  virtual void declare(const Topology& topology, const Progress& on_progress) = 0;
  void declare(const Topology& topology) { declare(topology, nullptr); }
  virtual void remove(const Topology& topology, const Progress& on_progress) = 0;
  void remove(const Topology& topology) { remove(topology, nullptr); }

  // Deletes everything that is ours. A second call does nothing. Throws Error when something had to be left
  // (and says what).
  virtual void close() = 0;
};

}  // namespace brokerlab
