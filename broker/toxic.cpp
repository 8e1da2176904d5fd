#include "broker/toxic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string>

#include "core/error.h"
#include "core/units.h"

namespace brokerlab {
namespace {

struct Attribute {
  std::string_view name;
  bool required;
  void (*take)(Toxic& toxic, const Json& value);
};

void take_latency(Toxic& toxic, const Json& value) { toxic.latency_ns = parse_duration(value); }
void take_jitter(Toxic& toxic, const Json& value) { toxic.jitter_ns = parse_duration(value); }
void take_delay(Toxic& toxic, const Json& value) { toxic.delay_ns = parse_duration(value); }
void take_timeout(Toxic& toxic, const Json& value) { toxic.timeout_ns = parse_duration(value); }
void take_rate(Toxic& toxic, const Json& value) { toxic.rate_bytes_per_s = parse_size(value); }
void take_average(Toxic& toxic, const Json& value) { toxic.average_bytes = parse_size(value); }
void take_variation(Toxic& toxic, const Json& value) { toxic.variation_bytes = parse_size(value); }
void take_limit(Toxic& toxic, const Json& value) { toxic.limit_bytes = parse_size(value); }
void take_every(Toxic& toxic, const Json& value) { toxic.every_bytes = parse_size(value); }

struct Kind {
  std::string_view name;
  Toxic::Kind kind;
  std::vector<Attribute> attributes;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> table = {
      {"latency", Toxic::Kind::kLatency, {{"latency", true, take_latency}, {"jitter", false, take_jitter}}},
      {"bandwidth", Toxic::Kind::kBandwidth, {{"rate", true, take_rate}}},
      {"slow_close", Toxic::Kind::kSlowClose, {{"delay", true, take_delay}}},
      {"timeout", Toxic::Kind::kTimeout, {{"timeout", false, take_timeout}}},
      {"reset_peer", Toxic::Kind::kResetPeer, {{"timeout", false, take_timeout}}},
      {"slicer",
       Toxic::Kind::kSlicer,
       {{"average_size", true, take_average},
        {"size_variation", false, take_variation},
        {"delay", false, take_delay}}},
      {"limit_data", Toxic::Kind::kLimitData, {{"bytes", true, take_limit}}},
      {"corrupt", Toxic::Kind::kCorrupt, {{"bytes", true, take_every}}},
      {"down", Toxic::Kind::kDown, {}}};
  return table;
}

const Kind* find_kind(std::string_view name) {
  const auto found =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& kind) { return kind.name == name; });
  return found == kinds().end() ? nullptr : &*found;
}

Error wrong(std::string what, std::string_view kind, std::string remedy) {
  return {std::move(what), fmt::format("network fault {}", kind), std::move(remedy), ExitStatus::kUsage};
}

std::string attribute_list(const Kind& kind) {
  std::string list;
  for (const Attribute& attribute : kind.attributes)
    list += (list.empty() ? "" : ", ") + std::string(attribute.name);
  return list.empty() ? "it has none" : "it has: " + list;
}

void check_amounts(const Toxic& toxic, const Kind& kind) {
  if (kind.kind == Toxic::Kind::kBandwidth && toxic.rate_bytes_per_s == 0)
    throw wrong("a rate of 0 lets nothing through", kind.name, "use the fault \"timeout\" for that");
  if (kind.kind == Toxic::Kind::kSlicer && toxic.average_bytes == 0)
    throw wrong("pieces of 0 bytes cannot be sent", kind.name, "give an average_size of at least 1");
  if (kind.kind == Toxic::Kind::kCorrupt && toxic.every_bytes == 0)
    throw wrong("of 0 bytes none can be altered", kind.name, "give bytes a size of at least 1");
  if (toxic.variation_bytes > toxic.average_bytes)
    throw wrong("size_variation is above average_size", kind.name, "make it smaller");
  if (toxic.jitter_ns > toxic.latency_ns)
    throw wrong("jitter is above latency: data would arrive before it was sent", kind.name,
                "make it smaller");
}

}  // namespace

bool is_toxic(std::string_view kind) { return find_kind(kind) != nullptr; }

Toxic toxic_from_json(const Json& fault) {
  const std::string name = fault.at("kind");
  const Kind* kind = find_kind(name);
  if (kind == nullptr) throw wrong("this is no network fault", name, "see docs/faults.md");
  Toxic toxic;
  toxic.kind = kind->kind;
  toxic.stream = fault.value("stream", "downstream") == "upstream" ? Toxic::Stream::kUpstream
                                                                   : Toxic::Stream::kDownstream;
  toxic.toxicity = fault.value("toxicity", 1.0);
  const Json attributes = fault.value("attributes", Json::object());
  for (const auto& [key, value] : attributes.items()) {
    const auto attribute = std::find_if(kind->attributes.begin(), kind->attributes.end(),
                                        [&name = key](const Attribute& each) { return each.name == name; });
    if (attribute == kind->attributes.end())
      throw wrong(fmt::format("{} has no attribute \"{}\"", name, key), name, attribute_list(*kind));
    attribute->take(toxic, value);
  }
  for (const Attribute& attribute : kind->attributes) {
    if (attribute.required && !attributes.contains(attribute.name))
      throw wrong(fmt::format("{} needs the attribute \"{}\"", name, attribute.name), name,
                  fmt::format("add \"attributes\": {{\"{}\": …}}", attribute.name));
  }
  check_amounts(toxic, *kind);
  return toxic;
}

}  // namespace brokerlab
