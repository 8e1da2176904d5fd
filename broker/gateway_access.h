#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/listen_address.h"

namespace brokerlab {

// Who may use a service of ours: the gateway, or what shows a run. A page of somebody else's that runs in the
// browser of a person on this machine can reach loopback, too; so every request is checked for the name it
// asks for (a foreign name that was made to point here is refused), for the page it comes from, and beyond
// loopback for a token. Pure; any thread.
class GatewayAccess {
 public:
  // `names`: further names under which the service may be reached, e.g. that of its container. Throws Error
  // (kUsage) for an address beyond loopback without a token.
  GatewayAccess(const ListenAddress& address, std::string token, std::vector<std::string> names);

  // The headers of a request that matter; empty where there is none.
  struct Request {
    std::string host, origin, fetch_site, authorization;
    bool only_shows_page = false;  // no token needed: the page holds nothing that is secret
  };
  struct Refusal {
    int status;
    std::string why;
  };
  std::optional<Refusal> refuse(const Request& request) const;

  bool wants_token() const { return !token_.empty(); }
  // Whether this value of Authorization has the token, where there is one.
  bool authorised(const std::string& authorization) const;

 private:
  bool known_name(const std::string& host) const;

  bool loopback_;
  std::string token_;
  std::vector<std::string> names_;
};

}  // namespace brokerlab
