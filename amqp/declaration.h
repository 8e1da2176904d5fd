#pragma once

#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab::amqp {

// What the topology of a vhost is made of. Arguments are JSON objects; how their values travel:
// field_table.h.

struct ExchangeDeclaration {
  std::string name;
  std::string type = "direct";  // any type the broker knows, e.g. "x-consistent-hash"
  bool passive = false;         // only check that it exists
  bool durable = false;
  bool auto_delete = false;
  bool internal = false;
  Json arguments = Json::object();  // e.g. {"alternate-exchange": "unrouted"}
};

struct QueueDeclaration {
  std::string name;  // "" lets the broker choose one; QueueStatus::name tells it
  bool passive = false;
  bool durable = false;
  bool exclusive = false;
  bool auto_delete = false;
  Json arguments = Json::object();
};

// Binds a queue, or another exchange, to `source`.
struct BindingDeclaration {
  enum class To { kQueue, kExchange };
  std::string source;
  To to = To::kQueue;
  std::string destination;
  std::string routing_key;
  Json arguments = Json::object();
};

// Declared in the order exchanges, queues, bindings.
struct Topology {
  std::vector<ExchangeDeclaration> exchanges;
  std::vector<QueueDeclaration> queues;
  std::vector<BindingDeclaration> bindings;
};

}  // namespace brokerlab::amqp
