#include "amqp/uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/error.h"

namespace brokerlab::amqp {
namespace {

[[noreturn]] void refuse(std::string what) {
  throw Error("the broker's URI is wrong: " + std::move(what), "",
              "write amqp[s]://user:password@host:port/vhost", ExitStatus::kUsage);
}

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) refuse("% must be followed by two hexadecimal digits");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (out.find('\0') != std::string::npos) refuse("it contains a zero byte");
  return out;
}

std::string encode(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(letter)) ||
                       std::string_view("-._~").find(letter) != std::string_view::npos;
    out += plain ? std::string(1, letter) : fmt::format("%{:02X}", static_cast<unsigned char>(letter));
  }
  return out;
}

std::uint16_t parse_port(std::string_view text) {
  unsigned port = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9' || port > 65535) refuse("the port is no number from 1 to 65535");
    port = port * 10 + static_cast<unsigned>(digit - '0');
  }
  if (text.empty() || port == 0 || port > 65535) refuse("the port is no number from 1 to 65535");
  return static_cast<std::uint16_t>(port);
}

// The one colon in a host's name would be taken for an IPv6 address's, and a bracket for its end.
void check_host(const std::string& host, bool ipv6) {
  if (!ipv6) {
    if (host.find_first_of(":[]") != std::string::npos) refuse("an IPv6 address stands in [ ]");
    return;
  }
  const auto zone = host.find('%');
  const std::string_view address = std::string_view(host).substr(0, zone);
  if (address.find(':') == std::string_view::npos ||
      address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
    refuse("what stands in [ ] is no IPv6 address");
  }
}

void parse_host(std::string_view text, Uri& uri) {
  std::string_view host = text, rest;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos) refuse("the [ of an IPv6 address is not closed");
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') refuse("after ] only :port may follow");
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    rest = text.substr(colon);
    if (rest.find(':', 1) != std::string_view::npos) refuse("an IPv6 address stands in [ ]");
  }
  if (host.empty()) refuse("the host is missing");
  uri.host = decode(host);
  check_host(uri.host, host.data() != text.data());
  uri.port = rest.empty() ? (uri.tls ? 5671 : 5672) : parse_port(rest.substr(1));
}

void parse_query(std::string_view query, Uri& uri) {
  if (query.empty()) refuse("nothing follows ? (in a name: %3F)");
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto equals = pair.find('=');
    const auto key = pair.substr(0, equals);
    const std::string value = equals == std::string_view::npos ? "" : decode(pair.substr(equals + 1));
    if (value.empty()) refuse("what follows ? is key=value, joined by & (? in a name: %3F)");
    if (key == "cacertfile") {
      uri.ca_file = value;
    } else if (key == "certfile") {
      uri.certificate_file = value;
    } else if (key == "keyfile") {
      uri.key_file = value;
    } else if (key == "server_name_indication") {
      uri.server_name = value;
    } else if (key == "auth_mechanism" && (value == "external" || value == "plain")) {
      uri.external = value == "external";
    } else {
      refuse(
          "what may follow ? is cacertfile, certfile, keyfile, server_name_indication, and auth_mechanism "
          "with "
          "plain or external (? in a name: %3F)");
    }
  }
  const bool of_tls = !uri.ca_file.empty() || !uri.certificate_file.empty() || uri.external;
  if (of_tls && !uri.tls) refuse("certificates need amqps://");
}

std::string query_of(const Uri& uri) {
  std::string query;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) query += fmt::format("{}{}={}", query.empty() ? "?" : "&", key, encode(value));
  };
  add("cacertfile", uri.ca_file);
  add("certfile", uri.certificate_file);
  add("keyfile", uri.key_file);
  add("server_name_indication", uri.server_name);
  add("auth_mechanism", uri.external ? "external" : "");
  return query;
}

std::string authority(const Uri& uri) {
  const bool ipv6 = uri.host.find(':') != std::string::npos;
  if (!ipv6) return fmt::format("{}:{}", encode(uri.host), uri.port);
  const auto zone = std::min(uri.host.find('%'), uri.host.size());
  return fmt::format("[{}{}]:{}", uri.host.substr(0, zone), encode(uri.host.substr(zone)), uri.port);
}

}  // namespace

Uri Uri::parse(std::string_view text) {
  Uri uri;
  if (text.rfind("amqps://", 0) == 0) {
    uri.tls = true;
    text.remove_prefix(8);
  } else if (text.rfind("amqp://", 0) == 0) {
    text.remove_prefix(7);
  } else {
    refuse("it must begin with amqp:// or amqps://");
  }
  if (text.find('#') != std::string_view::npos) refuse("# has no meaning in it (in a name: %23)");
  if (const auto question = text.find('?'); question != std::string_view::npos) {
    parse_query(text.substr(question + 1), uri);
    text = text.substr(0, question);
  }
  const auto slash = text.find('/');
  auto head = text.substr(0, slash);
  const auto path = slash == std::string_view::npos ? std::string_view{} : text.substr(slash + 1);
  if (path.find('/') != std::string_view::npos) refuse("a / within the vhost is written %2F");
  if (!path.empty()) uri.vhost = decode(path);
  // The last @, so that one in a password that was not encoded does not end up in the host's name.
  if (const auto at = head.rfind('@'); at != std::string_view::npos) {
    const auto login = head.substr(0, at);
    const auto colon = login.find(':');
    uri.user = decode(login.substr(0, colon));
    uri.password = colon == std::string_view::npos ? "" : decode(login.substr(colon + 1));
    head.remove_prefix(at + 1);
  }
  parse_host(head, uri);
  if (uri.vhost.size() > 255 || uri.user.size() > 255) refuse("user and vhost have at most 255 bytes");
  return uri;
}

std::string Uri::safe() const {
  return fmt::format("{}://{}/{}", tls ? "amqps" : "amqp", authority(*this), encode(vhost));
}

std::string Uri::full() const {
  return fmt::format("{}://{}:{}@{}/{}{}", tls ? "amqps" : "amqp", encode(user), encode(password),
                     authority(*this), encode(vhost), query_of(*this));
}

}  // namespace brokerlab::amqp
