#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/outstanding_publishes.h"
#include "experiments/simulated_process.h"
#include "loadgen/load_spec.h"
#include "loadgen/pacer.h"
#include "loadgen/payload.h"
#include "loadgen/routing_key.h"

namespace brokerlab {

// One instance of a load in virtual time: the schedule, bodies, keys and window of loadgen/publisher.h, on
// the same random streams, without a connection. One thread; outlives the events it asked for.
class SimulatedPublisher final : public SimulatedClient, private VirtualTime::Target {
 public:
  struct Setup {
    const LoadSpec& spec;
    const PlannedInstance& instance;
    std::uint16_t position;  // in the process
    const RoutingKey::Routes& routes;
    Nanoseconds load_ns;
  };

  // `on_finished` is called once: everything is published, and every outcome known.
  SimulatedPublisher(SimulatedWorld& world, SimulatedProcess& process, const Setup& setup,
                     std::function<void()> on_finished);

  void start(Nanoseconds t0_ns);
  // Publishes nothing more.
  void stop();
  // The process hangs no more.
  void go_on();
  // Messages whose intended time has come by `now_ns`.
  std::uint64_t scheduled(Nanoseconds now_ns) const;

  void on_confirm(std::uint64_t message, bool routed) override;

 private:
  void happen(VirtualTime::Happening happening) override;
  void advance();
  void wait_for_next();
  void publish_due();
  void publish_next();
  std::uint32_t route_of(std::string_view key);
  void settle(std::uint64_t message, bool routed);
  void release_slot();
  void resume();
  void check_finished();

  SimulatedWorld& world_;
  SimulatedProcess& process_;
  const LoadSpec& spec_;
  const std::uint16_t position_;
  const std::uint32_t publisher_;
  const std::uint32_t instance_;
  std::function<void()> on_finished_;

  std::unique_ptr<Pacer> pacer_;  // null for a closed loop
  std::unique_ptr<Pacer::Cursor> cursor_;
  std::unique_ptr<Payload> payload_;
  RoutingKey routing_key_;
  SimulatedBroker::PublisherId id_;
  std::unordered_map<std::string, std::uint32_t> routes_;  // by key
  OutstandingPublishes outstanding_;

  Nanoseconds t0_ns_ = 0;
  Nanoseconds horizon_ns_;
  Nanoseconds last_sent_ns_ = 0;
  std::optional<Nanoseconds> next_ns_;  // intended, from t0
  std::deque<Nanoseconds> slots_;       // closed loop: when the free slots may publish, from t0
  std::uint64_t sequence_ = 0;
  Nanoseconds window_full_since_ns_ = 0;
  bool waits_for_window_ = false;
  bool waits_for_time_ = false;  // an event is under way
  bool hung_ = false;            // it came while the process was to hang
  bool finished_ = false;
};

}  // namespace brokerlab
