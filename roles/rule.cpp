#include "roles/rule.h"

namespace brokerlab {
namespace {

// Printing a value recurses; a body of a million brackets must not end the role.
bool nested_too_deeply(std::string_view body) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (in_text) {
      i += c == '\\';
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepestNesting) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

Rule::Rule(const RoleSpec& spec) : set_(spec.set) {
  if (!spec.when.is_null()) {
    for (const auto& [pointer, value] : spec.when.items()) when_.emplace_back(JsonPointer(pointer), value);
  }
  if (spec.effort.source == EffortSpec::Source::kPointer) effort_ = spec.effort.pointer;
  needs_json_ = !when_.empty() || !set_.is_null() || effort_.has_value();
}

Rule::Reading Rule::read(std::string_view body) const {
  if (!needs_json_) return {};
  if (nested_too_deeply(body)) return {Verdict::kUnreadable, nullptr};
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return {Verdict::kUnreadable, nullptr};
  for (const auto& [pointer, value] : when_) {
    if (!json.contains(pointer) || json.at(pointer) != value) return {Verdict::kIgnore, std::move(json)};
  }
  if (effort_) {
    const bool number = json.contains(*effort_) && json.at(*effort_).is_number();
    if (!number || json.at(*effort_).get<double>() < 0) return {Verdict::kUnreadable, std::move(json)};
  }
  return {Verdict::kAct, std::move(json)};
}

std::string Rule::onward(const Reading& reading, std::string_view body) const {
  if (set_.is_null()) return std::string(body);
  Json patched = reading.body;
  patched.merge_patch(set_);
  return patched.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace brokerlab
