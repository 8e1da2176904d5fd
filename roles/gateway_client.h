#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace brokerlab {

// A client of a gateway (`brokerlab gateway`, or any service with its three routes). Calls block, each
// bounded in time, and throw Error when the gateway cannot be reached or says no. One thread at a time.
class GatewayClient {
 public:
  // `address`: http://host:port. `token`: empty for none.
  GatewayClient(const std::string& address, const std::string& token = "");
  ~GatewayClient();

  void create(const std::string& queue);
  void send(const std::string& queue, std::string_view message);
  std::optional<std::string> receive(const std::string& queue);  // nothing: the queue is empty

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace brokerlab
