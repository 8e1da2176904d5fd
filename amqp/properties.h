#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab::amqp {

// basic.properties. What is not set does not travel.
struct Properties {
  std::optional<std::string> content_type;
  std::optional<std::string> content_encoding;
  Json headers = Json::object();  // an empty object does not travel
  bool persistent = false;        // delivery mode 2
  std::optional<std::uint8_t> priority;
  std::optional<std::string> correlation_id;
  std::optional<std::string> reply_to;
  std::optional<std::string> expiration;  // milliseconds, as text
  std::optional<std::string> message_id;
  std::optional<std::uint64_t> timestamp;  // seconds since 1970
  std::optional<std::string> type;
  std::optional<std::string> user_id;
  std::optional<std::string> app_id;

  // Flags and property list as in a content header. Throws Error (kUsage) when a text is longer than 255
  // bytes or a header cannot travel.
  std::vector<std::byte> encode() const;
  // Throws Error when `wire` breaks the format or a limit of field_table.h.
  static Properties decode(std::span<const std::byte> wire);
};

}  // namespace brokerlab::amqp
