#include "amqp/field_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "amqp/frame.h"
#include "core/error.h"

namespace brokerlab::amqp {
namespace {

// Memory of a pool; librabbitmq's own codec makes no promise for 0 bytes.
template <typename Entry>
Entry* allocate(amqp_pool_t* pool, std::size_t entries) {
  auto* memory =
      static_cast<Entry*>(amqp_pool_alloc(pool, std::max<std::size_t>(1, entries) * sizeof(Entry)));
  if (memory == nullptr) throw Error("out of memory while encoding a table", "", "");
  return memory;
}

amqp_bytes_t copy_bytes(const void* from, std::size_t bytes, amqp_pool_t* pool) {
  auto* memory = allocate<char>(pool, bytes);
  if (bytes != 0) std::memcpy(memory, from, bytes);
  return {bytes, memory};
}

[[noreturn]] void refuse(std::string what) {
  throw Error(std::move(what), "table of arguments or headers", "see the limits of AMQP field tables",
              ExitStatus::kUsage);
}

amqp_table_t object_to_wire(const Json& object, amqp_pool_t* pool, int depth, std::size_t& bytes);

amqp_field_value_t value_to_wire(const Json& value, amqp_pool_t* pool, int depth, std::size_t& bytes) {
  if (depth > FieldTable::kDeepest) refuse("nested too deeply");
  amqp_field_value_t out{};
  bytes += 9;
  switch (value.type()) {
    case Json::value_t::boolean:
      out.kind = AMQP_FIELD_KIND_BOOLEAN;
      out.value.boolean = value.get<bool>();
      break;
    case Json::value_t::number_unsigned:
      if (value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        refuse("a number beyond 2^63-1 cannot travel");
      }
      [[fallthrough]];
    case Json::value_t::number_integer:
      out.kind = AMQP_FIELD_KIND_I64;
      out.value.i64 = value.get<std::int64_t>();
      break;
    case Json::value_t::number_float:
      out.kind = AMQP_FIELD_KIND_F64;
      out.value.f64 = value.get<double>();
      break;
    case Json::value_t::string: {
      const auto& text = value.get_ref<const std::string&>();
      out.kind = AMQP_FIELD_KIND_UTF8;
      out.value.bytes = copy_bytes(text.data(), text.size(), pool);
      bytes += text.size();
      break;
    }
    case Json::value_t::binary: {
      const auto& binary = value.get_binary();
      out.kind = AMQP_FIELD_KIND_BYTES;
      out.value.bytes = copy_bytes(binary.data(), binary.size(), pool);
      bytes += binary.size();
      break;
    }
    case Json::value_t::array:
      out.kind = AMQP_FIELD_KIND_ARRAY;
      out.value.array.num_entries = static_cast<int>(value.size());
      out.value.array.entries = allocate<amqp_field_value_t>(pool, value.size());
      for (std::size_t i = 0; i < value.size(); ++i) {
        out.value.array.entries[i] = value_to_wire(value[i], pool, depth + 1, bytes);
      }
      break;
    case Json::value_t::object:
      out.kind = AMQP_FIELD_KIND_TABLE;
      out.value.table = object_to_wire(value, pool, depth + 1, bytes);
      break;
    default:
      out.kind = AMQP_FIELD_KIND_VOID;
  }
  if (bytes > FieldTable::kLargest) refuse("larger than 1 MiB");
  return out;
}

amqp_table_t object_to_wire(const Json& object, amqp_pool_t* pool, int depth, std::size_t& bytes) {
  amqp_table_t table{static_cast<int>(object.size()), allocate<amqp_table_entry_t>(pool, object.size())};
  auto* entry = table.entries;
  for (const auto& [key, value] : object.items()) {
    if (key.size() > 255) refuse(fmt::format("key of {} bytes: AMQP allows 255", key.size()));
    bytes += 1 + key.size();
    entry->key = copy_bytes(key.data(), key.size(), pool);
    entry->value = value_to_wire(value, pool, depth, bytes);
    ++entry;
  }
  return table;
}

bool is_utf8(std::string_view text) {
  // nlohmann's serializer refuses other text, and it is the reader of everything that is recorded.
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t more = 0;
    unsigned point = 0;
    if (lead < 0x80) {
      ++i;
      continue;
    }
    if (lead >= 0xC2 && lead <= 0xDF) more = 1, point = lead & 0x1FU;
    if (lead >= 0xE0 && lead <= 0xEF) more = 2, point = lead & 0x0FU;
    if (lead >= 0xF0 && lead <= 0xF4) more = 3, point = lead & 0x07U;
    if (more == 0 || i + more >= text.size()) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0U) != 0x80) return false;
      point = (point << 6U) | (next & 0x3FU);
    }
    const bool overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
    if (overlong || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += more + 1;
  }
  return true;
}

Json binary_json(std::string_view bytes) { return Json::binary({bytes.begin(), bytes.end()}); }

Json value_to_json(const amqp_field_value_t& value) {
  const auto text = [&value] {
    return std::string_view(static_cast<const char*>(value.value.bytes.bytes), value.value.bytes.len);
  };
  switch (value.kind) {
    case AMQP_FIELD_KIND_BOOLEAN:
      return value.value.boolean != 0;
    case AMQP_FIELD_KIND_I8:
      return value.value.i8;
    case AMQP_FIELD_KIND_U8:
      return value.value.u8;
    case AMQP_FIELD_KIND_I16:
      return value.value.i16;
    case AMQP_FIELD_KIND_U16:
      return value.value.u16;
    case AMQP_FIELD_KIND_I32:
      return value.value.i32;
    case AMQP_FIELD_KIND_U32:
      return value.value.u32;
    case AMQP_FIELD_KIND_I64:
      return value.value.i64;
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_TIMESTAMP:
      return value.value.u64;
    case AMQP_FIELD_KIND_F32:
      return static_cast<double>(value.value.f32);
    case AMQP_FIELD_KIND_F64:
      return value.value.f64;
    case AMQP_FIELD_KIND_DECIMAL:
      return static_cast<double>(static_cast<std::int32_t>(value.value.decimal.value)) /
             std::pow(10.0, value.value.decimal.decimals);
    case AMQP_FIELD_KIND_UTF8:
      return is_utf8(text()) ? Json(std::string(text())) : binary_json(text());
    case AMQP_FIELD_KIND_BYTES:
      return binary_json(text());
    case AMQP_FIELD_KIND_ARRAY: {
      Json array = Json::array();
      for (int i = 0; i < value.value.array.num_entries; ++i) {
        array.push_back(value_to_json(value.value.array.entries[i]));
      }
      return array;
    }
    case AMQP_FIELD_KIND_TABLE:
      return FieldTable::to_json(value.value.table);
    default:
      return nullptr;
  }
}

// A walk over encoded tables that believes no length.
class Walk {
 public:
  explicit Walk(std::span<const std::byte> wire) : wire_(wire) {}

  std::size_t table(int depth) {
    const std::size_t end = enter(depth);
    while (at_ < end) {
      const auto key = static_cast<std::size_t>(take(1)[0]);
      take(key);
      value(depth);
    }
    leave(end);
    return at_;
  }

 private:
  void value(int depth) {
    const auto kind = static_cast<char>(take(1)[0]);
    const int fixed = fixed_bytes(kind);
    if (fixed >= 0) {
      take(static_cast<std::size_t>(fixed));
    } else if (kind == 'S' || kind == 'x') {
      take(load_big_endian<std::uint32_t>(take(4)));
    } else if (kind == 'F') {
      table(depth + 1);
    } else if (kind == 'A') {
      array(depth + 1);
    } else {
      broken();
    }
  }
  void array(int depth) {
    const std::size_t end = enter(depth);
    while (at_ < end) value(depth);
    leave(end);
  }
  std::size_t enter(int depth) {
    if (depth > FieldTable::kDeepest) broken();
    const auto bytes = load_big_endian<std::uint32_t>(take(4));
    if (bytes > FieldTable::kLargest || bytes > wire_.size() - at_) broken();
    return at_ + bytes;
  }
  void leave(std::size_t end) const {
    if (at_ != end) broken();
  }
  const std::byte* take(std::size_t bytes) {
    if (bytes > wire_.size() - at_) broken();
    const std::byte* from = wire_.data() + at_;
    at_ += bytes;
    return from;
  }
  // -1 for what has a length of its own or is unknown.
  static int fixed_bytes(char kind) {
    switch (kind) {
      case 'V':
        return 0;
      case 't':
      case 'b':
      case 'B':
        return 1;
      case 's':
      case 'u':
        return 2;
      case 'I':
      case 'i':
      case 'f':
        return 4;
      case 'D':
        return 5;
      case 'l':
      case 'L':
      case 'd':
      case 'T':
        return 8;
      default:
        return -1;
    }
  }
  [[noreturn]] static void broken() {
    throw Error("a field table that breaks AMQP's format or our limits", "received from the peer", "");
  }

  std::span<const std::byte> wire_;
  std::size_t at_ = 0;
};

}  // namespace

amqp_table_t FieldTable::to_wire(const Json& object, amqp_pool_t* pool) {
  if (object.is_null()) return amqp_empty_table;
  if (!object.is_object()) refuse("arguments must be an object");
  std::size_t bytes = 0;
  return object_to_wire(object, pool, 1, bytes);
}

Json FieldTable::to_json(const amqp_table_t& table) {
  Json object = Json::object();
  for (int i = 0; i < table.num_entries; ++i) {
    const auto& entry = table.entries[i];
    std::string key(static_cast<const char*>(entry.key.bytes), entry.key.len);
    if (!is_utf8(key))
      std::replace_if(
          key.begin(), key.end(), [](char c) { return (c & 0x80) != 0; }, '?');
    object[key] = value_to_json(entry.value);
  }
  return object;
}

std::size_t FieldTable::check(std::span<const std::byte> wire) { return Walk(wire).table(1); }

}  // namespace brokerlab::amqp
