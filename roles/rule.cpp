#include "roles/rule.h"

namespace brokerlab {

Rule::Rule(const BehaviourSetting& setting)
    : publishes_(!setting.spec.outputs.empty()), set_(setting.spec.set) {
  const RoleSpec& spec = setting.spec;
  if (!spec.when.is_null()) {
    for (const auto& [pointer, value] : spec.when.items()) when_.emplace_back(JsonPointer(pointer), value);
  }
  needs_json_ = !when_.empty() || !set_.is_null() || spec.effort.source == EffortSpec::Source::kPointer;
}

Reaction Rule::receive(std::string_view body, std::string_view) {
  if (!needs_json_) return {};
  Reaction reaction;
  reaction.body = parse_message(body);
  if (reaction.body.is_null()) {
    reaction.verdict = Reaction::Verdict::kUnreadable;
    return reaction;
  }
  for (const auto& [pointer, value] : when_) {
    if (reaction.body.contains(pointer) && reaction.body.at(pointer) == value) continue;
    reaction.verdict = Reaction::Verdict::kIgnore;
    break;
  }
  return reaction;
}

std::vector<Outgoing> Rule::finish(const Reaction& reaction, std::string_view body) {
  if (!publishes_) return {};
  if (set_.is_null()) return {{0, "", std::string(body)}};
  Json patched = reaction.body;
  patched.merge_patch(set_);
  return {{0, "", print_message(patched)}};
}

}  // namespace brokerlab
