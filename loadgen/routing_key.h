#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/random.h"
#include "loadgen/load_spec.h"
#include "loadgen/template.h"

namespace brokerlab {

// The routing keys of one instance and their numbers in the recording's list of routes. One thread.
class RoutingKey {
 public:
  struct Choice {
    std::string_view key;  // valid until the next call
    std::uint8_t route;    // kRouteUnlisted when the list of routes does not have it
  };
  using Routes = std::vector<std::pair<std::string, std::string>>;

  RoutingKey(const LoadSpec& spec, const Routes& routes, std::uint64_t seed, std::uint32_t instance);

  // `body`: of the same message. Throws Error (kUsage) when the key is to come from it and does not stand
  // there.
  Choice next(const MessageContext& context, std::string_view body);
  bool fixed() const { return kind_ == Kind::kCycle && keys_.size() == 1; }

 private:
  enum class Kind { kCycle, kChoice, kTemplate, kBody, kRandom };
  struct Key {
    std::string text;
    std::uint8_t route;
  };

  std::string random_word();
  std::uint8_t route_of(const std::string& key) const;
  const std::string& key_in(std::string_view body);

  Kind kind_ = Kind::kCycle;
  std::vector<Key> keys_;
  Template template_;
  JsonPointer pointer_;
  std::unordered_map<std::string, std::string> map_;  // value in the body -> key; empty: the value is the key
  std::unordered_map<std::string, std::uint8_t> routes_;
  std::string rendered_;
  Random random_;
};

}  // namespace brokerlab
