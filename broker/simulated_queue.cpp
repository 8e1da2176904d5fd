#include "broker/simulated_queue.h"

#include <algorithm>

namespace brokerlab {

void SimulatedQueue::append(const SimulatedMessage& message, Nanoseconds now) {
  ready.push_back({next_position++, time_to_live_ns ? now + *time_to_live_ns : 0, message});
}

void SimulatedQueue::put_back(QueuedMessage item) {
  item.message.redelivered = true;
  const auto place = std::upper_bound(
      ready.begin(), ready.end(), item.position,
      [](std::uint64_t position, const QueuedMessage& other) { return position < other.position; });
  ready.insert(place, item);
}

QueuedMessage SimulatedQueue::take_first() {
  const QueuedMessage item = ready.front();
  ready.pop_front();
  return item;
}

OpenDeliveries::Tag OpenDeliveries::add(const QueuedMessage& item) {
  slots_.push_back({item});
  ++open_;
  return first_ + slots_.size() - 1;
}

std::optional<QueuedMessage> OpenDeliveries::take(Tag tag) {
  if (tag < first_ || tag - first_ >= slots_.size() || !slots_[tag - first_].open) return std::nullopt;
  Slot& slot = slots_[tag - first_];
  slot.open = false;
  --open_;
  const QueuedMessage item = slot.item;
  drop_settled();
  return item;
}

std::vector<QueuedMessage> OpenDeliveries::take_through(Tag tag) {
  std::vector<QueuedMessage> taken;
  while (!slots_.empty() && first_ <= tag) {
    if (slots_.front().open) {
      taken.push_back(slots_.front().item);
      --open_;
    }
    slots_.pop_front();
    ++first_;
  }
  drop_settled();
  return taken;
}

void OpenDeliveries::drop_settled() {
  while (!slots_.empty() && !slots_.front().open) {
    slots_.pop_front();
    ++first_;
  }
}

}  // namespace brokerlab
