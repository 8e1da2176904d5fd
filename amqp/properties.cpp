#include "amqp/properties.h"

#include <algorithm>
#include <memory>

#include "amqp/delivery.h"
#include "amqp/field_table.h"
#include "amqp/frame.h"
#include "amqp/method_codec.h"
#include "core/error.h"

namespace brokerlab::amqp {
namespace {

constexpr std::uint16_t kContentTypeFlag = 1U << 15U;
constexpr std::uint16_t kContentEncodingFlag = 1U << 14U;
constexpr std::uint16_t kHeadersFlag = 1U << 13U;
constexpr std::uint16_t kMoreFlags = 1U;
constexpr std::uint8_t kPersistent = 2;

[[noreturn]] void malformed() {
  throw Error("malformed message properties", "a content header received from the peer", "");
}

// Skips one short string of a property list.
std::size_t skip_short(std::span<const std::byte> wire, std::size_t at) {
  if (at >= wire.size()) malformed();
  const std::size_t next = at + 1 + static_cast<std::size_t>(wire[at]);
  if (next > wire.size()) malformed();
  return next;
}

void set_text(const std::optional<std::string>& from, const char* what, amqp_flags_t flag, amqp_bytes_t& to,
              amqp_flags_t& flags) {
  if (!from) return;
  to = short_text(*from, what);
  flags |= flag;
}

void get_text(amqp_flags_t flags, amqp_flags_t flag, amqp_bytes_t from, std::optional<std::string>& to) {
  if (flags & flag) to = std::string(to_view(from));
}

}  // namespace

std::vector<std::byte> Properties::encode() const {
  Pool pool;
  amqp_basic_properties_t wire{};
  auto& flags = wire._flags;
  set_text(content_type, "content type", AMQP_BASIC_CONTENT_TYPE_FLAG, wire.content_type, flags);
  set_text(content_encoding, "content encoding", AMQP_BASIC_CONTENT_ENCODING_FLAG, wire.content_encoding,
           flags);
  set_text(correlation_id, "correlation id", AMQP_BASIC_CORRELATION_ID_FLAG, wire.correlation_id, flags);
  set_text(reply_to, "reply-to", AMQP_BASIC_REPLY_TO_FLAG, wire.reply_to, flags);
  set_text(expiration, "expiration", AMQP_BASIC_EXPIRATION_FLAG, wire.expiration, flags);
  set_text(message_id, "message id", AMQP_BASIC_MESSAGE_ID_FLAG, wire.message_id, flags);
  set_text(type, "type", AMQP_BASIC_TYPE_FLAG, wire.type, flags);
  set_text(user_id, "user id", AMQP_BASIC_USER_ID_FLAG, wire.user_id, flags);
  set_text(app_id, "app id", AMQP_BASIC_APP_ID_FLAG, wire.app_id, flags);
  if (!headers.empty()) {
    wire.headers = FieldTable::to_wire(headers, pool.get());
    flags |= AMQP_BASIC_HEADERS_FLAG;
  }
  if (persistent) {
    wire.delivery_mode = kPersistent;
    flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
  }
  if (priority) {
    wire.priority = *priority;
    flags |= AMQP_BASIC_PRIORITY_FLAG;
  }
  if (timestamp) {
    wire.timestamp = *timestamp;
    flags |= AMQP_BASIC_TIMESTAMP_FLAG;
  }
  // Nine short strings, a few fixed bytes, and a table that FieldTable has bounded.
  const std::size_t room = headers.empty() ? 4096 : FieldTable::kLargest + 8192;
  const auto out = std::make_unique_for_overwrite<std::byte[]>(room);
  const int bytes = amqp_encode_properties(AMQP_BASIC_CLASS, &wire, {room, out.get()});
  if (bytes < 0)
    throw Error("message properties that cannot travel", "", "shorten the headers", ExitStatus::kUsage);
  return {out.get(), out.get() + bytes};
}

Properties Properties::decode(std::span<const std::byte> wire) {
  if (wire.size() < 2) malformed();
  const auto flag_word = load_big_endian<std::uint16_t>(wire.data());
  if (flag_word & kMoreFlags) malformed();  // basic.properties has one word of flags
  std::size_t at = 2;
  if (flag_word & kContentTypeFlag) at = skip_short(wire, at);
  if (flag_word & kContentEncodingFlag) at = skip_short(wire, at);
  if (flag_word & kHeadersFlag) FieldTable::check(wire.subspan(at));

  Pool pool;
  void* decoded = nullptr;
  const amqp_bytes_t encoded{wire.size(), const_cast<std::byte*>(wire.data())};
  if (amqp_decode_properties(AMQP_BASIC_CLASS, pool.get(), encoded, &decoded) != AMQP_STATUS_OK) malformed();
  const auto& from = *static_cast<const amqp_basic_properties_t*>(decoded);
  const auto flags = from._flags;
  Properties out;
  get_text(flags, AMQP_BASIC_CONTENT_TYPE_FLAG, from.content_type, out.content_type);
  get_text(flags, AMQP_BASIC_CONTENT_ENCODING_FLAG, from.content_encoding, out.content_encoding);
  get_text(flags, AMQP_BASIC_CORRELATION_ID_FLAG, from.correlation_id, out.correlation_id);
  get_text(flags, AMQP_BASIC_REPLY_TO_FLAG, from.reply_to, out.reply_to);
  get_text(flags, AMQP_BASIC_EXPIRATION_FLAG, from.expiration, out.expiration);
  get_text(flags, AMQP_BASIC_MESSAGE_ID_FLAG, from.message_id, out.message_id);
  get_text(flags, AMQP_BASIC_TYPE_FLAG, from.type, out.type);
  get_text(flags, AMQP_BASIC_USER_ID_FLAG, from.user_id, out.user_id);
  get_text(flags, AMQP_BASIC_APP_ID_FLAG, from.app_id, out.app_id);
  if (flags & AMQP_BASIC_HEADERS_FLAG) out.headers = FieldTable::to_json(from.headers);
  if (flags & AMQP_BASIC_PRIORITY_FLAG) out.priority = from.priority;
  if (flags & AMQP_BASIC_TIMESTAMP_FLAG) out.timestamp = from.timestamp;
  out.persistent = (flags & AMQP_BASIC_DELIVERY_MODE_FLAG) && from.delivery_mode == kPersistent;
  return out;
}

Properties Content::properties() const { return Properties::decode(raw_properties); }

}  // namespace brokerlab::amqp
