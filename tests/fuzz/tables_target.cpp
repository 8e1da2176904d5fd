#include <string>
#include <vector>

#include "amqp/delivery_parser.h"
#include "amqp/field_table.h"
#include "amqp/method_codec.h"
#include "amqp/properties.h"
#include "core/error.h"
#include "core/stamp.h"
#include "tests/fuzz/targets.h"

namespace brokerlab::fuzz {
namespace {

using amqp::FieldTable;
using amqp::Properties;

std::string shown(const Properties& properties) {
  return properties.headers.dump(-1, ' ', false, Json::error_handler_t::strict) + "|" +
         properties.content_type.value_or("-") + "|" + properties.type.value_or("-") + "|" +
         std::to_string(properties.priority.value_or(0)) + "|" +
         std::to_string(properties.timestamp.value_or(0)) + "|" + (properties.persistent ? "p" : "t");
}

// What was understood once is understood again when it is written by us.
void expect_round_trip(const Properties& properties) {
  std::vector<std::byte> wire;
  try {
    wire = properties.encode();
  } catch (const Error&) {
    return;  // e.g. an unsigned number that only others send
  }
  require(shown(Properties::decode(wire)) == shown(properties), "properties survive a round trip");
}

void read_properties(Input wire) {
  try {
    expect_round_trip(Properties::decode(wire));
  } catch (const Error&) {
  }
}

void read_table(Input wire) {
  bool sound = false;
  try {
    const std::size_t bytes = FieldTable::check(wire);
    require(bytes >= 4 && bytes <= wire.size(), "a table ends within its bytes");
    wire = wire.first(bytes);
    sound = true;
  } catch (const Error&) {
  }
  std::vector<std::byte> properties{std::byte{0x20}, std::byte{0}};  // headers, and nothing else
  properties.insert(properties.end(), wire.begin(), wire.end());
  try {
    expect_round_trip(Properties::decode(properties));
  } catch (const Error&) {
    require(!sound, "a table that passed the check can be read");
  }
}

void read_methods(Input payload) {
  amqp::MethodDecoder decoder;
  if (const auto method = decoder.decode(payload)) {
    require(!amqp::method_name(method->id).empty(), "a method that was decoded has a name");
    if (method->id == AMQP_CONNECTION_START_METHOD) {
      const auto& start = method->as<amqp_connection_start_t>();
      static_cast<void>(FieldTable::to_json(start.server_properties).dump());
    }
  }
  amqp::parse_deliver(payload);
  amqp::parse_get_ok(payload);
  amqp::parse_return(payload);
  amqp::parse_confirm(payload);
  if (const auto header = amqp::parse_content_header(payload)) {
    if (!header->stamp_bytes.empty()) Stamp::decode(header->stamp_bytes);
    read_properties(header->raw_properties);
  }
}

}  // namespace

void tables(Input input) {
  read_table(input);
  read_properties(input);
  read_methods(input);
}

}  // namespace brokerlab::fuzz
