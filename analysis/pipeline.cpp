#include "analysis/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

#include "core/units.h"

namespace brokerlab {
namespace {

// In place of the age of an origin at its completion.
constexpr Nanoseconds kNever = std::numeric_limits<Nanoseconds>::max();
constexpr Nanoseconds kWarmUp = kNever - 1;  // completed, but not measured

const DeclaredPublisher* find_publisher(const RecordedRun& run, std::uint32_t id) {
  for (const DeclaredPublisher& publisher : run.publishers())
    if (publisher.id == id) return &publisher;
  return nullptr;
}

// Which roles messages lead to from which, over any number of steps.
class Reach {
 public:
  explicit Reach(std::size_t roles) : roles_(roles), to_(roles * roles) {}
  void join(std::size_t from, std::size_t to) { to_[from * roles_ + to] = true; }
  void close() {
    for (std::size_t by = 0; by < roles_; ++by)
      for (std::size_t from = 0; from < roles_; ++from)
        for (std::size_t to = 0; to < roles_ && leads(from, by); ++to)
          if (leads(by, to)) join(from, to);
  }
  bool leads(std::size_t from, std::size_t to) const { return to_[from * roles_ + to]; }
  // Everything on a cycle with it.
  std::vector<std::size_t> around(std::size_t role) const {
    std::vector<std::size_t> members;
    for (std::size_t other = 0; other < roles_; ++other)
      if (leads(role, other) && leads(other, role)) members.push_back(other);
    return members;
  }

 private:
  std::size_t roles_;
  std::vector<bool> to_;
};

}  // namespace

std::string to_text(const FeedbackLoop& loop) {
  std::string through;
  for (const std::string& role : loop.roles)
    if (role != loop.role) through += (through.empty() ? "through " : ", ") + role;
  return fmt::format("{}, which publishes to {} with key \"{}\" ({}{}{} deliveries, {} hops deep)", loop.role,
                     loop.exchange.empty() ? "the default exchange" : "exchange " + loop.exchange,
                     loop.routing_key, through, through.empty() ? "" : "; ",
                     format_count(static_cast<std::uint64_t>(loop.deliveries)), loop.hops_max);
}

PipelineAccount::PipelineAccount(const RecordedRun& run, const RunAccounts& accounts)
    : run_(run), accounts_(accounts) {
  for (const RecordedConsumer& consumer : run.consumers()) completes_ |= consumer.completes;
  const auto& publishers = run.publishers();
  const bool roles_publish = std::any_of(publishers.begin(), publishers.end(),
                                         [](const DeclaredPublisher& publisher) { return publisher.role; });
  if (!completes_ && !roles_publish) return;
  run.each_delivery_and_detail([&](std::uint32_t consumer, std::uint32_t, const DeliveryRecord& record,
                                   const DeliveryDetail* detail) { add(consumer, record, detail); });
  count_completed();
  find_loops();
}

void PipelineAccount::add(std::uint32_t consumer, const DeliveryRecord& record,
                          const DeliveryDetail* detail) {
  if (record.flags & (kUnstamped | kForeignRun)) return;
  published_on_ |= record.hops > 0;
  hop_limited_ += (record.flags & kHopLimited) != 0;
  if (record.done_ns == 0) return;
  const RecordedConsumer& by = run_.consumers()[consumer];
  if (by.completes) complete(record, detail);
  // A message without an origin was caused by no other: whoever published it began something new.
  if (detail != nullptr && detail->origin_publisher != DeliveryDetail::kNoOrigin) pass_on(by.role, record);
}

void PipelineAccount::complete(const DeliveryRecord& record, const DeliveryDetail* detail) {
  const bool caused = detail != nullptr && detail->origin_publisher != DeliveryDetail::kNoOrigin;
  const std::uint32_t publisher = caused ? detail->origin_publisher : record.publisher;
  const std::uint32_t sequence = caused ? detail->origin_sequence : record.sequence;
  const Nanoseconds intended = caused ? detail->origin_intended_ns : record.intended_ns;
  if (!accounts_.ledger().route_of(publisher, sequence)) return;  // nobody published that
  std::vector<Nanoseconds>& ages = first_done_[publisher];
  if (sequence >= ages.size()) ages.resize(sequence + 1, kNever);
  const Nanoseconds age = intended < run_.evidence().measure_start() ? kWarmUp : record.done_ns - intended;
  ages[sequence] = std::min(ages[sequence], age);
}

void PipelineAccount::pass_on(std::uint32_t role, const DeliveryRecord& record) {
  const std::uint8_t route =
      accounts_.ledger().route_of(record.publisher, record.sequence).value_or(kRouteUnlisted);
  const std::uint64_t key =
      (static_cast<std::uint64_t>(record.publisher) << 32) | (static_cast<std::uint64_t>(role) << 8) | route;
  Edge& edge = edges_.try_emplace(key, Edge{record.publisher, route, role}).first->second;
  ++edge.deliveries;
  edge.hops_min = std::min<std::int64_t>(edge.hops_min, record.hops);
  edge.hops_max = std::max<std::int64_t>(edge.hops_max, record.hops);
}

void PipelineAccount::count_completed() {
  for (const auto& [publisher, ages] : first_done_) {
    for (const Nanoseconds age : ages) {
      completed_ += age != kNever;
      if (age >= kWarmUp) continue;
      if (!completion_) completion_ = std::make_unique<Histogram>();
      completion_->record(age);
    }
  }
  first_done_.clear();
}

std::vector<PipelineAccount::NamedEdge> PipelineAccount::named_edges() const {
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::string, std::string>, NamedEdge> named;
  for (const auto& [key, edge] : edges_) {
    const DeclaredPublisher* publisher = find_publisher(run_, edge.publisher);
    if (publisher == nullptr || !publisher->role) continue;
    const auto [exchange, routing_key] = publisher->route_name(edge.route);
    const std::tuple place(*publisher->role, edge.to, exchange, routing_key);
    const auto found =
        named.try_emplace(place, NamedEdge{*publisher->role, edge.to, exchange, routing_key, 0, INT64_MAX, 0})
            .first;
    found->second.deliveries += edge.deliveries;
    found->second.hops_min = std::min(found->second.hops_min, edge.hops_min);
    found->second.hops_max = std::max(found->second.hops_max, edge.hops_max);
  }
  std::vector<NamedEdge> list;
  for (auto& [place, edge] : named) list.push_back(std::move(edge));
  return list;
}

// Roles that feed each other need not be a loop: requests may pass from A to B and others from B to A, and
// none come round. In a loop through n roles some message comes through n of its edges, one hop each.
void PipelineAccount::find_loops() {
  const std::vector<NamedEdge> edges = named_edges();
  Reach reach(run_.roles().size());
  for (const NamedEdge& edge : edges) reach.join(edge.from, edge.to);
  reach.close();
  std::map<std::vector<std::size_t>, std::pair<std::int64_t, std::int64_t>> depths;  // members -> hops
  for (const NamedEdge& edge : edges) {
    if (!reach.leads(edge.to, edge.from)) continue;
    const auto found = depths.try_emplace(reach.around(edge.from), INT64_MAX, 0).first;
    found->second.first = std::min(found->second.first, edge.hops_min);
    found->second.second = std::max(found->second.second, edge.hops_max);
  }
  for (const NamedEdge& edge : edges) {
    if (!reach.leads(edge.to, edge.from)) continue;
    const std::vector<std::size_t> members = reach.around(edge.from);
    const auto [shallowest, deepest] = depths.at(members);
    if (deepest - shallowest + 1 < static_cast<std::int64_t>(members.size())) continue;
    const std::string& role = run_.roles()[edge.from];
    auto loop = std::find_if(loops_.begin(), loops_.end(), [&](const FeedbackLoop& known) {
      return std::tie(known.role, known.exchange, known.routing_key) ==
             std::tie(role, edge.exchange, edge.routing_key);
    });
    if (loop == loops_.end()) {
      loop = loops_.insert(loops_.end(), {role, edge.exchange, edge.routing_key, {}, 0, 0});
      for (const std::size_t member : members) loop->roles.push_back(run_.roles()[member]);
    }
    loop->deliveries += edge.deliveries;
    loop->hops_max = std::max(loop->hops_max, edge.hops_max);
  }
  std::stable_sort(loops_.begin(), loops_.end(),
                   [](const FeedbackLoop& a, const FeedbackLoop& b) { return a.deliveries > b.deliveries; });
}

Json PipelineAccount::to_json(const Json& network) const {
  const LedgerAccount& account = accounts_.account();
  Json json = {{"submitted", accounts_.tasks()},
               {"deliveries", account.deliveries},
               {"ignored", account.ignored},
               {"hop_limited", hop_limited_}};
  if (account.deliveries > 0)
    json["ignored_share"] = static_cast<double>(account.ignored) / static_cast<double>(account.deliveries);
  if (completes_) {
    json["completed"] = completed_;
    const auto per_completed = [&](const char* name, double count) {
      if (completed_ > 0) json[name] = count / static_cast<double>(completed_);
    };
    per_completed("deliveries_per_completed", static_cast<double>(account.deliveries));
    if (network.contains("messages"))
      per_completed("messages_per_completed", network.at("messages").get<double>());
  }
  json["loops"] = Json::array();
  for (const FeedbackLoop& loop : loops_) {
    json["loops"].push_back({{"role", loop.role},
                             {"exchange", loop.exchange},
                             {"routing_key", loop.routing_key},
                             {"roles", loop.roles},
                             {"deliveries", loop.deliveries},
                             {"hops_max", loop.hops_max}});
  }
  return json;
}

}  // namespace brokerlab
