#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "roles/behaviour.h"

namespace brokerlab {

// The behaviour that is data alone: is the message meant (`when`), and what is published of it (`set`,
// `publish`). Keeps nothing from one message to the next.
class Rule final : public Behaviour {
 public:
  explicit Rule(const BehaviourSetting& setting);

  // Unreadable is a body that the role has to look into and that is no JSON object.
  Reaction receive(std::string_view body, std::string_view routing_key) override;
  // The body patched by `set`, or the bytes as they came.
  std::vector<Outgoing> finish(const Reaction& reaction, std::string_view body) override;

 private:
  bool publishes_;
  bool needs_json_;
  std::vector<std::pair<JsonPointer, Json>> when_;
  Json set_;
};

}  // namespace brokerlab
