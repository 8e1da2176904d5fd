#include "loadgen/churn_spec.h"

#include "core/error.h"
#include "core/units.h"

namespace brokerlab {
namespace {

ChurnSpec::Kind kind_of(const std::string& text) {
  if (text == "connection") return ChurnSpec::Kind::kConnection;
  if (text == "channel") return ChurnSpec::Kind::kChannel;
  if (text == "queue") return ChurnSpec::Kind::kQueue;
  if (text == "binding") return ChurnSpec::Kind::kBinding;
  if (text == "consumer") return ChurnSpec::Kind::kConsumer;
  throw Error("unknown kind of churn \"" + text + "\"", "churn.kind",
              "use connection, channel, queue, binding or consumer", ExitStatus::kUsage);
}

}  // namespace

OperationKind ChurnSpec::opening() const {
  switch (kind) {
    case Kind::kConnection:
      return OperationKind::kConnectionOpen;
    case Kind::kChannel:
      return OperationKind::kChannelOpen;
    case Kind::kQueue:
      return OperationKind::kQueueDeclare;
    case Kind::kBinding:
      return OperationKind::kBind;
    case Kind::kConsumer:
      break;
  }
  return OperationKind::kConsume;
}

OperationKind ChurnSpec::closing() const {
  return static_cast<OperationKind>(static_cast<std::uint8_t>(opening()) + 1);
}

ChurnSpec ChurnSpec::from_json(const Json& entry, const std::filesystem::path& directory) try {
  ChurnSpec spec;
  spec.kind = kind_of(entry.at("kind").get<std::string>());
  Json pace = {{"publish", Json::object()}};
  for (const char* key : {"name", "instances", "processes", "arrivals", "stop"}) {
    if (entry.contains(key)) pace[key] = entry.at(key);
  }
  spec.pace = LoadSpec::from_json(pace, directory);
  if (entry.contains("hold")) spec.hold_ns = parse_duration(entry.at("hold"));
  spec.most_open = entry.value("most_open", spec.most_open);
  if (spec.pace.closed_loop()) spec.most_open = spec.pace.window;
  spec.queue = entry.value("queue", "");
  spec.exchange = entry.value("exchange", "");
  spec.durable = entry.value("durable", false);
  spec.arguments = entry.value("arguments", Json::object());
  spec.name_prefix = entry.value("name_prefix", "");
  return spec;
} catch (const Json::exception& error) {
  throw Error(std::string("this entry of churn cannot be used: ") + error.what(),
              "churn " + entry.value("name", ""), "check it with `brokerlab validate`", ExitStatus::kUsage);
}

}  // namespace brokerlab
