#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/installation.h"
#include "broker/node_control.h"
#include "core/clock.h"

namespace brokerlab {

// Tells a person what a slow step is doing and since when: stage texts are short and lower case
// ("starting node 1 of 1", "waiting for AMQP"), one call at least twice a second.
using BrokerProgress = std::function<void(const std::string& stage, Nanoseconds elapsed)>;

// How a private broker is to be made. Everything has a default; nothing here is secret.
struct PrivateBrokerSpec {
  int nodes = 1;
  // Lines of rabbitmq.conf beyond ours (`broker.arguments` of the experiment file), key -> value.
  std::vector<std::pair<std::string, std::string>> configuration;
  // Enabled beyond consistent hash, management and prometheus (see plugins_for() in broker/topology.h).
  std::vector<std::string> plugins;
  std::filesystem::path
      directory;  // made and removed with the broker; empty: a fresh one in the state folder
  std::optional<std::uint16_t> port;  // of AMQP on the first node; a free one by default
  // The guard outlives this process and the broker stays until stop_private_broker() (`brokerlab broker
  // start`).
  bool detached = false;
  // The program whose guard_main() runs the broker, and the arguments that lead there.
  std::filesystem::path guard_program = "/proc/self/exe";
  std::vector<std::string> guard_arguments = {"guard"};
  Installation::Search installation;
  Nanoseconds boot_limit = 120 * kNanosecondsPerSecond;
  // Asked some 20 times a second while the broker boots; true ends the boot with Error(kInterrupted).
  std::function<bool()> interrupted;
};

// A real RabbitMQ of one or more nodes on loopback ports, with its own epmd, cookie, folders and random user.
// It is run by a guard process (broker/guard.h), so that nodes, epmd and folder are gone after this object
// ends, and also when this process is killed. Used by the controller from one thread; calls block only where
// they say so.
class PrivateBroker {
 public:
  struct Node {
    std::string name;  // "lab1@localhost"
    std::uint16_t amqp_port = 0;
    std::uint16_t distribution_port = 0;
    std::uint16_t management_port = 0;
    std::uint16_t prometheus_port = 0;
    pid_t pid = -1;  // of beam; -1 while it is not running
  };

  // Blocks until every node answers an AMQP login. Throws Error: rabbitmq-server is not installed, the port
  // is taken, a node ended while booting (with the end of its log), the boot took too long, interrupted.
  static std::unique_ptr<PrivateBroker> start(const PrivateBrokerSpec& spec, const Clock& clock,
                                              const BrokerProgress& progress = {});
  // Ends a broker that is not detached, as stop() does, without throwing.
  virtual ~PrivateBroker() = default;

  virtual const std::vector<Node>& nodes() const = 0;
  virtual const std::string& user() const = 0;
  virtual const std::string& password() const = 0;
  virtual const std::filesystem::path& directory() const = 0;
  virtual const std::vector<std::string>& plugins() const = 0;  // all that are enabled by name
  virtual const std::string& id() const = 0;                    // in the journal, for stop_private_broker()
  virtual pid_t guard_pid() const = 0;

  // amqp://user:password@127.0.0.1:port/ of a node: a secret.
  std::string uri(std::size_t node = 0) const;
  // http://127.0.0.1:port of a node, without credentials.
  std::string management_uri(std::size_t node = 0) const;

  // Faults. Each returns once the signal is delivered or the process is spawned (milliseconds).
  virtual void pause(std::size_t node) = 0;      // SIGSTOP; returns when every thread stands still
  virtual void resume(std::size_t node) = 0;     // SIGCONT
  virtual void kill(std::size_t node) = 0;       // SIGKILL; returns when the process is gone
  virtual void terminate(std::size_t node) = 0;  // SIGTERM: an orderly shutdown of 1-6 s, not waited for
  virtual bool running(std::size_t node) = 0;    // a process exists (it may be paused, or still booting)
  virtual void restart(std::size_t node) = 0;    // spawns a node that has ended, on the same folder and ports
  // One AMQP handshake up to connection.start, at most 200 ms.
  virtual bool accepting(std::size_t node) = 0;
  // Blocks until accepting(). Throws Error when the node ends or the limit passes.
  virtual void wait_until_accepting(std::size_t node, Nanoseconds limit) = 0;

  // For faults that no signal can make. Started by the first call; throws Error when it cannot be.
  virtual NodeControl& control() = 0;

  // Ends nodes, epmd and guard and removes the folder; blocks until all are gone (well below a second). A
  // second call does nothing.
  virtual void stop() = 0;
};

}  // namespace brokerlab
