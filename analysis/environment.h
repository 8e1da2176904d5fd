#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace brokerlab {

struct EnvironmentInput {
  std::vector<std::string> command;  // argv; secrets are blotted out here
  Json versions = Json::object();    // {"brokerlab": "0.1.0", "rabbitmq": "3.10.8", "erlang": "25", …}
  Json broker = Json::object();      // {"kind", "uri" (userinfo is removed), "plugins", …}
  bool tls_insecure = false;
  Json tags = Json::object();  // what the person wants the result to be known by
};

// {host{…}, broker{…}, versions{…}, command[], tls_insecure, tags{}}: reads /proc of this machine. What
// cannot be read is absent.
Json describe_environment(const EnvironmentInput& input);

// Scheme, host, port and vhost of every URI in `text` stay, user and password go.
std::string without_credentials(std::string_view text);
// A command line fit to be kept: URIs without credentials; values of options that hold a secret replaced by
// "***".
std::vector<std::string> blot_secrets(const std::vector<std::string>& command);

}  // namespace brokerlab
