#include "core/shown_text.h"

#include <cstddef>

namespace brokerlab {
namespace {

constexpr std::size_t kLongestShown = 200;

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7f; }

std::string escaped(unsigned char byte) {
  if (byte == '\n') return "\\n";
  if (byte == '\r') return "\\r";
  if (byte == '\t') return "\\t";
  constexpr char kDigits[] = "0123456789abcdef";
  return {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

// Bytes of the character that begins at `text`; 0 when they are no valid UTF-8 or a control character of it.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return is_control(byte(0)) ? 0 : 1;
  const std::size_t bytes = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < bytes) return 0;
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xf0 && byte(1) < 0x90);
  const bool no_character = (byte(0) == 0xed && byte(1) >= 0xa0) || (byte(0) == 0xf4 && byte(1) >= 0x90);
  const bool control = byte(0) == 0xc2 && byte(1) < 0xa0;
  return overlong || no_character || control ? 0 : bytes;
}

// Appends the first character of `text`; returns how many bytes it took.
std::size_t show_character(std::string_view text, std::string& shown) {
  const std::size_t bytes = character_bytes(text);
  shown += bytes == 0 ? escaped(static_cast<unsigned char>(text[0])) : std::string(text.substr(0, bytes));
  return bytes == 0 ? 1 : bytes;
}

}  // namespace

std::string shown_body(std::string_view body) {
  if (body.empty()) return "(empty)";
  std::string shown;
  std::size_t at = 0;
  for (std::size_t characters = 0; at < body.size() && characters < kLongestShown; ++characters) {
    at += show_character(body.substr(at), shown);
  }
  if (at < body.size()) shown += "… (" + std::to_string(body.size()) + " bytes)";
  return shown;
}

std::string shown_words(std::string_view words) {
  std::string shown;
  for (std::size_t at = 0; at < words.size();) at += show_character(words.substr(at), shown);
  return shown;
}

std::string shown_target(std::string_view exchange, std::string_view routing_key) {
  const auto quoted = [](std::string_view name) {
    return "\"" + (name.empty() ? std::string() : shown_body(name)) + "\"";
  };
  if (exchange.empty()) return "queue " + quoted(routing_key);
  return "exchange " + quoted(exchange) + ", key " + quoted(routing_key);
}

}  // namespace brokerlab
