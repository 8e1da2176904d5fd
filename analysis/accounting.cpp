#include "analysis/accounting.h"

#include <algorithm>
#include <map>
#include <set>

namespace brokerlab {
namespace {

void lower(std::optional<Nanoseconds>& least, Nanoseconds value) {
  least = std::min(least.value_or(value), value);
}
void raise(std::optional<Nanoseconds>& most, Nanoseconds value) {
  most = std::max(most.value_or(value), value);
}

}  // namespace

Nanoseconds RunExtent::last(Nanoseconds otherwise) const {
  std::optional<Nanoseconds> latest;
  for (const auto& end : {last_sent, last_settled, last_received, last_done})
    if (end) raise(latest, *end);
  return latest.value_or(otherwise);
}

RunAccounts::RunAccounts(const RecordedRun& run)
    : run_(run), ledger_(run.evidence().queues, run.evidence().drained), recovery_(run) {
  for (const DeclaredPublisher& publisher : run.publishers())
    ledger_.declare_publisher(publisher.id, publisher.routes, publisher.other, publisher.mandatory);
  std::set<std::pair<std::uint32_t, std::uint32_t>> died;  // (role, instance) of a process before its restart
  for (std::uint32_t i = 0; i < run.consumers().size(); ++i) {
    const RecordedConsumer& consumer = run.consumers()[i];
    ConsumerShare share;
    share.role = run.roles()[consumer.role];
    share.instance = consumer.instance;
    share.name = consumer.name;
    share.queue = run.evidence().queues[consumer.queue].name;
    share.alive = !run.killed(i) && !died.count({consumer.role, consumer.instance});
    if (run.killed(i)) died.insert({consumer.role, consumer.instance});
    shares_.push_back(std::move(share));
  }
  read_publishes();
  read_deliveries();
  read_events();
  account_ = ledger_.finish();
}

void RunAccounts::read_publishes() {
  run_.each_publish(
      [&](const RecordedProcess& process, std::uint32_t publisher, const PublishRecord& record) {
        ledger_.add_publish(publisher, record);
        if (record.outcome & kRefused) return;
        if (run_.evidence_of(process).is_load) {
          ++tasks_;
          lower(extent_.first_due, record.intended_ns);
          lower(extent_.first_sent, record.sent_ns);
        }
        raise(extent_.last_sent, record.sent_ns);
        if (record.settled_ns != 0) raise(extent_.last_settled, record.settled_ns);
      });
}

void RunAccounts::read_deliveries() {
  run_.each_delivery([&](std::uint32_t consumer, std::uint32_t queue, const DeliveryRecord& record) {
    raise(extent_.last_received, record.received_ns);
    if (record.done_ns != 0) raise(extent_.last_done, record.done_ns);
    add_share(consumer, record);
    add_bar(consumer, record);
    if (ledger_.add_delivery(record, consumer, queue) == Ledger::Kind::kForeign) return;
    recovery_.add_delivery(consumer, queue, record);
  });
}

void RunAccounts::add_share(std::uint32_t consumer, const DeliveryRecord& record) {
  if (record.intended_ns < run_.evidence().measure_start() && !(record.flags & (kUnstamped | kForeignRun)))
    return;
  ConsumerShare& share = shares_[consumer];
  ++share.received;
  if (Ledger::finished(record)) {
    ++share.messages;
    share.bytes += record.body_bytes;
  }
  if (record.started_ns == 0) return;
  if (record.done_ns != 0)
    share.busy_ns += std::max<Nanoseconds>(0, record.done_ns - record.started_ns);
  else if (const auto killed = recovery_.killed_at(consumer))
    share.busy_ns += std::max<Nanoseconds>(0, *killed - record.started_ns);
}

void RunAccounts::add_bar(std::uint32_t consumer, const DeliveryRecord& record) {
  if (!run_.consumers()[consumer].works || record.started_ns == 0) return;
  Bar bar{record.started_ns, record.done_ns, consumer, false};
  if (bar.done == 0) {
    const auto killed = recovery_.killed_at(consumer);
    if (!killed) return;
    bar.done = *killed;
    bar.cut = true;
  }
  bars_.push(bar);
  if (bars_.size() <= kMostBars) return;
  bars_.pop();
  ++bars_omitted_;
}

bool RunAccounts::subscribes_late(const RecordedProcess& process) const {
  const ProcessEvidence& evidence = run_.evidence_of(process);
  if (!run_.evidence().faults.empty()) return true;  // restarted and reconnected consumers come when they can
  if (evidence.spec >= run_.evidence().roles.size()) return false;
  const Json& spec = run_.evidence().roles[evidence.spec];
  if (!spec.contains("consume")) return false;
  return spec.at("consume").contains("start") ||
         spec.at("consume").value("subscribe", "before_load") == "after_load";
}

void RunAccounts::read_events() {
  std::map<std::pair<std::uint32_t, std::uint32_t>, Nanoseconds>
      consuming;  // (process, instance) -> first time
  const Nanoseconds end = std::max(extent_.last(0), run_.evidence().drain_end_ns.value_or(0));
  run_.each_event([&](const RecordedProcess& process, const EventRecord& event) {
    const Nanoseconds lasted =
        std::max<Nanoseconds>(0, (event.ended_ns ? event.ended_ns : end) - event.at_ns);
    const bool load = run_.evidence_of(process).is_load;
    recovery_.add_event(process, event);
    switch (static_cast<EventKind>(event.kind)) {
      case EventKind::kConnectionBlocked:
        events_.connection_blocked += lasted;
        break;
      case EventKind::kReconnect:
        ++events_.reconnects;
        break;
      case EventKind::kHeartbeatClose:
        ++events_.heartbeat_closes;
        break;
      case EventKind::kWriteBlocked:
        if (load) events_.write_blocked += lasted;
        break;
      case EventKind::kConfirmWindowHit:
        if (load) events_.confirm_window += lasted;
        break;
      case EventKind::kLoopStall:
        if (load) raise(events_.worst_load_stall, event.value);
        break;
      case EventKind::kHiccup:
        raise(events_.worst_hiccup, event.value);
        break;
      case EventKind::kConsuming:
        if (!subscribes_late(process)) consuming.try_emplace({process.evidence, event.instance}, event.at_ns);
        break;
      default:
        break;
    }
  });
  for (const auto& [consumer, at] : consuming) {
    ++events_.consuming;
    events_.consuming_late += extent_.first_sent && at > *extent_.first_sent;
  }
}

std::optional<Nanoseconds> RunAccounts::makespan() const {
  if (!extent_.first_due || !extent_.last_done) return std::nullopt;
  const Nanoseconds span = *extent_.last_done - std::min(*extent_.first_due, *extent_.first_sent);
  return span > 0 ? std::optional(span) : std::nullopt;
}

std::vector<ConsumerShare> RunAccounts::shares() const {
  std::vector<ConsumerShare> shares = shares_;
  const Nanoseconds measure = run_.evidence().measure_start();
  const Nanoseconds start = std::max(measure, extent_.first_due.value_or(measure));
  for (std::uint32_t i = 0; i < shares.size() && extent_.last_done; ++i) {
    const Nanoseconds end = recovery_.killed_at(i).value_or(*extent_.last_done);
    if (end > start) shares[i].present_ns = end - start;
  }
  return shares;
}

void RunAccounts::add_gantt(Json& run) const {
  if (bars_.empty()) return;
  std::vector<Bar> sorted;
  for (auto rest = bars_; !rest.empty(); rest.pop()) sorted.push_back(rest.top());
  std::reverse(sorted.begin(), sorted.end());
  Json gantt = Json::array();
  for (const Bar& bar : sorted) {
    Json json = {{"consumer", run_.consumers()[bar.consumer].name},
                 {"started_ns", bar.started - run_.evidence().t0_ns},
                 {"done_ns", bar.done - run_.evidence().t0_ns}};
    if (bar.cut) json["cut"] = true;
    gantt.push_back(std::move(json));
  }
  run["gantt"] = std::move(gantt);
  if (bars_omitted_ > 0) run["gantt_omitted"] = bars_omitted_;
}

}  // namespace brokerlab
