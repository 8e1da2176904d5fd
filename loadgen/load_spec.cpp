#include "loadgen/load_spec.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/random.h"
#include "core/units.h"

namespace brokerlab {
namespace {

void parse_publish(const Json& publish, LoadSpec& spec) {
  spec.exchange = publish.value("exchange", "");
  spec.routing_key = publish.contains("routing_key") ? publish.at("routing_key") : Json("");
  spec.mandatory = publish.value("mandatory", true);
  spec.persistent = publish.value("persistent", false);
  spec.verify = publish.value("verify", false);
  if (publish.contains("priority")) spec.priority = publish.at("priority").get<std::uint8_t>();
  if (publish.contains("headers")) spec.headers = publish.at("headers");
  if (publish.contains("properties")) spec.properties = publish.at("properties");
  if (publish.contains("content_type")) spec.content_type = publish.at("content_type").get<std::string>();
  if (publish.contains("expiration")) spec.expiration_ns = parse_duration(publish.at("expiration"));
  if (publish.contains("body")) spec.body = publish.at("body");
}

}  // namespace

LoadSpec LoadSpec::from_json(const Json& entry, const std::filesystem::path& directory) try {
  LoadSpec spec;
  spec.name = entry.at("name").get<std::string>();
  spec.instances = entry.value("instances", 1U);
  spec.processes = entry.value("processes", 1U);
  spec.channels_per_connection = entry.value("channels_per_connection", 100U);
  const Json arrivals =
      entry.contains("arrivals") ? entry.at("arrivals") : Json{{"process", "constant"}, {"rate", 100}};
  spec.arrivals = parse_arrivals(arrivals, directory, "load \"" + spec.name + "\", arrivals");
  parse_publish(entry.at("publish"), spec);
  if (entry.contains("confirms")) {
    spec.confirms = entry.at("confirms").value("enabled", true);
    spec.window = entry.at("confirms").value("window", 1000U);
  }
  spec.replies = entry.value("replies", false);
  if (entry.contains("transaction")) {
    spec.transaction = entry.at("transaction").get<std::uint32_t>();
    spec.confirms = false;
  }
  if (entry.contains("start")) {
    const Json& start = entry.at("start");
    if (start.contains("after")) spec.start_after_ns = parse_duration(start.at("after"));
    if (start.contains("within")) spec.start_within_ns = parse_duration(start.at("within"));
  }
  if (entry.contains("stop")) {
    const Json& stop = entry.at("stop");
    if (stop.contains("count")) spec.stop_count = stop.at("count").get<std::uint64_t>();
    if (stop.contains("after")) spec.stop_after_ns = parse_duration(stop.at("after"));
  }
  if (const auto* closed = std::get_if<ClosedArrivals>(&spec.arrivals)) {
    spec.window = closed->outstanding;
  }
  spec.directory = directory;
  return spec;
} catch (const Json::exception& error) {
  throw Error(std::string("this entry of load cannot be used: ") + error.what(),
              "load " + entry.value("name", ""), "check it with `brokerlab validate`", ExitStatus::kUsage);
}

Nanoseconds LoadSpec::start_delay_ns(std::uint64_t seed, std::uint32_t instance) const {
  if (start_within_ns == 0) return start_after_ns;
  Random random(seed, "start of " + name, instance);
  return start_after_ns + static_cast<Nanoseconds>(random.uniform() * static_cast<double>(start_within_ns));
}

Nanoseconds LoadSpec::horizon_ns(Nanoseconds load_ns) const {
  return std::min(load_ns, stop_after_ns.value_or(load_ns));
}

}  // namespace brokerlab
