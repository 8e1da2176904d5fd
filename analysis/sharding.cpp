#include "analysis/sharding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analysis/chi_square.h"
#include "analysis/ledger.h"
#include "core/key_hash.h"

namespace brokerlab {
namespace {

// Share of the keys that a consistent hash over n queues must move: those of the one that leaves, or what the
// one that joins gets.
double ideal_share(const MembershipChange& change) {
  const auto n = static_cast<double>(change.members_before.size());
  return change.join ? 1 / (n + 1) : 1 / std::max(n, 1.0);
}

// What the broker's exchange moves: its buckets lie in bind order, and a jump hash over n of them picks one.
// Taking out bucket i shifts all behind it; nothing where the queue's place is not known.
std::optional<double> formula_share(const MembershipChange& change) {
  const auto& before = change.members_before;
  const auto n = static_cast<double>(before.size());
  if (change.join) return 1 / (n + 1);
  const auto place = std::find(before.begin(), before.end(), change.queue);
  if (place == before.end()) return std::nullopt;
  const auto i = static_cast<double>(place - before.begin());
  if (i + 1 == n) return 1 / n;
  return (1 + (n - 2 - i) + (n - 2) / (n - 1)) / n;
}

void add_spread(Json& json, const std::vector<std::uint32_t>& members,
                const std::vector<std::int64_t>& keys) {
  std::vector<double> counts;
  for (const std::uint32_t queue : members) counts.push_back(static_cast<double>(keys[queue]));
  const auto chi_square = chi_square_of_equal(counts);
  if (!chi_square) return;
  const int degrees = static_cast<int>(counts.size()) - 1;
  json["chi_square"] = *chi_square;
  json["df"] = degrees;
  json["p_value"] = chi_square_p_value(*chi_square, degrees);
}

}  // namespace

ShardingAccount::ShardingAccount(const RecordedRun& run) : run_(run) {
  choose_exchange();
  if (shared_.empty()) return;
  make_epochs();
  run.each_delivery_and_detail(
      [&](std::uint32_t, std::uint32_t queue, const DeliveryRecord& record, const DeliveryDetail* detail) {
        if (detail == nullptr || detail->key_hash == 0 || !shared_[queue]) return;
        if (record.flags & (kUnstamped | kForeignRun)) return;
        add(queue, record, detail->key_hash);
      });
}

// The exchange whose membership changed, else the one that shares out among the most queues.
void ShardingAccount::choose_exchange() {
  const RunEvidence& evidence = run_.evidence();
  std::map<std::string, std::set<std::uint32_t>> candidates;
  const auto offer = [&](const std::string& exchange, const RouteEvidence& route) {
    if (route.delivery == RouteDelivery::kOneOf)
      candidates[exchange].insert(route.queues.begin(), route.queues.end());
  };
  for (const auto& [place, route] : evidence.routes) offer(place.first, route);
  for (const auto& [exchange, route] : evidence.other_keys) offer(exchange, route);
  const auto largest =
      std::max_element(candidates.begin(), candidates.end(),
                       [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  if (largest != candidates.end()) exchange_ = largest->first;
  if (!evidence.membership.empty()) exchange_ = evidence.membership.front().exchange;
  for (const MembershipChange& change : evidence.membership) {
    if (change.exchange != exchange_) continue;
    changes_.push_back(change);
    candidates[exchange_].insert(change.queue);
    candidates[exchange_].insert(change.members_before.begin(), change.members_before.end());
  }
  if (candidates[exchange_].empty()) return;
  shared_.resize(evidence.queues.size());
  for (const std::uint32_t queue : candidates[exchange_]) shared_[queue] = true;
}

void ShardingAccount::make_epochs() {
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const MembershipChange& a, const MembershipChange& b) { return a.at_ns < b.at_ns; });
  epochs_.resize(changes_.size() + 1);
  for (Epoch& epoch : epochs_) epoch.messages.resize(shared_.size());
  epochs_[0].begin = epochs_[0].settled = run_.evidence().t0_ns;
  if (changes_.empty()) {
    for (std::uint32_t queue = 0; queue < shared_.size(); ++queue)
      if (shared_[queue]) epochs_[0].members.push_back(queue);
    return;
  }
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    const MembershipChange& change = changes_[i];
    epochs_[i].members = change.members_before;
    Epoch& next = epochs_[i + 1];
    next.settled = change.at_ns;
    next.begin = change.asked_ns.value_or(change.at_ns);
    next.members = change.members_before;
    if (change.join)
      next.members.push_back(change.queue);
    else
      std::erase(next.members, change.queue);
  }
}

// A message was routed between its send and its receipt. Where a change of membership lies between the two,
// nobody can say which of the two memberships it met.
void ShardingAccount::add(std::uint32_t queue, const DeliveryRecord& record, std::uint64_t key) {
  last_received_ = std::max(last_received_, record.received_ns);
  std::size_t epoch = epochs_.size() - 1;
  while (epoch > 0 && epochs_[epoch].settled > record.sent_ns) --epoch;
  const bool placed = epoch + 1 == epochs_.size() || epochs_[epoch + 1].begin > record.received_ns;
  const auto [found, fresh] = keys_.try_emplace(key, static_cast<std::uint32_t>(keys_.size()));
  if (fresh) places_.resize(places_.size() + places_per_key());
  Place& place = places_[found->second * places_per_key() + 2 * epoch + (placed ? 0 : 1)];
  const bool strayed = !place.add(queue);
  if (!placed) {
    ++unplaced_;
    return;
  }
  ++epochs_[epoch].messages[queue];
  if (!strayed) return;
  ++violations_;
  if (violating_.size() < LedgerAccount::kIdsListed)
    violating_.push_back({key, place.queue, queue, record.publisher, record.sequence});
}

// Recordings keep hashes of keys; the plan knows the keys themselves where they are not generated.
Json ShardingAccount::violating_keys() const {
  const RunEvidence& evidence = run_.evidence();
  std::unordered_map<std::uint64_t, std::string> names;
  if (!violating_.empty()) {
    for (const auto& [place, route] : evidence.routes)
      if (place.first == exchange_) names.emplace(key_hash(place.second), place.second);
  }
  Json list = Json::array();
  for (const Violation& found : violating_) {
    const auto name = names.find(found.key_hash);
    const bool known = name != names.end();
    list.push_back(
        {{"exchange", exchange_},
         {known ? "routing_key" : "key_hash", known ? name->second : fmt::format("{:016x}", found.key_hash)},
         {"queues", {evidence.queues[found.before].name, evidence.queues[found.queue].name}},
         {"publisher", found.publisher},
         {"sequence", found.sequence}});
  }
  return list;
}

bool ShardingAccount::Place::add(std::uint32_t seen) {
  if (queue == kNowhere) queue = seen;
  if (queue == seen || other != kNowhere) return true;
  other = seen;
  return false;
}

// Distinct keys that were seen on each queue during these epochs.
std::vector<std::int64_t> ShardingAccount::keys_by_queue(std::size_t first_epoch,
                                                         std::size_t last_epoch) const {
  std::vector<std::int64_t> counts(shared_.size());
  for (std::size_t key = 0; key < keys_.size(); ++key) {
    for (std::size_t epoch = first_epoch; epoch <= last_epoch; ++epoch) {
      const std::uint32_t queue = place(key, epoch).queue;
      bool known = false;
      for (std::size_t earlier = first_epoch; earlier < epoch; ++earlier)
        known = known || place(key, earlier).queue == queue;
      if (queue != kNowhere && !known) ++counts[queue];
    }
  }
  return counts;
}

Json ShardingAccount::queues_json(const std::vector<std::uint32_t>& queues,
                                  const std::vector<std::int64_t>& keys,
                                  const std::vector<std::int64_t>& messages) const {
  Json json = Json::array();
  for (const std::uint32_t queue : queues) {
    json.push_back({{"queue", run_.evidence().queues[queue].name},
                    {"keys", keys[queue]},
                    {"messages", messages[queue]}});
  }
  return json;
}

Json ShardingAccount::epoch_json(std::size_t epoch) const {
  const Epoch& which = epochs_[epoch];
  const std::vector<std::int64_t> keys = keys_by_queue(epoch, epoch);
  const bool last = epoch + 1 == epochs_.size();
  const Nanoseconds t0 = run_.evidence().t0_ns;
  std::int64_t all = 0;
  for (const std::int64_t count : keys) all += count;
  Json json = {{"from_ns", which.settled - t0},
               {"to_ns", (last ? std::max(last_received_, which.settled) : epochs_[epoch + 1].begin) - t0},
               {"keys", all},
               {"queues", queues_json(which.members, keys, which.messages)}};
  add_spread(json, which.members, keys);
  return json;
}

// By change: keys whose message before it lies on another queue than the next one after it. A message that
// was on its way during the change tells by its queue on which side it was routed.
std::vector<std::int64_t> ShardingAccount::stranded() const {
  std::vector<std::int64_t> counts(changes_.size());
  for (std::size_t key = 0; key < keys_.size(); ++key) {
    std::uint32_t last = kNowhere;
    for (std::size_t i = 0; i < places_per_key(); ++i) {
      const Place& place = places_[key * places_per_key() + i];
      if (place.queue == kNowhere) continue;
      const bool during = i % 2 == 1;
      const std::uint32_t next =
          during && place.other != kNowhere && place.queue == last ? place.other : place.queue;
      if (last != kNowhere && next != last) ++counts[during ? i / 2 : i / 2 - 1];
      last = next;
    }
  }
  return counts;
}

Json ShardingAccount::change_json(std::size_t index, std::int64_t stranded) const {
  const MembershipChange& change = changes_[index];
  std::int64_t compared = 0, moved = 0;
  for (std::size_t key = 0; key < keys_.size(); ++key) {
    const Place &before = place(key, index), &after = place(key, index + 1);
    if (before.queue == kNowhere || after.queue == kNowhere) continue;
    ++compared;
    moved += before.queue != after.queue;
  }
  Json json = {{"at_ns", change.at_ns - run_.evidence().t0_ns},
               {"change", change.join ? "join" : "leave"},
               {"queue", run_.evidence().queues[change.queue].name},
               {"members_before", change.members_before.size()},
               {"keys_compared", compared},
               {"moved", moved},
               {"ideal", ideal_share(change)},
               {"stranded", stranded}};
  if (compared > 0) json["moved_share"] = static_cast<double>(moved) / static_cast<double>(compared);
  if (const auto formula = formula_share(change)) json["formula"] = *formula;
  return json;
}

Json ShardingAccount::to_json() const {
  Json json = {{"exchange", exchange_}, {"keys", keys_.size()}, {"affinity_violations", violations_}};
  std::vector<std::uint32_t> queues;
  std::vector<std::int64_t> messages(shared_.size());
  for (std::uint32_t queue = 0; queue < shared_.size(); ++queue) {
    if (shared_[queue]) queues.push_back(queue);
    for (const Epoch& epoch : epochs_) messages[queue] += epoch.messages[queue];
  }
  json["queues"] = queues_json(queues, keys_by_queue(0, epochs_.size() - 1), messages);
  json["epochs"] = Json::array();
  for (std::size_t epoch = 0; epoch < epochs_.size(); ++epoch) json["epochs"].push_back(epoch_json(epoch));
  // The spread of the epoch that saw the most keys stands for the run.
  const auto largest =
      std::max_element(json["epochs"].begin(), json["epochs"].end(),
                       [](const Json& a, const Json& b) { return a.at("keys") < b.at("keys"); });
  for (const char* figure : {"chi_square", "df", "p_value"})
    if (largest->contains(figure)) json[figure] = largest->at(figure);
  json["changes"] = Json::array();
  const std::vector<std::int64_t> stranded_keys = stranded();
  for (std::size_t change = 0; change < changes_.size(); ++change)
    json["changes"].push_back(change_json(change, stranded_keys[change]));
  if (unplaced_ > 0) json["unplaced"] = unplaced_;
  return json;
}

}  // namespace brokerlab
