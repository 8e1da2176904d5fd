#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/outstanding_publishes.h"
#include "experiments/simulated_process.h"
#include "roles/behaviour.h"
#include "roles/effort.h"
#include "roles/onward_publisher.h"
#include "roles/role_spec.h"

namespace brokerlab {

// One instance of a role in virtual time: what roles/consumer.h does with a message, with the same behaviour
// and the same effort, but nothing takes time except what the effort and the costs say. One thread; outlives
// the events it asked for.
class SimulatedConsumer final : public SimulatedClient, private VirtualTime::Target {
 public:
  struct Setup {
    const RoleSpec& spec;
    const EffortLength& length;
    const RouteNumbers& routes;
    const PlannedInstance& instance;
    std::uint16_t position;  // in the process
    std::uint16_t queue;     // in the process's queues
    std::filesystem::path directory;
    std::uint32_t hop_limit;
  };

  SimulatedConsumer(SimulatedWorld& world, SimulatedProcess& process, const Setup& setup);

  void subscribe();
  // Cancels; what is in hand is finished and settled.
  void stop();
  // Its process was killed.
  void crash();
  // The hindrance has changed.
  void go_on();
  std::size_t in_hand() const { return waiting_.size() + (work_ ? 1 : 0); }

  void on_delivery(std::uint64_t tag, const SimulatedMessage& message) override;
  void on_confirm(std::uint64_t message, bool routed) override;

 private:
  enum What : std::uint32_t { kEffortDone, kIdle };

  // A message received and not settled.
  struct Work {
    DeliveryRecord* record;
    std::uint64_t tag;
    std::uint64_t message;
  };

  void happen(VirtualTime::Happening happening) override;
  void take(std::uint64_t tag, const SimulatedMessage& message);
  DeliveryRecord& note(const SimulatedMessage& message, bool at_once);
  void pump();
  void begin();
  void set_aside(Reaction::Verdict verdict);
  void finish_effort();
  void publish(const SimulatedStamp& cause, const Outgoing& message);
  void settle(DeliveryRecord& record, std::uint64_t tag, Settlement settlement);
  void flush();
  void on_idle();

  SimulatedWorld& world_;
  SimulatedProcess& process_;
  const RoleSpec& spec_;
  const EffortLength& length_;
  const RouteNumbers& routes_;
  const PlannedInstance& instance_;
  const std::uint16_t position_;
  const std::uint16_t queue_;
  const std::uint32_t hop_limit_;
  const std::size_t batch_limit_;

  std::unique_ptr<Behaviour> behaviour_;
  SimulatedBroker::ConsumerId id_ = 0;
  SimulatedBroker::PublisherId publisher_ = 0;  // of roles that publish
  bool subscribed_ = false;
  std::deque<Work> waiting_;
  std::optional<Work> work_;
  Reaction reaction_;         // to the message in work
  bool effort_held_ = false;  // it ended while the process was to hang
  std::vector<DeliveryRecord*> batch_;
  std::uint64_t last_tag_ = 0;
  Nanoseconds last_added_ns_ = 0;
  bool idle_timer_ = false;
  OutstandingPublishes outstanding_;
  std::deque<bool> mandatory_;  // of the outstanding ones, in the order in which they are confirmed
  std::uint64_t sequence_ = 0;
};

}  // namespace brokerlab
