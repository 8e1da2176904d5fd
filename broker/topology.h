#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "amqp/declaration.h"
#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

struct Exchange {
  std::string name;
  std::string type;
  bool durable = false;
  bool auto_delete = false;
  bool internal = false;
  std::string alternate_exchange;  // empty: none
  Json arguments = Json::object();
  bool predeclared = false;  // exists already: only checked, never created, deleted or prefixed
};

struct Queue {
  std::string name;
  bool durable = false;
  bool exclusive = false;
  bool auto_delete = false;
  Json arguments = Json::object();
  bool predeclared = false;
};

struct Binding {
  enum class Destination { kQueue, kExchange };
  std::string exchange;
  Destination destination_kind = Destination::kQueue;
  std::string destination;
  std::string routing_key;
  Json arguments = Json::object();
  std::optional<Nanoseconds> from_ns, until_ns;  // made and removed in mid-run; from the start of the load

  bool lasts() const { return !from_ns && !until_ns; }
};

// As the client wants it.
amqp::BindingDeclaration declaration_of(const Binding& binding);

// The exchanges, queues and bindings of an experiment, `copies` expanded. A plain value.
struct Topology {
  std::vector<Exchange> exchanges;
  std::vector<Queue> queues;
  std::vector<Binding> bindings;

  // From the experiment file's `topology`, valid by the schema. Checks the meaning: names unique, bindings
  // and alternate exchanges name declared objects (or the broker's own amq.* and default exchange), no
  // binding from the default exchange. Throws Error (kUsage); `where` of the error is a JSON pointer below
  // `pointer`.
  static Topology from_json(const Json& topology, const std::string& pointer = "/topology");

  // The same with `prefix` before every name that is ours to create; predeclared names and amq.* stay.
  Topology with_prefix(const std::string& prefix) const;
  bool has_predeclared() const;

  const Exchange* exchange(const std::string& name) const;  // nullptr: not declared here
  const Queue* queue(const std::string& name) const;
};

// Plugins that bring the exchange types of this topology, as far as known ("x-random" ->
// rabbitmq_random_exchange).
std::vector<std::string> plugins_for(const Topology& topology);
// The plugin that brings an exchange type; empty when unknown or built in.
std::string plugin_of_exchange_type(const std::string& type);

struct DeclarationOptions {
  bool tls_insecure = false;
  // Told every so often how far it is; may throw to end it.
  std::function<void(std::size_t done, std::size_t of)> on_progress;
};

// Declares exchanges, then queues, then bindings (but those that come later) over one AMQP connection;
// predeclared objects are checked passively. Blocks, bounded by 10 s for each answer. `uri` has credentials.
// Throws Error: unknown exchange type (which plugin to enable), an object exists with other arguments (406),
// a predeclared one is missing (404), no permission (403), login refused, no broker.
void declare(const Topology& topology, const std::string& uri, const DeclarationOptions& options = {});

// Deletes the topology's own queues and exchanges, never predeclared ones; what is gone already is no error.
void remove(const Topology& topology, const std::string& uri, const DeclarationOptions& options = {});

// Deletes queues and exchanges by name, for journals of killed runs.
void remove_named(const std::vector<std::string>& queues, const std::vector<std::string>& exchanges,
                  const std::string& uri, const DeclarationOptions& options = {});

}  // namespace brokerlab
