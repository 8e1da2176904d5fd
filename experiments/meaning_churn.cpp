#include "core/error.h"
#include "experiments/meaning.h"
#include "loadgen/churn_spec.h"

namespace brokerlab {
namespace {

struct Wanted {
  bool queue = false, exchange = false, declares = false;
};

Wanted wanted_by(const std::string& kind) {
  if (kind == "queue") return {.declares = true};
  if (kind == "binding") return {.queue = true, .exchange = true};
  return {.queue = kind == "consumer"};
}

void check_key(const Json& churn, const JsonPointer& at, const char* key, bool wanted, Findings& findings) {
  const std::string kind = text_at(churn, "kind");
  if (churn.contains(key) == wanted) return;
  if (wanted) {
    findings.error(at, "a churn of kind " + kind + " needs \"" + key + "\"",
                   std::string("name one that the topology declares: \"") + key + "\": \"…\"");
  } else {
    findings.error(at / key, "a churn of kind " + kind + " has no use for \"" + key + "\"", "remove it");
  }
}

void check_known(const Json& churn, const JsonPointer& at, const DeclaredNames& names, Findings& findings) {
  const std::string queue = text_at(churn, "queue"), exchange = text_at(churn, "exchange");
  if (!queue.empty() && !names.queues.contains(queue)) {
    findings.error(at / "queue", "queue \"" + queue + "\" is not declared",
                   suggestion(queue, names.queue_suggestions));
  }
  if (!exchange.empty() && !names.exchange_types.contains(exchange)) {
    findings.error(at / "exchange", "exchange \"" + exchange + "\" is not declared",
                   suggestion(exchange, names.exchanges));
  }
  const auto type = names.exchange_types.find(exchange);
  if (type != names.exchange_types.end() && type->second == "x-consistent-hash") {
    findings.error(at / "exchange", "bindings of x-consistent-hash have weights for keys",
                   "a direct, topic or fanout exchange");
  }
}

}  // namespace

void check_churn(const Json& experiment, const DeclaredNames& names, const std::filesystem::path& directory,
                 Findings& findings) {
  const Json& entries = list_at(experiment, "churn");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Json& churn = entries[i];
    const JsonPointer at = JsonPointer("/churn") / i;
    if (!churn.is_object()) continue;
    const Wanted wanted = wanted_by(text_at(churn, "kind"));
    check_key(churn, at, "queue", wanted.queue, findings);
    check_key(churn, at, "exchange", wanted.exchange, findings);
    if (!wanted.declares) check_key(churn, at, "arguments", false, findings);
    check_known(churn, at, names, findings);
    if (whole_at(churn, "processes") > whole_at(churn, "instances"))
      findings.error(at / "processes", "more processes than instances", "raise \"instances\"");
    if (!findings.clean(at)) continue;
    try {
      ChurnSpec::from_json(churn, directory);
    } catch (const Error& error) {
      findings.error(at, error.summary(), error.remedy());
    }
  }
}

}  // namespace brokerlab
