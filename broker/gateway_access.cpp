#include "broker/gateway_access.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace brokerlab {
namespace {

constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kMisdirected = 421;

// In a time that does not tell how much of it was right.
bool same_secret(const std::string& given, const std::string& wanted) {
  unsigned different = given.size() != wanted.size();
  for (std::size_t i = 0; i < given.size(); ++i) {
    different |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(wanted[i % wanted.size()]);
  }
  return different == 0;
}

}  // namespace

GatewayAccess::GatewayAccess(const ListenAddress& address, std::string token, std::vector<std::string> names)
    : loopback_(address.loopback()), token_(std::move(token)), names_(std::move(names)) {
  if (!loopback_ && token_.empty()) {
    throw Error("whoever can reach " + address.text() + " could use it", "listening beyond this machine",
                "give a token (better in BROKERLAB_TOKEN than on the command line), or listen on 127.0.0.1",
                ExitStatus::kUsage);
  }
  names_.push_back(address.host);
  for (std::string& name : names_) {
    const bool ipv6 = name.find(':') != std::string::npos;
    if (ipv6) name.insert(0, "[").append("]");
    name = host_of(name);
  }
}

bool GatewayAccess::known_name(const std::string& host) const {
  if (host == "localhost" || host == "127.0.0.1" || host == "::1") return true;
  if (std::find(names_.begin(), names_.end(), host) != names_.end()) return true;
  // Only a name can be made to point here; on loopback no other address leads here.
  return !loopback_ && is_ip_literal(host);
}

bool GatewayAccess::authorised(const std::string& authorization) const {
  return token_.empty() || same_secret(authorization, "Bearer " + token_);
}

std::optional<GatewayAccess::Refusal> GatewayAccess::refuse(const Request& request) const {
  if (!known_name(host_of(request.host))) {
    return Refusal{kMisdirected, "this service is not known by the name that the request gives as Host"};
  }
  const bool own_page =
      request.origin == "http://" + request.host || request.origin == "https://" + request.host;
  if (!request.origin.empty() && !own_page) {
    return Refusal{kForbidden, "requests from pages of another origin are refused"};
  }
  // A picture or a form of a foreign page sends no Origin with a GET, and a GET here takes a message away.
  if (request.fetch_site == "cross-site" || request.fetch_site == "same-site") {
    return Refusal{kForbidden, "requests from pages of another site are refused"};
  }
  if (!request.only_shows_page && !authorised(request.authorization)) {
    return Refusal{kUnauthorized, "a token is needed: send it as Authorization: Bearer TOKEN"};
  }
  return {};
}

}  // namespace brokerlab
