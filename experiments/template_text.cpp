#include <fmt/format.h>

#include "experiments/catalogue.h"
#include "experiments/description.h"

namespace brokerlab {
namespace {

constexpr char kTemplate[] = R"json({
  // Where editors find names, types and descriptions of every key. brokerlab does not read it.
  "$schema": "@schema@",

  // The name of the folder below results/, and what stands in lists.
  "name": "@name@",
  "description": "One line for lists.",
  "question": "What is this to find out? A paragraph; it heads the report.",

  // Declared before anything starts, removed at the end.
  "topology": {
    "exchanges": [{"name": "orders", "type": "direct"}],
    "queues": [{"name": "work"}],
    "bindings": [{"exchange": "orders", "queue": "work", "routing_key": "new"}]
  },

  // Who sends what, when. Rates are messages per second of each instance.
  "load": [
    {
      "name": "producer",
      "instances": 2,
      // constant, poisson, ramp, steps, burst, renewal, replay; closed is the loop that waits for the broker
      "arrivals": {"process": "poisson", "rate": 100},
      "publish": {
        "exchange": "orders",
        "routing_key": "new",
        "body": {"json": {"id": "{id}", "number": "{sequence}", "producer": "{instance}"}}
      }
    }
  ],

  // Who consumes, and how long each message takes.
  "roles": [
    {
      "role": "worker",
      "instances": 2,
      "processes": 2,
      "consume": {"queue": "work", "ack": "manual"},
      "effort": {"kind": "sleep", "seconds": {"distribution": "exponential", "mean": "5ms"}}
    }
  ],

  "phases": {"warmup": "1s", "measure": "5s", "drain": "30s"},

  // The settings under comparison: name -> merge patch over this file. Entries of lists go by number.
  "variants": {
    "unlimited": {},
    "prefetch-1": {"roles": {"0": {"consume": {"prefetch": 1}}}}
  },

  // How often each variant is run, in random order; 10 make a comparison that means something.
  "repetitions": 1,
  "seed": 1,

  // A miss makes the exit status 99.
  "thresholds": ["ledger.lost == 0", "end_to_end.p50 < 1s"]
}
)json";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  return text.replace(at, what.size(), by);
}

}  // namespace

std::string init_text(const std::string& name) {
  const bool plain =
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
      std::string::npos;
  if (!plain) {
    throw Error("\"" + name + "\" is no name for an experiment", "", "letters, digits, '_', '.' and '-'",
                ExitStatus::kUsage);
  }
  const std::filesystem::path schema = shipped_folder("experiments/schema") / "experiment.schema.json";
  return replaced(replaced(kTemplate, "@schema@", schema.string()), "@name@",
                  name.empty() ? "my-experiment" : name);
}

}  // namespace brokerlab
