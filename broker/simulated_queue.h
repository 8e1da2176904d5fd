#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/recording.h"

namespace brokerlab {

// A message in a simulation: what the broker must know of it. Whose message it is and when it was due is its
// publisher's business, who knows it by its id.
struct SimulatedMessage {
  std::uint64_t id = 0;
  std::uint32_t bytes = 0;
  std::uint32_t route = 0;  // as SimulatedBroker::route numbers them
  bool redelivered = false;
  DeathReason death = DeathReason::kNone;  // the last one
  std::uint8_t deaths = 0;
  std::uint16_t death_queue = 0;  // as in DeliveryRecord
};

// A message at its place in a queue.
struct QueuedMessage {
  std::uint64_t position = 0;
  Nanoseconds expires_ns = 0;  // 0: never
  SimulatedMessage message;
};

// A classic queue: messages by position, and the consumers in the order of their turns. A plain structure of
// SimulatedBroker.
struct SimulatedQueue {
  std::string name;
  std::optional<Nanoseconds> time_to_live_ns;
  std::optional<std::size_t> longest;  // the head makes room beyond it
  bool has_dead_letters = false;
  std::string dead_letter_exchange;
  std::optional<std::string> dead_letter_key;  // nothing: the one with which the message came

  std::deque<QueuedMessage> ready;
  std::deque<std::uint32_t> willing;  // consumers; whose turn it is first
  std::uint64_t next_position = 0;
  std::size_t unacked = 0;

  void append(const SimulatedMessage& message, Nanoseconds now);
  // At its old place, marked redelivered.
  void put_back(QueuedMessage item);
  QueuedMessage take_first();
};

// What a consumer has and has not settled, by delivery tag: tags rise by one.
class OpenDeliveries {
 public:
  using Tag = std::uint64_t;

  Tag add(const QueuedMessage& item);
  // Nothing when it was settled before, or never was.
  std::optional<QueuedMessage> take(Tag tag);
  // Everything up to the tag, the oldest first.
  std::vector<QueuedMessage> take_through(Tag tag);
  std::vector<QueuedMessage> take_all() { return take_through(first_ + slots_.size()); }
  std::size_t size() const { return open_; }

 private:
  struct Slot {
    QueuedMessage item;
    bool open = true;
  };
  void drop_settled();

  std::deque<Slot> slots_;
  Tag first_ = 1;  // of the first slot
  std::size_t open_ = 0;
};

}  // namespace brokerlab
