#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "roles/role_spec.h"

namespace brokerlab {

// What a role makes of a message's body: is it meant (`when`), and what is published of it (`set`). Pure.
class Rule {
 public:
  explicit Rule(const RoleSpec& spec);

  enum class Verdict { kAct, kIgnore, kUnreadable };
  struct Reading {
    Verdict verdict = Verdict::kAct;
    Json body;  // parsed only where the rule or the effort looks into it; else null
  };

  // Never throws, whatever the bytes are. A body is unreadable when the role has to look into it and it is no
  // JSON object, or when the number its effort is taken from is missing, negative or no number.
  Reading read(std::string_view body) const;
  // The body to publish onward: patched by `set`, or the bytes as they came.
  std::string onward(const Reading& reading, std::string_view body) const;

 private:
  bool needs_json_;
  std::vector<std::pair<JsonPointer, Json>> when_;
  Json set_;
  std::optional<JsonPointer> effort_;
};

}  // namespace brokerlab
