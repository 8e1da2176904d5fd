#include "analysis/recorded_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace brokerlab {
namespace {

const Json& member(const Json& object, const char* key) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found == object.end() ? kNone : *found;
}

const Json& list(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  const Json& found = member(object, key);
  return found.is_array() ? found : kNone;
}

std::uint32_t number(const Json& object, const char* key) {
  const Json& found = member(object, key);
  return found.is_number_unsigned() || found.is_number_integer() ? found.get<std::uint32_t>() : 0;
}

std::string text(const Json& object, const char* key, const char* otherwise = "") {
  const Json& found = member(object, key);
  return found.is_string() ? found.get<std::string>() : std::string(otherwise);
}

bool truth(const Json& object, const char* key, bool otherwise) {
  const Json& found = member(object, key);
  return found.is_boolean() ? found.get<bool>() : otherwise;
}

constexpr Nanoseconds kLongestRun = Nanoseconds{1}
                                    << 50;  // 13 days; sums of thousands of such times still fit
constexpr std::uint64_t kSpareSequences = 65'536;

// Where an entry of load or roles publishes to: `publish`, and the outputs of a behaviour.
std::vector<Json> targets_of(const Json& spec) {
  std::vector<Json> targets;
  if (member(spec, "publish").is_object()) targets.push_back(member(spec, "publish"));
  const Json& outputs = member(spec, "outputs");
  for (const Json& output : outputs) targets.push_back(output);
  return targets;
}

}  // namespace

std::pair<std::string, std::string> DeclaredPublisher::route_name(std::uint8_t route) const {
  return route < names.size() ? names[route] : std::pair(other_exchange, std::string("any other"));
}

RecordedRun::RecordedRun(RunEvidence evidence, const std::filesystem::path& folder)
    : evidence_(std::move(evidence)) {
  for (std::uint32_t i = 0; i < evidence_.processes.size(); ++i) open(i, folder);
  most_sequences_ = kSpareSequences;
  for (const RecordedProcess& process : processes_) {
    if (process.reader) most_sequences_ += process.reader->publishes();
  }
}

bool RecordedRun::is_time(Nanoseconds at) const {
  // Unsigned, where a difference cannot overflow.
  const std::uint64_t from_earliest = static_cast<std::uint64_t>(at) -
                                      static_cast<std::uint64_t>(evidence_.t0_ns) +
                                      static_cast<std::uint64_t>(kLongestRun);
  return at == 0 || from_earliest < 2 * static_cast<std::uint64_t>(kLongestRun);
}

bool RecordedRun::can_be(const PublishRecord& record) const {
  return is_time(record.intended_ns) && is_time(record.sent_ns) && is_time(record.settled_ns) &&
         record.sequence < most_sequences_;
}

bool RecordedRun::can_be(const DeliveryRecord& record) const {
  return is_time(record.intended_ns) && is_time(record.sent_ns) && is_time(record.received_ns) &&
         is_time(record.started_ns) && is_time(record.done_ns) && is_time(record.settled_ns);
}

DeliveryRecord RecordedRun::without_foreign_times(const DeliveryRecord& record) const {
  DeliveryRecord own = record;
  if (record.flags & (kUnstamped | kForeignRun)) {
    if (!is_time(record.intended_ns)) own.intended_ns = 0;
    if (!is_time(record.sent_ns)) own.sent_ns = 0;
  }
  return own;
}

void RecordedRun::open(std::uint32_t index, const std::filesystem::path& folder) {
  const ProcessEvidence& evidence = evidence_.processes[index];
  RecordedProcess process;
  process.evidence = index;
  try {
    process.reader = std::make_unique<RecordingReader>(folder / evidence.recording);
    const Json& header = process.reader->header();
    if (!evidence.is_load) role_index(evidence.entry);
    read_publishers(process, header);
    read_consumers(process, header);
    if (!process.reader->damage().empty())
      unreadable_.push_back(
          fmt::format("the recording of {} is damaged: {}", evidence.name, process.reader->damage()));
    else if (!process.reader->complete() && evidence.end != ProcessEnd::kFault)
      unreadable_.push_back(fmt::format("the recording of {} is incomplete", evidence.name));
  } catch (const std::exception& error) {
    process.reader.reset();
    unreadable_.push_back(fmt::format("the recording of {} cannot be read: {}", evidence.name, error.what()));
  }
  processes_.push_back(std::move(process));
}

const Json& RecordedRun::spec_of(const RecordedProcess& process) const {
  static const Json kNone;
  const ProcessEvidence& evidence = evidence_of(process);
  const auto& specs = evidence.is_load ? evidence_.loads : evidence_.roles;
  if (evidence.spec < specs.size()) return specs[evidence.spec];
  return process.reader ? member(process.reader->header(), "spec") : kNone;
}

RouteEvidence RecordedRun::route(const Json& entry) const {
  const auto listed = evidence_.routes.find({text(entry, "exchange"), text(entry, "routing_key")});
  if (listed != evidence_.routes.end()) return listed->second;
  const auto other = evidence_.other_keys.find(text(entry, "exchange"));
  return other != evidence_.other_keys.end() ? other->second : RouteEvidence{};
}

void RecordedRun::read_publishers(RecordedProcess& process, const Json& header) {
  DeclaredPublisher declared;
  if (!evidence_of(process).is_load) declared.role = role_index(evidence_of(process).entry);
  for (const Json& entry : list(header, "routes")) {
    declared.routes.push_back(route(entry));
    declared.names.emplace_back(text(entry, "exchange"), text(entry, "routing_key", "any other"));
  }
  const std::vector<Json> targets = targets_of(spec_of(process));
  declared.persistent = !targets.empty();
  std::vector<std::string> keyless;  // exchanges whose keys are not known beforehand
  for (const Json& target : targets) {
    declared.mandatory = declared.mandatory && truth(target, "mandatory", true);
    declared.persistent = declared.persistent && truth(target, "persistent", false);
    if (!target.contains("routing_key") || !target["routing_key"].is_string())
      keyless.push_back(text(target, "exchange"));
  }
  if (keyless.size() == 1) declared.other_exchange = keyless.front();
  const auto other = keyless.size() == 1 ? evidence_.other_keys.find(keyless[0]) : evidence_.other_keys.end();
  if (other != evidence_.other_keys.end()) declared.other = other->second;
  for (const Json& instance : list(header, "publishers")) {
    declared.id = number(instance, "publisher");
    process.publishers.push_back(declared.id);
    publishers_.push_back(declared);
  }
}

void RecordedRun::read_consumers(RecordedProcess& process, const Json& header) {
  for (const Json& queue : list(header, "queues"))
    process.queues.push_back(evidence_.queue_index(queue.get<std::string>()));
  const Json& spec = spec_of(process);
  const std::string effort = text(member(spec, "effort"), "kind");
  for (const Json& instance : list(header, "consumers")) {
    RecordedConsumer consumer;
    consumer.process = static_cast<std::uint32_t>(processes_.size());
    consumer.role = role_index(evidence_of(process).entry);
    consumer.instance = number(instance, "index");
    consumer.name = text(instance, "name");
    if (consumer.name.empty())
      consumer.name = fmt::format("{}-{}", evidence_of(process).entry, consumer.instance);
    if (!text(instance, "queue").empty())
      consumer.queue = evidence_.queue_index(text(instance, "queue"));
    else if (!process.queues.empty())
      consumer.queue = process.queues.front();
    consumer.automatic = text(member(spec, "consume"), "ack") == "auto";
    consumer.completes = truth(spec, "completes", false);
    const std::string behaviour = text(spec, "behaviour");
    const bool computes = behaviour == "code_worker" || behaviour == "executor";
    consumer.works = computes || (!effort.empty() && effort != "none");
    process.consumers.push_back(static_cast<std::uint32_t>(consumers_.size()));
    consumers_.push_back(std::move(consumer));
  }
}

std::uint32_t RecordedRun::role_index(const std::string& name) {
  const auto found = std::find(roles_.begin(), roles_.end(), name);
  if (found != roles_.end()) return static_cast<std::uint32_t>(found - roles_.begin());
  roles_.push_back(name);
  return static_cast<std::uint32_t>(roles_.size() - 1);
}

bool RecordedRun::killed(std::uint32_t consumer) const {
  const ProcessEnd end = evidence_of(processes_[consumers_[consumer].process]).end;
  return end == ProcessEnd::kFault || end == ProcessEnd::kDied;
}

void RecordedRun::each_publish(const PublishVisitor& visit) const {
  for (const RecordedProcess& process : processes_) {
    if (!process.reader) continue;
    const bool whole = process.reader->complete();
    process.reader->each_publish([&](std::span<const PublishRecord> records) {
      for (const PublishRecord& record : records) {
        if (record.publisher >= process.publishers.size()) continue;
        if (!whole && record.sent_ns == 0 && !(record.outcome & kRefused)) continue;
        if (can_be(record)) {
          visit(process, process.publishers[record.publisher], record);
        } else {
          left_out_ = true;
        }
      }
    });
  }
}

void RecordedRun::each_delivery(const DeliveryVisitor& visit) const {
  each_delivery_and_detail([&](std::uint32_t consumer, std::uint32_t queue, const DeliveryRecord& record,
                               const DeliveryDetail*) { visit(consumer, queue, record); });
}

void RecordedRun::each_delivery_and_detail(const DetailVisitor& visit) const {
  for (const RecordedProcess& process : processes_) {
    if (!process.reader) continue;
    const bool whole = process.reader->complete();
    process.reader->each_delivery_and_detail([&](const DeliveryRecord& read, const DeliveryDetail* detail) {
      const DeliveryRecord record = without_foreign_times(read);
      if (record.consumer >= process.consumers.size() || record.queue >= process.queues.size()) return;
      if (!whole && record.received_ns == 0) return;
      const bool detail_can_be = detail == nullptr || is_time(detail->origin_intended_ns);
      left_out_ = left_out_ || !can_be(record) || !detail_can_be;
      if (!can_be(record) || !detail_can_be) return;
      visit(process.consumers[record.consumer], process.queues[record.queue], record, detail);
    });
  }
}

void RecordedRun::each_event(const EventVisitor& visit) const {
  for (const RecordedProcess& process : processes_) {
    if (!process.reader) continue;
    process.reader->each_event([&](std::span<const EventRecord> records) {
      for (const EventRecord& record : records) {
        const bool can_be = is_time(record.at_ns) && is_time(record.ended_ns) &&
                            record.value > -kLongestRun && record.value < kLongestRun;
        if (can_be) {
          visit(process, record);
        } else {
          left_out_ = true;
        }
      }
    });
  }
}

}  // namespace brokerlab
