#include "experiments/network_paths.h"

#include "amqp/uri.h"
#include "core/error.h"

namespace brokerlab {

NetworkPaths::NetworkPaths(std::vector<std::string> broker_uris, bool tls_insecure, const Clock& clock,
                           std::uint64_t seed)
    : broker_uris_(std::move(broker_uris)), tls_insecure_(tls_insecure), clock_(clock), seed_(seed) {}

void NetworkPaths::divert(const std::string& process) {
  if (ways_.contains(process)) return;
  if (!proxy_) proxy_ = std::make_unique<NetworkProxy>(clock_, seed_);
  std::vector<std::size_t> ways;
  for (const std::string& text : broker_uris_) {
    const amqp::Uri uri = amqp::Uri::parse(text);
    if (uri.tls && uri.host != "localhost" && uri.host != "127.0.0.1" && !tls_insecure_)
      throw Error("a network fault would send " + process +
                      " to 127.0.0.1, which is not what the certificate of " + uri.host + " is for",
                  uri.safe(), "leave network faults out, or give --tls-insecure");
    ways.push_back(proxy_->add_way(uri.host, uri.port));
  }
  ways_[process] = std::move(ways);
}

std::vector<std::string> NetworkPaths::uris(const std::string& process) const {
  const auto found = ways_.find(process);
  if (found == ways_.end()) return broker_uris_;
  std::vector<std::string> uris;
  for (std::size_t i = 0; i < broker_uris_.size(); ++i) {
    amqp::Uri uri = amqp::Uri::parse(broker_uris_[i]);
    if (uri.host != "localhost") uri.host = "127.0.0.1";
    uri.port = proxy_->port(found->second[i]);
    uris.push_back(uri.full());
  }
  return uris;
}

NetworkPaths::Disturbance::Disturbance(NetworkPaths& paths, const std::vector<std::string>& processes,
                                       const Toxic& toxic)
    : paths_(paths) {
  for (const std::string& process : processes) {
    for (const std::size_t way : paths_.ways_.at(process)) {
      const std::uint64_t cut_before = paths_.proxy_->counts(way).cut;
      places_.push_back({way, paths_.proxy_->add(way, toxic), cut_before});
    }
  }
}

void NetworkPaths::Disturbance::end() {
  for (const Place& place : places_) {
    paths_.proxy_->remove(place.way, place.toxic);
    cut_ += paths_.proxy_->counts(place.way).cut - place.cut_before;
  }
  places_.clear();
}

}  // namespace brokerlab
