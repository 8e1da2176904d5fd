#include "analysis/first_arrivals.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace brokerlab {
namespace {

// 0 stands for "never".
void earlier(Nanoseconds& first, Nanoseconds other) {
  if (other != 0 && (first == 0 || other < first)) first = other;
}

}  // namespace

FirstArrivals::FirstArrivals(const RecordedRun& run, const RunAccounts& accounts, Visitor visit)
    : run_(run), accounts_(accounts), visit_(std::move(visit)) {}

void FirstArrivals::add(std::uint32_t consumer, std::uint32_t queue, const DeliveryRecord& record) {
  if (record.flags & (kUnstamped | kForeignRun)) return;
  const Nanoseconds settled = Ledger::finished(record) ? record.settled_ns : 0;
  const Nanoseconds finished = record.done_ns != 0 ? record.done_ns : settled;
  const FirstArrival arrival{.publisher = record.publisher,
                             .sequence = record.sequence,
                             .queue = queue,
                             .role = run_.consumers()[consumer].role,
                             .intended = record.intended_ns,
                             .sent = record.sent_ns,
                             .received = record.received_ns,
                             .done = record.done_ns,
                             .finished = already_out(record, queue) ? 0 : finished};
  if (accounts_.ledger().delivered_again(record.publisher, record.sequence, queue))
    contested_.push_back(arrival);
  else
    visit_(arrival);
}

// A rejected message left the backlog with its rejection, wherever it went then. What expired, or was pushed
// out, leaves it when somebody takes it from the queue of dead letters.
bool FirstArrivals::already_out(const DeliveryRecord& record, std::uint32_t queue) const {
  return record.death == static_cast<std::uint8_t>(DeathReason::kRejected) &&
         accounts_.ledger().moved(record.publisher, record.sequence, queue);
}

void FirstArrivals::finish() {
  const auto copy = [](const FirstArrival& arrival) {
    return std::tuple(arrival.publisher, arrival.queue, arrival.sequence);
  };
  std::sort(contested_.begin(), contested_.end(), [&](const FirstArrival& a, const FirstArrival& b) {
    return std::tuple(copy(a), a.received) < std::tuple(copy(b), b.received);
  });
  for (std::size_t i = 0; i < contested_.size();) {
    FirstArrival first = contested_[i];
    for (++i; i < contested_.size() && copy(contested_[i]) == copy(first); ++i) {
      earlier(first.done, contested_[i].done);
      earlier(first.finished, contested_[i].finished);
    }
    visit_(first);
  }
  contested_ = {};
}

}  // namespace brokerlab
