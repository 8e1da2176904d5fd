#pragma once

#include <cstdint>
#include <vector>

#include "amqp/channel.h"
#include "core/clock.h"
#include "core/precise_timer.h"
#include "core/recording.h"
#include "roles/role_spec.h"

namespace brokerlab {

// How one consumer tells the broker what became of its deliveries, and notes when it did. With `multiple(n)`
// one frame acknowledges n deliveries; an incomplete batch is acknowledged when nothing has been added to it
// for a while, so that a prefetch limit below n cannot stop the flow; likewise a transaction is committed
// after so many acknowledgements. Deliveries must be settled in the order in which they came. One loop; lives
// within its channel's connection.
class AckWriter {
 public:
  static constexpr Nanoseconds kIdle = 20'000'000;

  AckWriter(uv_loop_t* loop, const Clock& clock, const ConsumeSpec& spec);

  void use(amqp::Channel& channel) { channel_ = &channel; }
  // With automatic acknowledgement the broker has settled it on its own: only noted.
  void settle(DeliveryRecord& record, std::uint64_t tag, Settlement settlement);
  void flush();
  // The connection is lost: the broker has taken the open deliveries back.
  void forget();

 private:
  void note(DeliveryRecord& record, Settlement settlement) const;
  void on_idle();
  // One more acknowledgement of the transaction.
  void count();
  void commit();

  const Clock& clock_;
  AckMode mode_;
  std::size_t batch_limit_;
  std::uint32_t transaction_;  // 0: none
  std::uint32_t uncommitted_ = 0;
  amqp::Channel* channel_ = nullptr;
  std::vector<DeliveryRecord*> batch_;
  std::uint64_t last_tag_ = 0;
  Nanoseconds last_added_ns_ = 0;
  PreciseTimer idle_timer_;
};

}  // namespace brokerlab
