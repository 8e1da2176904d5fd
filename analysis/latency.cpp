#include "analysis/latency.h"

namespace brokerlab {

std::string_view to_text(LatencyStream stream) {
  static constexpr std::array<std::string_view, kStreams> kNames = {
      "end_to_end",    "done",    "confirm", "confirm_from_intended", "send_delay", "write_block", "delivery",
      "prefetch_wait", "service", "ack"};
  return kNames[static_cast<std::size_t>(stream)];
}

std::optional<std::int64_t> supported_quantile(const Histogram& histogram, int per_mille) {
  if (histogram.count() * (1000 - per_mille) < 10'000)
    return std::nullopt;  // N(1 - q) < 10, without rounding
  return histogram.quantile(per_mille / 1000.0);
}

Json stream_json(const Histogram& histogram) {
  const auto quantile = [&](int per_mille) {
    const auto value = supported_quantile(histogram, per_mille);
    return value ? Json(*value) : Json(nullptr);
  };
  Json json = {{"count", histogram.count()}, {"mean_ns", histogram.mean()}, {"min_ns", histogram.min()},
               {"max_ns", histogram.max()},  {"p50_ns", quantile(500)},     {"p90_ns", quantile(900)},
               {"p99_ns", quantile(990)},    {"p99_9_ns", quantile(999)}};
  if (const auto zero = histogram.below_range() - histogram.negative(); zero > 0) json["zero"] = zero;
  if (histogram.negative() > 0) json["negative"] = histogram.negative();
  if (histogram.above_range() > 0) json["above_range"] = histogram.above_range();
  json["hdr"] = histogram.encode();
  return json;
}

void LatencyStreams::record(LatencyStream stream, Nanoseconds value) {
  auto& histogram = streams_[static_cast<std::size_t>(stream)];
  if (!histogram) histogram = std::make_unique<Histogram>();
  histogram->record(value);
}

std::int64_t LatencyStreams::negative() const {
  std::int64_t sum = 0;
  for (const auto& histogram : streams_) sum += histogram ? histogram->negative() : 0;
  return sum;
}

std::int64_t LatencyStreams::above_range() const {
  std::int64_t sum = 0;
  for (const auto& histogram : streams_) sum += histogram ? histogram->above_range() : 0;
  return sum;
}

Json LatencyStreams::to_json() const {
  Json json = Json::object();
  for (std::size_t i = 0; i < kStreams; ++i) {
    if (streams_[i] && streams_[i]->count() > 0)
      json[std::string(to_text(static_cast<LatencyStream>(i)))] = stream_json(*streams_[i]);
  }
  return json;
}

void RunLatency::add_publish(const PublishRecord& record) {
  if (record.sent_ns == 0 || (record.outcome & kRefused)) return;
  all_.record(LatencyStream::kSendDelay, record.sent_ns - record.intended_ns);
  if (record.written_ns != 0) all_.record(LatencyStream::kWriteBlock, record.written_ns - record.sent_ns);
  // A confirmed message that came back was confirmed as unroutable: not the latency of a message that was
  // kept.
  if ((record.outcome & kConfirmed) && !(record.outcome & kReturned) && record.settled_ns != 0) {
    all_.record(LatencyStream::kConfirm, record.settled_ns - record.sent_ns);
    all_.record(LatencyStream::kConfirmFromIntended, record.settled_ns - record.intended_ns);
  }
}

void RunLatency::record(LatencyStream stream, Nanoseconds value, std::size_t role) {
  all_.record(stream, value);
  if (by_role_.size() > 1) by_role_[role].record(stream, value);
}

void RunLatency::add_work(const DeliveryRecord& record, std::size_t role) {
  if (record.started_ns != 0)
    this->record(LatencyStream::kPrefetchWait, record.started_ns - record.received_ns, role);
  if (record.started_ns != 0 && record.done_ns != 0)
    this->record(LatencyStream::kService, record.done_ns - record.started_ns, role);
  const auto settlement = static_cast<Settlement>(record.settlement);
  const bool by_hand = settlement != Settlement::kNone && settlement != Settlement::kAutomatic;
  if (by_hand && record.settled_ns != 0)
    this->record(LatencyStream::kAck, record.settled_ns - record.received_ns, role);
}

void RunLatency::add_arrival(Nanoseconds intended, Nanoseconds sent, Nanoseconds received, Nanoseconds done,
                             std::size_t role) {
  record(LatencyStream::kEndToEnd, received - intended, role);
  record(LatencyStream::kDelivery, received - sent, role);
  if (done != 0) record(LatencyStream::kDone, done - intended, role);
}

Json RunLatency::to_json(const std::vector<std::string>& roles) const {
  Json json = all_.to_json();
  if (by_role_.size() < 2) return json;
  Json by_role = Json::object();
  for (std::size_t i = 0; i < by_role_.size(); ++i) {
    Json streams = by_role_[i].to_json();
    if (!streams.empty()) by_role[roles[i]] = std::move(streams);
  }
  if (!by_role.empty()) json["by_role"] = std::move(by_role);
  return json;
}

}  // namespace brokerlab
