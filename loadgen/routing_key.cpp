#include "loadgen/routing_key.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
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
  } else if (spec.routing_key.contains("body")) {
    kind_ = Kind::kBody;
    const Json& source = spec.routing_key.at("body");
    pointer_ = JsonPointer(source.at("pointer").get<std::string>());
    const Json map = source.value("map", Json::object());
    for (const auto& [value, key] : map.items()) map_[value] = key;
  } else if (spec.routing_key.contains("random")) {
    kind_ = Kind::kRandom;
    for (auto left = spec.routing_key.at("random").get<std::uint32_t>(); left > 0; --left)
      keys_.push_back({random_word(), kRouteUnlisted});
  } else {
    kind_ = spec.routing_key.contains("choice") ? Kind::kChoice : Kind::kCycle;
    for (const Json& key : *spec.routing_key.begin()) {
      keys_.push_back({key.get<std::string>(), route_of(key.get<std::string>())});
    }
  }
}

std::string RoutingKey::random_word() {
  char digits[16];
  const char* end = std::to_chars(digits, digits + sizeof digits, random_.next(), 16).ptr;
  return "key-" + std::string(digits, static_cast<std::size_t>(end - digits));
}

std::uint8_t RoutingKey::route_of(const std::string& key) const {
  const auto found = routes_.find(key);
  return found == routes_.end() ? kRouteUnlisted : found->second;
}

const std::string& RoutingKey::key_in(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  const std::string where = "message " + std::string(body.substr(0, 80));
  if (!json.is_structured() || !json.contains(pointer_) || json.at(pointer_).is_structured()) {
    throw Error(
        "the routing key is to be taken from " + pointer_.to_string() + ", where the body has no value",
        where, "check publish.routing_key and publish.body", ExitStatus::kUsage);
  }
  const Json& value = json.at(pointer_);
  rendered_ = value.is_string() ? value.get<std::string>() : value.dump();
  if (map_.empty()) return rendered_;
  const auto found = map_.find(rendered_);
  if (found != map_.end()) return found->second;
  throw Error("the routing key's map has no entry for \"" + rendered_ + "\"", where,
              "add it to publish.routing_key.body.map", ExitStatus::kUsage);
}

RoutingKey::Choice RoutingKey::next(const MessageContext& context, std::string_view body) {
  if (kind_ == Kind::kBody) {
    const std::string& key = key_in(body);
    return {key, route_of(key)};
  }
  if (kind_ == Kind::kTemplate) {
    rendered_.clear();
    template_.render(context, random_, rendered_);
    return {rendered_, route_of(rendered_)};
  }
  if (kind_ == Kind::kRandom) {
    if (!keys_.empty()) return {keys_[random_.below(keys_.size())].text, kRouteUnlisted};
    rendered_ = random_word();
    return {rendered_, kRouteUnlisted};
  }
  const Key& key = keys_[kind_ == Kind::kChoice ? random_.below(keys_.size())
                         : keys_.size() == 1    ? 0
                                                : context.sequence % keys_.size()];
  return {key.text, key.route};
}

}  // namespace brokerlab
