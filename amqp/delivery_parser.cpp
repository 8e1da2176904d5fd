#include "amqp/delivery_parser.h"

#include <algorithm>
#include <cstring>

#include "amqp/frame.h"
#include "core/stamp.h"

namespace brokerlab::amqp {
namespace {

constexpr std::size_t kContentHeaderBytes = 12;  // class, weight, body size
constexpr std::uint16_t kBasicClass = 60;
constexpr std::uint16_t kContentTypeFlag = 1U << 15U;
constexpr std::uint16_t kContentEncodingFlag = 1U << 14U;
constexpr std::uint16_t kHeadersFlag = 1U << 13U;
constexpr std::string_view kStampName{Stamp::kHeaderName};

// Reads forward and never beyond the end; one flag says whether everything was there.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> from) : at_(from.data()), end_(from.data() + from.size()) {}

  bool good() const { return good_; }
  bool done() const { return at_ == end_; }
  template <typename Word>
  Word word() {
    if (!has(sizeof(Word))) return 0;
    const Word value = load_big_endian<Word>(at_);
    at_ += sizeof(Word);
    return value;
  }
  std::uint8_t octet() {
    if (!has(1)) return 0;
    return static_cast<std::uint8_t>(*at_++);
  }
  std::string_view short_text() {
    const std::size_t bytes = octet();
    return {reinterpret_cast<const char*>(at_), take(bytes).size()};
  }
  std::span<const std::byte> take(std::size_t bytes) {
    if (!has(bytes)) return {};
    const std::span<const std::byte> taken(at_, bytes);
    at_ += bytes;
    return taken;
  }

 private:
  bool has(std::size_t bytes) {
    if (good_ && bytes <= static_cast<std::size_t>(end_ - at_)) return true;
    good_ = false;
    return false;
  }

  const std::byte* at_;
  const std::byte* end_;
  bool good_ = true;
};

// Skips the value of a table entry. Nested ones carry their length, so nothing recurses.
void skip_value(Cursor& cursor, char kind) {
  switch (kind) {
    case 'V':
      return;
    case 't':
    case 'b':
    case 'B':
      cursor.take(1);
      return;
    case 's':
    case 'u':
      cursor.take(2);
      return;
    case 'I':
    case 'i':
    case 'f':
      cursor.take(4);
      return;
    case 'D':
      cursor.take(5);
      return;
    case 'l':
    case 'L':
    case 'd':
    case 'T':
      cursor.take(8);
      return;
    case 'S':
    case 'x':
    case 'F':
    case 'A':
      cursor.take(cursor.word<std::uint32_t>());
      return;
    default:
      cursor.take(~std::size_t{0});  // unknown: the rest can not be read
  }
}

std::span<const std::byte> find_stamp(std::span<const std::byte> properties) {
  Cursor cursor(properties);
  const auto flags = cursor.word<std::uint16_t>();
  if ((flags & kHeadersFlag) == 0) return {};
  if (flags & kContentTypeFlag) cursor.short_text();
  if (flags & kContentEncodingFlag) cursor.short_text();
  Cursor table(cursor.take(cursor.word<std::uint32_t>()));
  while (cursor.good() && table.good() && !table.done()) {
    const auto name = table.short_text();
    const auto kind = static_cast<char>(table.octet());
    if (kind == 'x' && name == kStampName) return table.take(table.word<std::uint32_t>());
    skip_value(table, kind);
  }
  return {};
}

// A complete frame of `type` at the start of `buffer`; its payload, or nothing.
std::optional<std::span<const std::byte>> frame_payload(std::span<const std::byte> buffer, FrameType type,
                                                        std::uint16_t channel, std::uint32_t frame_max) {
  if (buffer.size() < kFrameOverhead) return std::nullopt;
  const auto header = FrameHeader::load(buffer.data());
  if (header.type != static_cast<std::uint8_t>(type) || header.channel != channel) return std::nullopt;
  if (header.payload_bytes > std::min<std::size_t>(buffer.size(), frame_max) - kFrameOverhead)
    return std::nullopt;
  if (buffer[kFrameHeaderBytes + header.payload_bytes] != kFrameEnd) return std::nullopt;
  return buffer.subspan(kFrameHeaderBytes, header.payload_bytes);
}

}  // namespace

std::optional<DeliverFields> parse_deliver(std::span<const std::byte> arguments) {
  Cursor cursor(arguments);
  DeliverFields fields;
  fields.consumer_tag = cursor.short_text();
  fields.delivery_tag = cursor.word<std::uint64_t>();
  fields.redelivered = (cursor.octet() & 1U) != 0;
  fields.exchange = cursor.short_text();
  fields.routing_key = cursor.short_text();
  return cursor.good() ? std::optional(fields) : std::nullopt;
}

std::optional<DeliverFields> parse_get_ok(std::span<const std::byte> arguments) {
  Cursor cursor(arguments);
  DeliverFields fields;
  fields.delivery_tag = cursor.word<std::uint64_t>();
  fields.redelivered = (cursor.octet() & 1U) != 0;
  fields.exchange = cursor.short_text();
  fields.routing_key = cursor.short_text();
  fields.remaining = cursor.word<std::uint32_t>();
  return cursor.good() ? std::optional(fields) : std::nullopt;
}

std::optional<ReturnFields> parse_return(std::span<const std::byte> arguments) {
  Cursor cursor(arguments);
  ReturnFields fields;
  fields.reply_code = cursor.word<std::uint16_t>();
  fields.reply_text = cursor.short_text();
  fields.exchange = cursor.short_text();
  fields.routing_key = cursor.short_text();
  return cursor.good() ? std::optional(fields) : std::nullopt;
}

std::optional<ConfirmFields> parse_confirm(std::span<const std::byte> arguments) {
  Cursor cursor(arguments);
  ConfirmFields fields;
  fields.delivery_tag = cursor.word<std::uint64_t>();
  fields.multiple = (cursor.octet() & 1U) != 0;
  return cursor.good() ? std::optional(fields) : std::nullopt;
}

std::optional<ContentHeader> parse_content_header(std::span<const std::byte> payload) {
  if (payload.size() < kContentHeaderBytes + 2) return std::nullopt;
  if (load_big_endian<std::uint16_t>(payload.data()) != kBasicClass) return std::nullopt;
  ContentHeader header;
  header.body_bytes = load_big_endian<std::uint64_t>(payload.data() + 4);
  header.raw_properties = payload.subspan(kContentHeaderBytes);
  header.stamp_bytes = find_stamp(header.raw_properties);
  return header;
}

std::optional<WholeDelivery> parse_whole_delivery(std::span<const std::byte> buffer,
                                                  std::uint32_t frame_max) {
  if (buffer.size() < kFrameOverhead + 4) return std::nullopt;
  if (load_big_endian<std::uint32_t>(buffer.data() + kFrameHeaderBytes) != kBasicDeliver) return std::nullopt;
  WholeDelivery whole;
  whole.channel = load_big_endian<std::uint16_t>(buffer.data() + 1);
  const auto method = frame_payload(buffer, FrameType::kMethod, whole.channel, frame_max);
  if (!method || method->size() < 4) return std::nullopt;
  auto rest = buffer.subspan(method->size() + kFrameOverhead);
  const auto header_payload = frame_payload(rest, FrameType::kHeader, whole.channel, frame_max);
  if (!header_payload) return std::nullopt;
  rest = rest.subspan(header_payload->size() + kFrameOverhead);

  const auto fields = parse_deliver(method->subspan(4));
  const auto header = parse_content_header(*header_payload);
  if (!fields || !header) return std::nullopt;
  whole.fields = *fields;
  whole.header = *header;
  whole.frames = 2;
  if (header->body_bytes != 0) {
    const auto body = frame_payload(rest, FrameType::kBody, whole.channel, frame_max);
    if (!body || body->size() != header->body_bytes) return std::nullopt;
    whole.body = *body;
    whole.frames = 3;
    rest = rest.subspan(body->size() + kFrameOverhead);
  }
  whole.bytes = buffer.size() - rest.size();
  return whole;
}

}  // namespace brokerlab::amqp
