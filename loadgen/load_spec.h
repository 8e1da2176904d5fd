#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/json.h"
#include "loadgen/arrivals.h"

namespace brokerlab {

// One entry of `load` in an experiment file. A value; parsed once per process and shared by its instances.
struct LoadSpec {
  std::string name;
  std::uint32_t instances = 1;
  std::uint32_t processes = 1;
  std::uint32_t channels_per_connection = 100;
  Arrivals arrivals;
  std::string exchange;
  Json routing_key = "";  // text, {"choice": […]}, {"cycle": […]}, {"template": "…"} or {"body": {…}}
  bool mandatory = true;
  bool persistent = false;
  bool verify = false;  // a checksum of the body travels along
  std::optional<std::uint8_t> priority;
  Json headers = Json::object();     // text values are templates
  Json properties = Json::object();  // likewise
  std::optional<std::string> content_type;
  std::optional<Nanoseconds> expiration_ns;
  Json body = {{"size", 100}};
  bool confirms = true;
  std::uint32_t window = 1000;
  bool replies = false;           // each message asks for one
  std::uint32_t transaction = 0;  // commit after so many; 0: no transactions
  Nanoseconds start_after_ns = 0, start_within_ns = 0;
  std::optional<std::uint64_t> stop_count;  // messages of each instance
  std::optional<Nanoseconds> stop_after_ns;
  std::filesystem::path directory;  // where the relative paths of the entry start

  // The broker tells what became of a message: by a confirm, or by the commit it belongs to.
  bool settles() const { return confirms || transaction > 0; }
  // How much later than the load as a whole this instance starts.
  Nanoseconds start_delay_ns(std::uint64_t seed, std::uint32_t instance) const;
  bool closed_loop() const { return std::holds_alternative<ClosedArrivals>(arrivals); }
  // No message of any instance is intended at or after this instant from the start.
  Nanoseconds horizon_ns(Nanoseconds load_ns) const;

  // Accepts an entry that has passed the schema, with or without its defaults. Throws Error (kUsage) naming
  // the key.
  static LoadSpec from_json(const Json& entry, const std::filesystem::path& directory = {});
};

}  // namespace brokerlab
