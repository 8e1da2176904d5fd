#include "analysis/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <queue>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "analysis/ledger.h"

namespace brokerlab {
namespace {

std::string json_text(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// How an operation ended, and when; `at` is 0 where nobody can say when.
struct Ending {
  const char* type;
  const char* outcome;
  Nanoseconds at;
};

Ending ending_of(const PublishRecord& record) {
  if (record.outcome & kRefused) return {"fail", "refused", record.settled_ns};
  if (record.outcome & kReturned) return {"fail", "returned", record.settled_ns};
  if (record.outcome & kNacked) return {"fail", "nacked", record.settled_ns};
  if (record.outcome & kConfirmed) return {"ok", "confirmed", record.settled_ns};
  if (record.outcome & kUnconfirmedByDesign) return {"info", "without confirms", record.sent_ns};
  return {"info", "undecided", 0};
}

Ending ending_of(const DeliveryRecord& record) {
  switch (static_cast<Settlement>(record.settlement)) {
    case Settlement::kAcked:
      return {"ok", "acked", std::max(record.settled_ns, record.done_ns)};
    case Settlement::kRejected:
      return {"ok", "rejected", record.settled_ns};
    case Settlement::kRequeued:
      return {"fail", "requeued", record.settled_ns};
    case Settlement::kAutomatic:
      if (Ledger::finished(record)) return {"ok", "automatic", std::max(record.settled_ns, record.done_ns)};
      return {"info", "undone", 0};
    case Settlement::kNone:
      break;
  }
  if (record.done_ns != 0) return {"ok", "done", record.done_ns};
  return {"info", "undone", 0};
}

// Something with a time that is not read from a stream: the end of an operation, a fault, a lost connection.
struct Pending {
  Nanoseconds at;
  std::uint64_t order;                          // among those of the same time: as they came up
  std::string text;                             // of its line, from the type on
  bool operator<(const Pending& other) const {  // for a queue with the earliest on top
    return std::tie(other.at, other.order) < std::tie(at, order);
  }
};

// The records of one kind of one recording, one by one.
template <class Record>
class Source {
 public:
  Source(const RecordedProcess& process, std::function<std::span<const Record>()> pull)
      : process(&process), pull_(std::move(pull)), block_(pull_()) {}

  const Record* front() const { return block_.empty() ? nullptr : block_.data(); }
  void pop() {
    block_ = block_.subspan(1);
    if (block_.empty()) block_ = pull_();
  }

  const RecordedProcess* process;

 private:
  std::function<std::span<const Record>()> pull_;
  std::span<const Record> block_;
};

Nanoseconds time_of(const PublishRecord& record) { return record.sent_ns; }
Nanoseconds time_of(const DeliveryRecord& record) { return record.received_ns; }

class HistoryWriter {
 public:
  HistoryWriter(const RecordedRun& run, const std::function<void(std::string_view)>& write)
      : run_(run), write_(write) {
    for (const RecordedProcess& process : run.processes()) {
      if (!process.reader) continue;
      publishes_.emplace_back(process, process.reader->pull_publishes());
      deliveries_.emplace_back(process, process.reader->pull_deliveries());
    }
    for (const RecordedConsumer& consumer : run.consumers())
      consumers_.push_back(fmt::format("\"process\":{},\"consumer\":{}", json_text(process_of(consumer)),
                                       json_text(consumer.name)));
    for (const QueueEvidence& queue : run.evidence().queues) queues_.push_back(json_text(queue.name));
    for (const DeclaredPublisher& publisher : run.publishers()) publishers_[publisher.id] = &publisher;
  }

  void write() {
    add_faults();
    add_connections();
    while (write_next()) {
    }
    write_undecided();
  }

 private:
  const std::string& process_of(const RecordedConsumer& consumer) const {
    return run_.evidence_of(run_.processes()[consumer.process]).name;
  }

  void line(Nanoseconds at, std::string_view text) {
    last_ = std::max(last_, at);
    text_.clear();
    fmt::format_to(std::back_inserter(text_), "{{\"time_ns\":{},{}}}\n", at - run_.evidence().t0_ns, text);
    write_(text_);
  }
  void later(Nanoseconds at, std::string text) { pending_.push({at, order_++, std::move(text)}); }

  void add_faults() {
    for (const FaultEvidence& fault : run_.evidence().faults) {
      const std::string target =
          fault.processes.empty() ? fault.target : fmt::format("{}", fmt::join(fault.processes, ", "));
      const auto text = [&](const char* event) {
        return fmt::format(R"("type":"info","f":"fault","kind":{},"target":{},"event":"{}")",
                           json_text(fault.kind), json_text(target), event);
      };
      if (fault.started_ns) later(*fault.started_ns, text("start"));
      if (fault.started_ns && fault.ended_ns) later(*fault.ended_ns, text("end"));
    }
  }

  void add_connections() {
    run_.each_event([&](const RecordedProcess& process, const EventRecord& event) {
      if (static_cast<EventKind>(event.kind) != EventKind::kReconnect) return;
      const auto text = [&](const char* what) {
        return fmt::format(R"("type":"info","f":"connection","process":{},"event":"{}")",
                           json_text(run_.evidence_of(process).name), what);
      };
      later(event.at_ns, text("lost"));
      if (event.ended_ns != 0) later(event.ended_ns, text("restored"));
    });
  }

  // The earliest of all sources and of what is pending; false when there is nothing any more.
  bool write_next() {
    auto publish = earliest(publishes_);
    auto delivery = earliest(deliveries_);
    const Nanoseconds sent = publish ? time_of(*publish->front()) : kNever;
    const Nanoseconds received = delivery ? time_of(*delivery->front()) : kNever;
    if (!pending_.empty() && pending_.top().at <= std::min(sent, received)) {
      const Pending next = pending_.top();
      pending_.pop();
      line(next.at, next.text);
    } else if (publish && sent <= received) {
      invoke(*publish->process, *publish->front());
      publish->pop();
    } else if (delivery) {
      invoke(*delivery->process, *delivery->front());
      delivery->pop();
    } else {
      return false;
    }
    return true;
  }

  template <class Record>
  Source<Record>* earliest(std::vector<Source<Record>>& sources) {
    Source<Record>* first = nullptr;
    for (Source<Record>& source : sources) {
      while (source.front() != nullptr && !is_whole(*source.process, *source.front())) source.pop();
      if (source.front() == nullptr) continue;
      if (first == nullptr || time_of(*source.front()) < time_of(*first->front())) first = &source;
    }
    return first;
  }

  // Not one that a killed process had only begun to write, nor one of a damaged file.
  static bool is_whole(const RecordedProcess& process, const PublishRecord& record) {
    return record.publisher < process.publishers.size() && (record.sent_ns != 0 || record.outcome & kRefused);
  }
  static bool is_whole(const RecordedProcess& process, const DeliveryRecord& record) {
    return record.consumer < process.consumers.size() && record.queue < process.queues.size() &&
           record.received_ns != 0;
  }

  std::string who(const RecordedProcess& process, const PublishRecord& record) const {
    return fmt::format(R"("f":"publish","process":{},"publisher":{},"sequence":{})",
                       json_text(run_.evidence_of(process).name), process.publishers[record.publisher],
                       record.sequence);
  }
  std::string who(const RecordedProcess& process, const DeliveryRecord& record) const {
    std::string text =
        fmt::format(R"("f":"handle",{},"queue":{})", consumers_[process.consumers[record.consumer]],
                    queues_[process.queues[record.queue]]);
    if (record.flags & (kUnstamped | kForeignRun)) return text + R"(,"foreign":true)";
    fmt::format_to(std::back_inserter(text), R"(,"publisher":{},"sequence":{})", record.publisher,
                   record.sequence);
    return text;
  }

  std::string invocation(const RecordedProcess& process, const PublishRecord& record) const {
    const auto publisher = publishers_.find(process.publishers[record.publisher]);
    const auto [exchange, key] = publisher->second->route_name(record.route);
    if (record.route >= publisher->second->names.size())
      return fmt::format(R"(,"exchange":{})", json_text(exchange));
    return fmt::format(R"(,"exchange":{},"routing_key":{})", json_text(exchange), json_text(key));
  }
  std::string invocation(const RecordedProcess&, const DeliveryRecord& record) const {
    std::string text = record.flags & kRedelivered ? R"(,"redelivered":true)" : "";
    if (record.death != 0)
      fmt::format_to(
          std::back_inserter(text), R"(,"death":"{}","deaths":{})",
          to_text(static_cast<DeathReason>(std::min<std::size_t>(record.death, kDeathReasons - 1))),
          record.deaths);
    return text;
  }

  template <class Record>
  void invoke(const RecordedProcess& process, const Record& record) {
    const std::string subject = who(process, record);
    line(time_of(record), fmt::format(R"("type":"invoke",{}{})", subject, invocation(process, record)));
    const Ending ending = ending_of(record);
    if (ending.at == 0) return;  // told at the end
    later(std::max(ending.at, time_of(record)),
          fmt::format(R"("type":"{}",{},"outcome":"{}")", ending.type, subject, ending.outcome));
  }

  // What nobody ever heard of again stays open to the end. A second reading, so that it need not be kept.
  void write_undecided() {
    const Nanoseconds end = std::max(last_, run_.evidence().drain_end_ns.value_or(0));
    const auto tell = [&](const RecordedProcess& process, const auto& record) {
      const Ending ending = ending_of(record);
      if (ending.at != 0 || !is_whole(process, record)) return;
      line(end, fmt::format(R"("type":"{}",{},"outcome":"{}")", ending.type, who(process, record),
                            ending.outcome));
    };
    for (const RecordedProcess& process : run_.processes()) {
      if (!process.reader) continue;
      process.reader->each_publish([&](std::span<const PublishRecord> records) {
        for (const PublishRecord& record : records) tell(process, record);
      });
      process.reader->each_delivery([&](std::span<const DeliveryRecord> records) {
        for (const DeliveryRecord& record : records) tell(process, record);
      });
    }
  }

  static constexpr Nanoseconds kNever = INT64_MAX;

  const RecordedRun& run_;
  const std::function<void(std::string_view)>& write_;
  std::vector<Source<PublishRecord>> publishes_;
  std::vector<Source<DeliveryRecord>> deliveries_;
  std::vector<std::string> consumers_, queues_;  // ready to be written
  std::map<std::uint32_t, const DeclaredPublisher*> publishers_;
  std::priority_queue<Pending> pending_;
  std::uint64_t order_ = 0;
  Nanoseconds last_ = 0;
  std::string text_;
};

}  // namespace

void write_history(const RecordedRun& run, const std::function<void(std::string_view)>& write) {
  const RunEvidence& evidence = run.evidence();
  const Json head = {{"type", "run"},
                     {"variant", evidence.variant},
                     {"repetition", evidence.repetition},
                     {"drained", evidence.drained}};
  write(head.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  HistoryWriter(run, write).write();
}

}  // namespace brokerlab
