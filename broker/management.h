#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// A client of RabbitMQ's management HTTP API. Calls block, bounded by the timeout; an object belongs to one
// thread at a time (a loop calls it from a worker thread). Throws Error on a failed call: unreachable,
// refused (401/403), not found (404), unexpected answer. Messages never contain the password.
class Management {
 public:
  struct Versions {
    std::string rabbitmq, erlang, management, cluster_name;
  };
  struct User {
    std::string name;
    std::vector<std::string> tags;
    bool administrator() const;
  };
  struct Vhost {
    std::string name, description;
    std::vector<std::string> tags;
  };
  struct QueueDepth {
    std::string name;
    std::int64_t ready = 0, unacked = 0;
    std::int64_t consumers = 0;
  };
  struct Connection {
    std::string name, user, vhost, state;
    std::string client;  // client_properties.connection_name, where given
  };

  // `uri` is http://host:port or https://…; credentials inside it win over the two arguments.
  Management(const std::string& uri, const std::string& user, const std::string& password,
             Nanoseconds timeout = 5 * kNanosecondsPerSecond, bool tls_insecure = false);
  ~Management();
  // Host and credentials of the AMQP URI, port 15672 (amqps: https, 15671).
  static std::unique_ptr<Management> from_amqp(const std::string& amqp_uri, bool tls_insecure = false);

  // With the same address and login, for another thread.
  std::unique_ptr<Management> another(Nanoseconds timeout) const;

  const std::string& uri() const;  // without credentials

  bool reachable();  // answers at all; never throws
  User whoami();
  Json overview();
  Versions versions();
  std::vector<std::string> enabled_plugins();  // of all nodes; empty where the user may not see them
  std::size_t nodes();                         // of the cluster, whether they run or not
  std::vector<std::string> exchange_types();

  std::optional<Vhost> vhost(const std::string& name);
  std::vector<Vhost> vhosts();
  void create_vhost(const Vhost& vhost);
  void delete_vhost(const std::string& name);  // already gone is no error

  std::optional<User> user(const std::string& name);
  void create_user(const std::string& name, const std::string& password,
                   const std::vector<std::string>& tags);
  void permit(const std::string& user, const std::string& vhost, const std::string& configure,
              const std::string& write, const std::string& read);
  void delete_user(const std::string& name);  // already gone is no error

  std::vector<Connection> connections();                                      // lags some seconds
  void close_connection(const std::string& name, const std::string& reason);  // already gone is no error
  std::vector<QueueDepth> queue_depths(const std::string& vhost);             // lags some seconds
  Json bindings(const std::string& vhost);

  // For whoever samples a broker that works: what costs it least. As the API has them.
  Json queue_totals(const std::string& vhost);  // one entry per queue, without its statistics
  Json vhost_totals(const std::string& vhost);  // over all of its queues
  Json node_states();                           // memory, alarms, cores
  // The first `most` connections or channels ("connections", "channels"), by state and node, with
  // "total_count".
  Json states_of(const std::string& things, std::size_t most);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace brokerlab
