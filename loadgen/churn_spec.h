#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/json.h"
#include "core/operation.h"
#include "loadgen/load_spec.h"

namespace brokerlab {

// One entry of `churn` in an experiment file: what is opened at a rate, held and closed again. A value.
struct ChurnSpec {
  enum class Kind { kConnection, kChannel, kQueue, kBinding, kConsumer };
  Kind kind = Kind::kConnection;
  LoadSpec pace;  // name, instances, arrivals and stop; nothing is published
  Nanoseconds hold_ns = 0;
  std::uint32_t most_open = 1000;  // of each instance; what is due beyond it waits
  std::string queue, exchange;     // of bindings and consumers
  bool durable = false;            // of queues
  Json arguments = Json::object();
  std::string name_prefix;  // of queues, before the name of the entry

  OperationKind opening() const;
  OperationKind closing() const;

  // Accepts an entry that has passed the schema. Throws Error (kUsage) naming the key.
  static ChurnSpec from_json(const Json& entry, const std::filesystem::path& directory = {});
};

}  // namespace brokerlab
