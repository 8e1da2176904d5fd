#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/network_proxy.h"
#include "core/clock.h"

namespace brokerlab {

// How the processes of a run reach the broker: straight, or through a proxy that can disturb their
// connections. A process that no network fault hits keeps its straight path, so that nothing stands between
// it and what is measured. Controller, one thread.
class NetworkPaths {
 public:
  // `broker_uris`: what a process connects to, in the order in which it tries them. `seed` decides which
  // connections a toxicity below 1 befalls.
  NetworkPaths(std::vector<std::string> broker_uris, bool tls_insecure, const Clock& clock,
               std::uint64_t seed);

  // From now on this process is sent through the proxy. Throws Error where that cannot be: by TLS the client
  // would meet a certificate for another host.
  void divert(const std::string& process);
  // What the process is to connect to: secrets, as the broker's own.
  std::vector<std::string> uris(const std::string& process) const;

  // A toxic on all paths of diverted processes, and its end.
  class Disturbance {
   public:
    Disturbance(NetworkPaths& paths, const std::vector<std::string>& processes, const Toxic& toxic);
    void end();
    std::uint64_t cut() const { return cut_; }  // connections, by this and what lasted beside it; after end()

   private:
    struct Place {
      std::size_t way = 0;
      std::size_t toxic = 0;
      std::uint64_t cut_before = 0;
    };
    NetworkPaths& paths_;
    std::vector<Place> places_;
    std::uint64_t cut_ = 0;
  };

 private:
  const std::vector<std::string> broker_uris_;
  const bool tls_insecure_;
  const Clock& clock_;
  const std::uint64_t seed_;
  std::unique_ptr<NetworkProxy> proxy_;                   // made for the first process that needs it
  std::map<std::string, std::vector<std::size_t>> ways_;  // process -> one way per URI
};

}  // namespace brokerlab
