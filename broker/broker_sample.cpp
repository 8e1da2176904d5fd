#include "broker/broker_sample.h"

#include <tuple>

namespace brokerlab {
namespace {

// The figures that are one value each, under the names they have in JSON.
template <class Sample>
auto figures_of(Sample& sample) {
  return std::make_tuple(
      std::pair("pid", &sample.pid), std::pair("cpu_ns", &sample.cpu_ns), std::pair("cores", &sample.cores),
      std::pair("resident_bytes", &sample.resident_bytes), std::pair("memory_bytes", &sample.memory_bytes),
      std::pair("memory_limit_bytes", &sample.memory_limit_bytes),
      std::pair("memory_alarm", &sample.memory_alarm), std::pair("disk_alarm", &sample.disk_alarm),
      std::pair("connections", &sample.connections),
      std::pair("connections_in_flow", &sample.connections_in_flow),
      std::pair("connections_blocked", &sample.connections_blocked), std::pair("channels", &sample.channels),
      std::pair("channels_in_flow", &sample.channels_in_flow), std::pair("ready", &sample.ready),
      std::pair("unacked", &sample.unacked));
}

template <class Sample, class Visit>
void each_figure(Sample& sample, Visit visit) {
  std::apply([&](const auto&... figure) { (visit(figure.first, *figure.second), ...); }, figures_of(sample));
}

}  // namespace

Json BrokerSample::to_json() const {
  Json json = {{"round", round}, {"source", source}, {"at_ns", at_ns}};
  if (!node.empty()) json["node"] = node;
  if (within_ns != 0) json["within_ns"] = within_ns;
  if (lag_ns != 0) json["lag_ns"] = lag_ns;
  if (flow_lag_ns != 0) json["flow_lag_ns"] = flow_lag_ns;
  if (!failed.empty()) json["failed"] = failed;
  each_figure(*this, [&](const char* name, const auto& value) {
    if (value) json[name] = *value;
  });
  for (const Queue& queue : queues)
    json["queues"].push_back(Json::array({queue.index, queue.ready, queue.unacked}));
  return json;
}

BrokerSample BrokerSample::from_json(const Json& json) {
  BrokerSample sample;
  sample.round = json.at("round");
  sample.source = json.at("source");
  sample.at_ns = json.at("at_ns");
  sample.node = json.value("node", "");
  sample.within_ns = json.value("within_ns", Nanoseconds{0});
  sample.lag_ns = json.value("lag_ns", Nanoseconds{0});
  sample.flow_lag_ns = json.value("flow_lag_ns", Nanoseconds{0});
  sample.failed = json.value("failed", "");
  each_figure(sample, [&](const char* name, auto& value) {
    if (json.contains(name)) value = json.at(name).get<typename std::decay_t<decltype(value)>::value_type>();
  });
  const Json queues = json.value("queues", Json::array());
  for (const Json& queue : queues) sample.queues.push_back({queue.at(0), queue.at(1), queue.at(2)});
  return sample;
}

}  // namespace brokerlab
