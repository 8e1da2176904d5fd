#include "broker/listen_address.h"

#include <arpa/inet.h>

#include <cctype>
#include <charconv>

#include "core/error.h"

namespace brokerlab {
namespace {

struct Parts {
  std::string_view host, port;
  bool with_port = false;
};

// An IPv6 address stands in brackets, because its colons would be taken for the port's.
Parts split(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return {};
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return {};
    return {text.substr(1, end - 1), rest.empty() ? rest : rest.substr(1), !rest.empty()};
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return {text, {}, false};
  if (text.find(':', colon + 1) != std::string_view::npos) return {};
  return {text.substr(0, colon), text.substr(colon + 1), true};
}

bool read_port(std::string_view text, std::uint16_t& port) {
  const char* end = text.data() + text.size();
  return !text.empty() && std::from_chars(text.data(), end, port).ptr == end &&
         std::to_string(port) == std::string(text);
}

}  // namespace

ListenAddress ListenAddress::parse(std::string_view text, const std::string& option) {
  ListenAddress address;
  if (read_port(text.substr(text.starts_with(':') ? 1 : 0), address.port)) return address;
  const Parts parts = split(text);
  address.host = parts.host;
  if (address.host.empty() || !read_port(parts.port, address.port)) {
    throw Error("\"" + std::string(text) + "\" is no address to listen on", option,
                "give HOST:PORT, for example 127.0.0.1:8081 or [::1]:8081", ExitStatus::kUsage);
  }
  return address;
}

bool ListenAddress::loopback() const {
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
  return host == "localhost" || host == "::1";
}

std::string ListenAddress::text() const {
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return shown + ":" + std::to_string(port);
}

std::string host_of(std::string_view authority) {
  std::string host(split(authority).host);
  for (char& c : host) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return host;
}

bool is_ip_literal(const std::string& host) {
  in6_addr any{};
  return inet_pton(AF_INET, host.c_str(), &any) == 1 || inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

}  // namespace brokerlab
