#include "roles/behaviour.h"

#include <map>

#include "core/error.h"
#include "roles/code_worker.h"
#include "roles/customer_app.h"
#include "roles/executor.h"
#include "roles/project_client.h"
#include "roles/rule.h"
#include "roles/shopping_worker.h"

namespace brokerlab {
namespace {

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

using Maker = std::unique_ptr<Behaviour> (*)(const BehaviourSetting&);

template <class Kind>
std::unique_ptr<Behaviour> make(const BehaviourSetting& setting) {
  return std::make_unique<Kind>(setting);
}

const std::map<std::string, Maker>& makers() {
  static const std::map<std::string, Maker> known = {
      {"code_worker", make<CodeWorker>},         {"executor", make<Executor>},
      {"project_client", make<ProjectClient>},   {"rule", make<Rule>},
      {"shopping_worker", make<ShoppingWorker>}, {"customer_app", make<CustomerApp>}};
  return known;
}

}  // namespace

std::unique_ptr<Behaviour> make_behaviour(const BehaviourSetting& setting) {
  const auto maker = makers().find(setting.spec.behaviour);
  if (maker == makers().end()) {
    std::vector<std::string> names;
    for (const auto& [name, unused] : makers()) names.push_back(name);
    const std::string nearest = nearest_word(setting.spec.behaviour, names);
    throw Error("unknown behaviour \"" + setting.spec.behaviour + "\"", "role " + setting.spec.role,
                nearest.empty() ? "docs/roles.md lists them" : "did you mean \"" + nearest + "\"?",
                ExitStatus::kUsage);
  }
  return maker->second(setting);
}

Json parse_message(std::string_view body) {
  if (nested_too_deeply(body)) return nullptr;
  Json json = Json::parse(body, nullptr, false);
  return json.is_object() ? json : Json(nullptr);
}

std::string print_message(const Json& body) {
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace brokerlab
