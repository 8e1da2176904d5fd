// The ledger against the same account by maps and sets, slow and plain, on random histories: whatever may go
// wrong does, all at once.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/key_hash.h"
#include "core/random.h"
#include "tests/analysis/ledger_history.h"

namespace brokerlab {
namespace {

using Message = std::pair<std::uint32_t, std::uint32_t>;               // publisher, sequence
using Copy = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;  // and queue

// Every word of docs/metrics.md, "Ledger", by itself.
class Reference {
 public:
  explicit Reference(const LedgerHistory& history) : history_(history) {
    for (const auto& publish : history.publishes)
      published_[{publish.publisher, publish.record.sequence}] = publish.record;
    for (const auto& delivery : history.deliveries) receive(delivery);
    for (const auto& [message, record] : published_) judge(message, record);
  }

  std::map<Copy, int> received, finished;
  std::set<Copy> rejected, died, lost_copies;
  std::set<Message> unexpected, lost_somewhere, recovered, returned_yet_received;
  std::map<std::uint32_t, std::set<std::uint32_t>> queues_of_key;
  std::int64_t order_violations = 0, rerouted = 0, redelivered = 0, second_copies = 0;
  std::int64_t ok = 0, fail = 0, info = 0, handled = 0, handed_back = 0, left_open = 0;

  std::int64_t lost() const { return static_cast<std::int64_t>(lost_copies.size() + lost_somewhere.size()); }
  std::int64_t duplicates() const { return beyond_first(received); }
  std::int64_t done_again() const { return beyond_first(finished); }
  std::int64_t duplicated() const {
    std::int64_t count = 0;
    for (const auto& [copy, times] : received) count += times > 1;
    return count;
  }
  std::int64_t strays() const {
    std::int64_t count = 0;
    for (const auto& [key, queues] : queues_of_key) count += queues.size() > 1;
    return count;
  }

 private:
  static std::int64_t beyond_first(const std::map<Copy, int>& times) {
    std::int64_t sum = 0;
    for (const auto& [copy, count] : times) sum += count - 1;
    return sum;
  }
  const RouteEvidence& route_of(const Message& message) const {
    return history_.routes[published_.at(message).route];
  }
  bool on_route(const Message& message, std::uint32_t queue) const {
    const auto& queues = route_of(message).queues;
    return std::find(queues.begin(), queues.end(), queue) != queues.end();
  }

  void receive(const LedgerHistory::Delivery& delivery) {
    const DeliveryRecord& record = delivery.record;
    const Message message{record.publisher, record.sequence};
    if (!published_.count(message)) {
      unexpected.insert(message);
      return;
    }
    const Copy copy{record.publisher, record.sequence, delivery.queue};
    if (received[copy]++ == 0) {
      if (!on_route(message, delivery.queue))
        ++rerouted;
      else if (route_of(message).delivery == RouteDelivery::kOneOf)
        queues_of_key[route_of(message).key].insert(delivery.queue);
    }
    const auto settlement = static_cast<Settlement>(record.settlement);
    const bool done = settlement == Settlement::kAcked || settlement == Settlement::kRejected ||
                      (settlement != Settlement::kRequeued && record.done_ns != 0);
    if (done) ++finished[copy];
    ++(done ? handled : settlement == Settlement::kRequeued ? handed_back : left_open);
    if (settlement == Settlement::kRejected) rejected.insert(copy);
    for (std::uint32_t queue = 0; record.death != 0 && queue < history_.queues.size(); ++queue)
      if (queue_hash(history_.queues[queue].name) == record.death_queue)
        died.insert({record.publisher, record.sequence, queue});
    if (record.flags & kRedelivered) {
      ++redelivered;
    } else if (record.death == 0) {
      const auto key = std::pair(delivery.consumer, record.publisher);
      order_violations += last_.count(key) && record.sequence < last_[key];
      last_[key] = record.sequence;
    }
  }

  bool received_anywhere(const Message& message) const {
    for (std::uint32_t queue = 0; queue < history_.queues.size(); ++queue)
      if (received.count({message.first, message.second, queue})) return true;
    return false;
  }

  void judge(const Message& message, const PublishRecord& record) {
    const bool failed = record.outcome & (kRefused | kReturned | kNacked);
    const bool confirmed = record.outcome & kConfirmed;
    ++(failed ? fail : confirmed ? ok : info);
    if (record.outcome & kReturned) {
      if (received_anywhere(message)) returned_yet_received.insert(message);
    } else if (record.outcome & (kRefused | kNacked) || record.outcome == 0) {
      if (received_anywhere(message)) recovered.insert(message);
    } else if (confirmed) {
      look_for(message);
    }
  }

  // Confirmed: where must it have been finished?
  void look_for(const Message& message) {
    const RouteEvidence& route = route_of(message);
    std::set<std::uint32_t> due;
    bool anywhere = received_anywhere(message);
    for (std::uint32_t queue = 0; queue < history_.queues.size(); ++queue) {
      const Copy copy{message.first, message.second, queue};
      if (received.count(copy)) due.insert(queue);
      if (route.delivery == RouteDelivery::kOneOf && on_route(message, queue) && died.count(copy)) {
        due.insert(queue);
        anywhere = true;
      }
    }
    if (route.delivery == RouteDelivery::kAll) due.insert(route.queues.begin(), route.queues.end());
    if (route.delivery == RouteDelivery::kOneOf) {
      std::int64_t seen = 0;
      for (const std::uint32_t queue : due) seen += on_route(message, queue);
      second_copies += seen > 1 ? seen - 1 : 0;
      if (!anywhere) lost_somewhere.insert(message);
    }
    for (const std::uint32_t queue : due)
      if (!accounted_for(message, queue)) lost_copies.insert({message.first, message.second, queue});
  }

  bool accounted_for(const Message& message, std::uint32_t queue) const {
    const Copy copy{message.first, message.second, queue};
    if (died.count(copy)) return true;
    for (const std::uint32_t dead : *history_.queues[queue].dead_letter_queues)
      if (received.count({message.first, message.second, dead}) && !on_route(message, dead)) return true;
    if (!finished.count(copy)) return false;
    const bool only_rejected = rejected.count(copy) && finished.at(copy) == 1;
    return !only_rejected || history_.queues[queue].dead_letter_queues->empty();
  }

  const LedgerHistory& history_;
  std::map<Message, PublishRecord> published_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> last_;
};

LedgerHistory random_history(std::uint64_t seed) {
  Random random(seed);
  const auto below = [&](std::uint64_t limit) { return static_cast<std::uint32_t>(random.below(limit)); };
  LedgerHistory history;
  const std::uint32_t queues = 1 + below(4);
  for (std::uint32_t queue = 0; queue < queues; ++queue)
    history.queues.push_back(LedgerHistory::empty_queue("queue-" + std::to_string(queue)));
  if (queues > 1 && below(2) == 0) history.queues[0].dead_letter_queues = {queues - 1};
  for (std::uint32_t key = 0; key < 5; ++key) {
    RouteEvidence route{key, below(3) == 0 ? RouteDelivery::kOneOf : RouteDelivery::kAll, {}};
    for (std::uint32_t queue = 0; queue < queues; ++queue)
      if (below(2) == 0) route.queues.push_back(queue);
    if (route.queues.empty()) route.queues = {below(queues)};
    history.routes.push_back(std::move(route));
  }
  history.publishers = 1 + below(3);
  const std::uint32_t messages = 1 + below(60);
  constexpr std::uint8_t kOutcomes[] = {kConfirmed, kConfirmed, kConfirmed,
                                        kConfirmed, kNacked,    0,
                                        kRefused,   kReturned,  kConfirmed | kReturned};
  for (std::uint32_t publisher = 0; publisher < history.publishers; ++publisher)
    for (std::uint32_t sequence = 0; sequence < messages; ++sequence)
      if (below(20) != 0)  // else a gap
        history.publishes.push_back(
            {publisher, LedgerHistory::published(sequence, static_cast<std::uint8_t>(below(5)),
                                                 kOutcomes[below(std::size(kOutcomes))])});
  constexpr Settlement kSettlements[] = {Settlement::kAcked,    Settlement::kAcked,
                                         Settlement::kNone,     Settlement::kRequeued,
                                         Settlement::kRejected, Settlement::kAutomatic};
  const std::uint32_t deliveries = below(3 * messages * history.publishers * queues + 1);
  for (std::uint32_t i = 0; i < deliveries; ++i) {
    const std::uint32_t queue = below(queues), consumer = queue + queues * below(2);
    DeliveryRecord record =
        LedgerHistory::delivered(below(history.publishers), below(messages + 2), kSettlements[below(6)],
                                 below(3) == 0 ? kRedelivered : 0);
    if (below(10) == 0) {
      record.death = static_cast<std::uint8_t>(1 + below(kDeathReasons - 1));
      record.death_queue = queue_hash(history.queues[below(queues)].name);
    }
    history.deliveries.push_back({consumer, queue, record});
  }
  return history;
}

template <typename Set>
std::int64_t count_of(const Set& set) {
  return static_cast<std::int64_t>(set.size());
}

void expect_agreement(const LedgerAccount& account, const Reference& reference) {
  EXPECT_EQ(account.unique, count_of(reference.received));
  EXPECT_EQ(account.duplicates, reference.duplicates());
  EXPECT_EQ(account.duplicated, reference.duplicated());
  EXPECT_EQ(account.done, count_of(reference.finished));
  EXPECT_EQ(account.done_again, reference.done_again());
  EXPECT_EQ(account.redelivered_flag, reference.redelivered);
  EXPECT_EQ(account.order_violations, reference.order_violations);
  EXPECT_EQ(account.unexpected, count_of(reference.unexpected));
  EXPECT_EQ(account.recovered, count_of(reference.recovered));
  EXPECT_EQ(account.rerouted, reference.rerouted);
  EXPECT_EQ(account.dead_lettered(), count_of(reference.died));
  EXPECT_EQ(account.affinity_violations.value_or(0), reference.strays());
  EXPECT_EQ(account.lost, reference.lost());
  EXPECT_EQ(account.publishes.ok, reference.ok);
  EXPECT_EQ(account.publishes.fail, reference.fail);
  EXPECT_EQ(account.publishes.info, reference.info);
  EXPECT_EQ(account.handlings.ok, reference.handled);
  EXPECT_EQ(account.handlings.fail, reference.handed_back);
  EXPECT_EQ(account.handlings.info, reference.left_open);
}

void expect_ids(const LedgerAccount& account, const Reference& reference) {
  if (account.duplicated_ids.size() < LedgerAccount::kIdsListed) {
    EXPECT_EQ(count_of(account.duplicated_ids), reference.duplicated());
  }
  for (const MessageId& id : account.duplicated_ids)
    EXPECT_GT(reference.received.at({id.publisher, id.sequence, *id.queue}), 1);
  for (const MessageId& id : account.recovered_ids)
    EXPECT_TRUE(reference.recovered.count({id.publisher, id.sequence}));
  for (const MessageId& id : account.unexpected_ids)
    EXPECT_TRUE(reference.unexpected.count({id.publisher, id.sequence}));
  EXPECT_EQ(count_of(account.lost_ids), std::min<std::int64_t>(reference.lost(), 1000));
  std::set<Message> lost = reference.lost_somewhere;
  for (const auto& [publisher, sequence, queue] : reference.lost_copies) lost.insert({publisher, sequence});
  for (const MessageId& id : account.lost_ids) EXPECT_TRUE(lost.count({id.publisher, id.sequence}));
}

void expect_laws(const LedgerAccount& account, const Reference& reference) {
  for (const LedgerLaw& law : account.laws) {
    bool holds = true;
    if (law.law.starts_with("returned messages")) holds = reference.returned_yet_received.empty();
    if (law.law.starts_with("second copies")) holds = reference.second_copies == 0;
    if (law.law.starts_with("dead letters that were rejected"))
      holds = account.dead_letters[static_cast<std::size_t>(DeathReason::kRejected)] <= account.rejected;
    EXPECT_EQ(law.ok, holds) << law.law << ": " << law.left << " against " << law.right;
  }
}

TEST(LedgerProperty, AgreesWithASlowReferenceOnRandomHistories) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const LedgerHistory history = random_history(seed);
    const LedgerAccount account = history.account();
    const Reference reference(history);
    expect_agreement(account, reference);
    expect_ids(account, reference);
    expect_laws(account, reference);
    if (testing::Test::HasFailure()) return;  // the first is enough
  }
}

}  // namespace
}  // namespace brokerlab
