#include "analysis/flags.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace brokerlab {
namespace {

constexpr auto kAbove = FlagSide::kAbove;
constexpr auto kBelow = FlagSide::kBelow;

// Name, unit, threshold, failing side, fatal, what a failure means. The one place where a flag is declared.
constexpr std::array kDeclarations = std::to_array<FlagDeclaration>({
    {"GENERATOR_BOUND", "ns", 1e6, kAbove, false,
     "the generator was the bottleneck: messages left late, so the broker saw less load than was declared"},
    {"CPU_STEAL", "share", 0.02, kAbove, false, "a hypervisor took processor time from this host"},
    {"CPU_PRESSURE", "share", 0.25, kAbove, false,
     "tasks waited for a processor: latencies contain that wait"},
    {"HICCUP", "ns", 1e7, kAbove, false, "a thread that only slept woke up late: the host itself stalled"},
    {"LATE_CATCHUP", "share", 0.01, kAbove, false,
     "messages were sent in bursts after the generator fell 10 ms behind"},
    {"EFFORT_OVERSHOOT", "share", 0.1, kAbove, false, "work took longer than was declared"},
    {"WRITE_BLOCKED", "share", 0.01, kAbove, false,
     "sockets took no more bytes for a share of the load time"},
    {"CONNECTION_BLOCKED", "ns", 0, kAbove, false,
     "the broker blocked publishing connections (memory or disk alarm)"},
    {"BROKER_CPU", "share", 0.9, kAbove, false,
     "the broker used nearly all the cores there were for it: it was the bottleneck"},
    {"BROKER_ALARM", "share", 0, kAbove, false, "a node of the broker was in memory or disk alarm"},
    {"BROKER_FLOW", "share", 0.1, kAbove, false,
     "credit flow held connections or channels back: the broker could not keep up with them"},
    {"BROKER_DEPTH_MISMATCH", "share", 0.05, kAbove, false,
     "what the broker says is in its queues does not match what was sent and acknowledged"},
    {"CONFIRM_WINDOW_HIT", "share", 0.01, kAbove, false,
     "publishers waited for confirms for a share of the load time: the open loop was closed"},
    {"CLOSED_LOOP", "loads", 0, kAbove, false,
     "a closed-loop load slows down with the broker and hides its stalls"},
    {"NEGATIVE_LATENCY", "samples", 0, kAbove, false,
     "intervals came out negative: clocks or stamps are wrong"},
    {"HDR_OVERFLOW", "samples", 0, kAbove, false, "latencies above one hour do not stand in the histograms"},
    {"CLOCK_DOMAIN", "domains", 1, kAbove, false,
     "processes of different hosts or time namespaces share no clock"},
    {"COUNTS_DONT_BALANCE", "laws", 0, kAbove, true, "a conservation law of the ledger does not hold"},
    {"CONFIRMED_LOST", "messages", 0, kAbove, true,
     "confirmed messages are gone, and no declared fault or setting explains it"},
    {"BODY_CORRUPTED", "deliveries", 0, kAbove, false, "bodies arrived that were not what was sent"},
    {"UNKNOWN_OUTCOME", "messages", 0, kAbove, false, "messages were neither confirmed nor refused"},
    {"UNDRAINED", "copies", 0, kAbove, false, "the queues were not empty when the run ended"},
    {"LITTLE_MISMATCH", "share", 0.02, kAbove, false,
     "messages in the system do not match their rate times their time"},
    {"UNROUTABLE", "share", 0, kAbove, false, "messages had no queue to go to"},
    {"ORDER_VIOLATION", "deliveries", 0, kAbove, false,
     "first deliveries came out of order within one channel"},
    {"AFFINITY_VIOLATION", "keys", 0, kAbove, false, "messages of one key reached more than one queue"},
    {"FEEDBACK_LOOP", "deliveries", 0, kAbove, false,
     "messages that a role published came back to it, and went round until the hop limit"},
    {"RECONNECT", "reconnects", 0, kAbove, false, "connections were lost and made again"},
    {"HEARTBEAT_CLOSE", "closes", 0, kAbove, false,
     "connections were given up because heartbeats stayed out"},
    {"CONSUMERS_NOT_READY", "consumers", 0, kAbove, false,
     "consumers subscribed after the first message was published"},
    {"PREFETCH_IGNORED", "roles", 0, kAbove, false,
     "a prefetch limit has no effect with automatic acknowledgement"},
    {"UNSTABLE", "share", 0.05, kAbove, false,
     "the backlog grew through the load: consumers did not keep up"},
    {"NOT_STEADY", "share", 0.5, kAbove, false, "latency had not settled down by the middle of the load"},
    {"TOO_FEW_SAMPLES", "samples", 1000, kBelow, false, "too few deliveries for a 99th percentile"},
    {"TOO_FEW_TRIALS", "trials", 6, kBelow, false, "too few repetitions to compare variants"},
    {"NO_AA", "runs", 1, kBelow, false,
     "no variant was compared with itself: the smallest detectable effect is unknown"},
    {"SIMULATED", "brokers", 0, kAbove, false, "the broker was simulated: the figures are no measurement"},
    {"EXTRAPOLATED", "times", 4, kAbove, false,
     "the simulation went so many times beyond what its calibration had measured"},
});

std::size_t index_of(std::string_view name) {
  for (std::size_t i = 0; i < kDeclarations.size(); ++i)
    if (kDeclarations[i].name == name) return i;
  std::abort();  // a flag nobody declared is a broken invariant
}

FlagState state_named(const std::string& text) {
  if (text == "pass") return FlagState::kPass;
  return text == "fail" ? FlagState::kFail : FlagState::kUnmeasured;
}

}  // namespace

std::span<const FlagDeclaration> flag_declarations() { return kDeclarations; }

const FlagDeclaration& flag_declaration(std::string_view name) { return kDeclarations[index_of(name)]; }

std::string_view to_text(FlagState state) {
  switch (state) {
    case FlagState::kPass:
      return "pass";
    case FlagState::kFail:
      return "fail";
    case FlagState::kUnmeasured:
      break;
  }
  return "unmeasured";
}

FlagSet::FlagSet() : entries_(kDeclarations.size()) {
  for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].threshold = kDeclarations[i].threshold;
}

FlagSet::Entry& FlagSet::entry(std::string_view name) { return entries_[index_of(name)]; }
const FlagSet::Entry& FlagSet::entry(std::string_view name) const { return entries_[index_of(name)]; }

void FlagSet::measure(std::string_view name, double value) {
  measure(name, value, flag_declaration(name).threshold);
}

void FlagSet::measure(std::string_view name, double value, double threshold) {
  Entry& flag = entry(name);
  const bool fails = flag_declaration(name).fails == FlagSide::kAbove ? value > threshold : value < threshold;
  flag.value = value;
  flag.threshold = threshold;
  flag.state = fails ? FlagState::kFail : FlagState::kPass;
}

void FlagSet::fail(std::string_view name, const std::string& detail) {
  entry(name).state = FlagState::kFail;
  explain(name, detail);
}

void FlagSet::explain(std::string_view name, const std::string& detail) {
  std::string& text = entry(name).detail;
  text += (text.empty() ? "" : "; ") + detail;
}

FlagState FlagSet::state(std::string_view name) const { return entry(name).state; }
std::optional<double> FlagSet::value(std::string_view name) const { return entry(name).value; }

Json FlagSet::to_json() const {
  Json list = Json::array();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const FlagDeclaration& declaration = kDeclarations[i];
    const Entry& flag = entries_[i];
    Json json = {{"name", declaration.name}, {"unit", declaration.unit}};
    if (flag.value) json["value"] = *flag.value;
    json["threshold"] = flag.threshold;
    json["fails"] = declaration.fails == FlagSide::kAbove ? "above" : "below";
    json["fatal"] = declaration.fatal;
    json["state"] = to_text(flag.state);
    json["reason"] = declaration.reason;
    if (!flag.detail.empty()) json["detail"] = flag.detail;
    list.push_back(std::move(json));
  }
  return list;
}

FlagSet FlagSet::from_json(const Json& flags) {
  FlagSet set;
  for (const Json& json : flags) {
    const std::string name = json.value("name", "");
    const bool declared = std::any_of(kDeclarations.begin(), kDeclarations.end(),
                                      [&](const FlagDeclaration& flag) { return flag.name == name; });
    if (!declared) continue;  // written by a later version
    Entry& flag = set.entry(name);
    if (json.contains("value")) flag.value = json.at("value").get<double>();
    flag.threshold = json.value("threshold", flag.threshold);
    flag.state = state_named(json.value("state", ""));
    flag.detail = json.value("detail", "");
  }
  return set;
}

bool is_simulated(const Json& run) {
  const auto flags = run.is_object() ? run.find("flags") : run.end();
  if (flags == run.end() || !flags->is_array()) return false;
  return std::any_of(flags->begin(), flags->end(), [](const Json& flag) {
    return flag.is_object() && flag.contains("name") && flag.at("name") == "SIMULATED" &&
           flag.contains("state") && flag.at("state") == "fail";
  });
}

}  // namespace brokerlab
