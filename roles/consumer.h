#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "amqp/channel.h"
#include "amqp/consume_options.h"
#include "amqp/recorded_connection.h"
#include "core/child_run.h"
#include "core/precise_timer.h"
#include "core/stamp.h"
#include "roles/ack_writer.h"
#include "roles/behaviour.h"
#include "roles/consumer_steps.h"
#include "roles/effort.h"
#include "roles/hindrance.h"
#include "roles/onward_publisher.h"
#include "roles/opening.h"
#include "roles/refusal.h"
#include "roles/role_spec.h"

namespace brokerlab {

struct ConsumerCounts {
  std::uint64_t received = 0, done = 0, redelivered = 0, ignored = 0, unreadable = 0, corrupted = 0;
  Nanoseconds busy_ns = 0;
};

// One instance of a role: a channel of its own, one message in work at a time, those that the broker sends
// ahead waiting in a queue of ours. Cancelled, or with its channel closed, for a reason that may pass, it
// subscribes again; else its process ends with the broker's words. For each message: the behaviour is asked,
// the effort made, the results published onward, the message settled; each step is noted in its record. A
// role without effort, rule and onward publish settles within the read. One loop; lives within its ChildRun
// and must outlive its channel.
class Consumer final : public amqp::ChannelListener, public amqp::DeliveryHandler {
 public:
  struct Setup {
    const RoleSpec& spec;
    const EffortLength& length;
    const Refusal& refusal;
    const Hindrance& hindrance;
    const RouteNumbers& routes;
    const Json& instance;    // of the assignment
    std::uint16_t position;  // in the assignment's instances
    std::uint16_t queue;     // in the assignment's queues
    std::uint64_t run;
    std::filesystem::path directory;  // of the experiment or role file
    std::uint32_t hop_limit;          // a message that has passed through so many roles is not handed on
  };

  // `on_drained` is called once, after stop().
  Consumer(ChildRun& run, const Setup& setup, OnwardCounts& onward, std::function<void()> on_drained);

  // Channel, prefetch and confirms, without consuming yet.
  void open(amqp::RecordedConnection& connection, std::function<void()> on_ready);
  // Subscribes, or begins to poll.
  void subscribe(std::function<void()> on_subscribed);
  // Cancels, finishes what is in hand, settles it.
  void stop();

  // Deliveries in hand belong to nobody now; with automatic acknowledgement they belong to us.
  void connection_lost();
  void restored();
  // The hindrance has changed.
  void go_on();
  // Before the loop ends.
  void close();

  const ConsumerCounts& counts() const { return counts_; }
  std::uint64_t in_hand() const { return waiting_.size() + (work_ ? 1 : 0); }

  void on_delivery(const amqp::Delivery& delivery) override;
  void on_cancelled(const amqp::AmqpError& reason) override;
  void on_confirm(std::uint64_t number, bool multiple, bool acked) override;
  void on_undecided(std::uint64_t through, const amqp::AmqpError& reason) override;
  void on_return(const amqp::Returned& returned) override;
  void on_writable() override;
  void on_closed(const amqp::AmqpError& error) override;

 private:
  // A message received and not settled.
  struct Work {
    DeliveryRecord* record;
    std::uint64_t tag;
    std::optional<Stamp> stamp;
    std::uint64_t identity;                     // the message's number where it has no stamp
    std::uint32_t connections;                  // lost before it came
    std::string body;                           // only where the role looks at it
    std::string routing_key;                    // likewise
    std::string reply_to;                       // only where the role replies
    std::optional<std::string> correlation_id;  // likewise
    Reaction reaction;
    std::vector<Outgoing> outgoing;
    std::size_t handed_over = 0;  // of them
    bool redelivered = false;
    Settlement refused = Settlement::kAcked;  // how it is settled, unless it is undone
    bool undone = false;
    bool effort_made = false;
  };

  DeliveryRecord& note(const amqp::Delivery& delivery, const std::optional<Stamp>& stamp, bool at_once);
  void verify(const amqp::Delivery& delivery, DeliveryRecord& record);
  void note_detail(const amqp::Delivery& delivery, const std::optional<Stamp>& stamp);
  void take(const amqp::Delivery& delivery);
  // Begins with the next ones until one keeps it busy.
  void pump();
  void begin();
  void set_aside();
  void compute();
  void finish_effort();
  // The next step of the work in hand, unless the process is to hang.
  void step(void (Consumer::*next)());
  // Publishes and settles; false while the channel takes no publishes.
  bool hand_over();
  void publish_opening();
  bool stale(const Work& work) const;
  bool rate_allows();
  void address_replies(Work& work) const;
  void poll();
  void check_drained();
  amqp::ConsumeOptions consume_options() const;

  void forget_deliveries();
  void note_trouble(EventKind kind, const amqp::AmqpError& error);
  void subscribe_later(const amqp::AmqpError& reason);
  bool went_well(const amqp::Outcome& outcome);
  void subscribe_again();
  void consume_again();
  void back_again();
  std::string name() const;

  ChildRun& run_;
  const RoleSpec& spec_;
  const EffortLength& length_;
  const Refusal& refusal_;
  const Hindrance& hindrance_;
  std::uint16_t position_;
  std::uint16_t queue_;
  std::uint64_t run_number_;
  std::string queue_name_;
  std::string tag_;
  std::function<void()> on_drained_;

  amqp::Channel* channel_ = nullptr;
  AckWriter acks_;
  ConsumerSteps steps_;
  std::unique_ptr<Behaviour> behaviour_;
  Opening opening_;
  std::uint32_t hop_limit_;
  std::unique_ptr<OnwardPublisher> onward_;  // null unless the role publishes
  Effort effort_;
  PreciseTimer poll_timer_;
  PreciseTimer retry_timer_;
  PreciseTimer rate_timer_;
  Nanoseconds next_begin_ns_ = 0;  // not before the rate allows it
  std::deque<Work> waiting_;
  std::optional<Work> work_;
  ConsumerCounts counts_;
  std::uint32_t connections_lost_ = 0;
  void (Consumer::*held_)() = nullptr;  // the step that waits until the process hangs no more
  EventRecord* trouble_event_ = nullptr;
  int retries_ = 0;
  bool pumping_ = false;
  bool asking_ = false;  // a basic.get is on its way
  bool stopping_ = false;
  bool cancelled_ = false;
  bool drained_ = false;
};

}  // namespace brokerlab
