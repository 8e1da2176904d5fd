#include "loadgen/routing_key.h"

#include <algorithm>

#include "core/recording.h"

namespace brokerlab {

RoutingKey::RoutingKey(const LoadSpec& spec, const Routes& routes, std::uint64_t seed, std::uint32_t instance)
    : random_(seed, "routing keys of " + spec.name, instance) {
  for (std::size_t i = 0; i < std::min<std::size_t>(routes.size(), kRouteUnlisted); ++i) {
    if (routes[i].first == spec.exchange) routes_.emplace(routes[i].second, static_cast<std::uint8_t>(i));
  }
  if (spec.routing_key.is_string()) {
    const auto key = spec.routing_key.get<std::string>();
    keys_ = {{key, route_of(key)}};
  } else if (spec.routing_key.contains("template")) {
    kind_ = Kind::kTemplate;
    template_ = Template::of_text(spec.routing_key.at("template").get<std::string>());
  } else {
    kind_ = spec.routing_key.contains("choice") ? Kind::kChoice : Kind::kCycle;
    for (const Json& key : *spec.routing_key.begin()) {
      keys_.push_back({key.get<std::string>(), route_of(key.get<std::string>())});
    }
  }
}

std::uint8_t RoutingKey::route_of(const std::string& key) const {
  const auto found = routes_.find(key);
  return found == routes_.end() ? kRouteUnlisted : found->second;
}

RoutingKey::Choice RoutingKey::next(const MessageContext& context) {
  if (kind_ == Kind::kTemplate) {
    rendered_.clear();
    template_.render(context, random_, rendered_);
    return {rendered_, route_of(rendered_)};
  }
  const Key& key =
      keys_[kind_ == Kind::kChoice ? random_.below(keys_.size()) : context.sequence % keys_.size()];
  return {key.text, key.route};
}

}  // namespace brokerlab
