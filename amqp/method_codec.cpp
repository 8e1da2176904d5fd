#include "amqp/method_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "amqp/field_table.h"
#include "amqp/frame.h"
#include "core/error.h"

namespace brokerlab::amqp {
namespace {

// Everything else from the peer breaks the protocol. Deliveries, get-ok, returns, acks and nacks are parsed
// elsewhere.
constexpr std::array<std::uint32_t, 25> kFromBroker{
    AMQP_CONNECTION_START_METHOD,    AMQP_CONNECTION_SECURE_METHOD,    AMQP_CONNECTION_TUNE_METHOD,
    AMQP_CONNECTION_OPEN_OK_METHOD,  AMQP_CONNECTION_CLOSE_METHOD,     AMQP_CONNECTION_CLOSE_OK_METHOD,
    AMQP_CONNECTION_BLOCKED_METHOD,  AMQP_CONNECTION_UNBLOCKED_METHOD, AMQP_CHANNEL_OPEN_OK_METHOD,
    AMQP_CHANNEL_FLOW_METHOD,        AMQP_CHANNEL_CLOSE_METHOD,        AMQP_CHANNEL_CLOSE_OK_METHOD,
    AMQP_EXCHANGE_DECLARE_OK_METHOD, AMQP_EXCHANGE_DELETE_OK_METHOD,   AMQP_EXCHANGE_BIND_OK_METHOD,
    AMQP_EXCHANGE_UNBIND_OK_METHOD,  AMQP_QUEUE_DECLARE_OK_METHOD,     AMQP_QUEUE_BIND_OK_METHOD,
    AMQP_QUEUE_PURGE_OK_METHOD,      AMQP_QUEUE_DELETE_OK_METHOD,      AMQP_QUEUE_UNBIND_OK_METHOD,
    AMQP_BASIC_QOS_OK_METHOD,        AMQP_BASIC_CONSUME_OK_METHOD,     AMQP_BASIC_CANCEL_METHOD,
    AMQP_BASIC_CANCEL_OK_METHOD,
};
constexpr std::array<std::uint32_t, 4> kFromBrokerToo{AMQP_BASIC_GET_EMPTY_METHOD,
                                                      AMQP_CONFIRM_SELECT_OK_METHOD, AMQP_TX_SELECT_OK_METHOD,
                                                      AMQP_TX_COMMIT_OK_METHOD};

bool comes_from_broker(std::uint32_t id) {
  return std::find(kFromBroker.begin(), kFromBroker.end(), id) != kFromBroker.end() ||
         std::find(kFromBrokerToo.begin(), kFromBrokerToo.end(), id) != kFromBrokerToo.end();
}

}  // namespace

std::string method_name(std::uint32_t id) {
  const char* constant = id == 0 ? nullptr : amqp_method_name(id);
  if (constant == nullptr) return "";
  std::string name(constant);  // AMQP_QUEUE_DECLARE_OK_METHOD
  if (name.rfind("AMQP_", 0) == 0) name.erase(0, 5);
  if (name.size() > 7 && name.compare(name.size() - 7, 7, "_METHOD") == 0) name.erase(name.size() - 7);
  bool first = true;
  for (char& letter : name) {
    if (letter == '_') {
      letter = first ? '.' : '-';
      first = false;
    } else {
      letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
  }
  return name;
}

amqp_bytes_t short_text(std::string_view text, std::string_view what) {
  if (text.size() > 255) {
    throw Error(fmt::format("{} of {} bytes: AMQP allows 255", what, text.size()),
                std::string(text.substr(0, 60)) + "…", "shorten it", ExitStatus::kUsage);
  }
  return to_wire_bytes(text);
}

std::optional<Method> MethodDecoder::decode(std::span<const std::byte> payload) {
  if (payload.size() < 4) return std::nullopt;
  const auto id = load_big_endian<std::uint32_t>(payload.data());
  if (!comes_from_broker(id)) return std::nullopt;
  auto arguments = payload.subspan(4);
  if (id == AMQP_CONNECTION_START_METHOD) {
    // The only method from a broker that holds a table: see FieldTable::check.
    if (arguments.size() < 2) return std::nullopt;
    try {
      FieldTable::check(arguments.subspan(2));
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  pool_.recycle();
  Method method{id, nullptr};
  const amqp_bytes_t encoded{arguments.size(), const_cast<std::byte*>(arguments.data())};
  if (amqp_decode_method(id, pool_.get(), encoded, &method.fields) != AMQP_STATUS_OK) return std::nullopt;
  return method;
}

std::size_t encode_method(std::uint32_t id, void* fields, std::span<std::byte> room) {
  if (room.size() < 4) return 0;
  store_big_endian(room.data(), id);
  const int bytes = amqp_encode_method(id, fields, amqp_bytes_t{room.size() - 4, room.data() + 4});
  return bytes < 0 ? 0 : static_cast<std::size_t>(bytes) + 4;
}

}  // namespace brokerlab::amqp
