// The part of check_meaning() that looks at "faults", by the table of fault kinds.
#include <fmt/format.h>

#include <optional>

#include "broker/toxic.h"
#include "core/error.h"
#include "core/units.h"
#include "experiments/fault_kind.h"
#include "experiments/meaning.h"

namespace brokerlab {
namespace {

// What a fault is aimed at.
struct Aim {
  FaultKind::Target kind;
  std::int64_t members = 1;  // processes or nodes, one of which "instance" names
};

// The aim that the fault names; adds every name that would have been one to `known`.
std::optional<Aim> aim_of(const Json& experiment, const std::string& target, const FaultKind& kind,
                          std::vector<std::string>& known) {
  std::optional<Aim> aim;
  const auto offer = [&](const std::string& name, Aim offered) {
    if ((kind.targets & offered.kind) != 0) known.push_back(name);
    if (name == target && !aim) aim = offered;
  };
  offer("broker", {FaultKind::kBroker, whole_at(member(experiment, "broker"), "nodes")});
  for (const Json& load : list_at(experiment, "load")) {
    offer(text_at(load, "name"), {FaultKind::kLoad, whole_at(load, "processes")});
  }
  for (const Json& churn : list_at(experiment, "churn")) {
    offer(text_at(churn, "name"), {FaultKind::kLoad, whole_at(churn, "processes")});
  }
  for (const Json& role : list_at(experiment, "roles")) {
    offer(text_at(role, "role"), {FaultKind::kRole, whole_at(role, "processes")});
  }
  offer("all", {FaultKind::kAll});
  if ((kind.targets & FaultKind::kQueue) == 0) return aim;
  aim.reset();
  for (const auto& [name, entry] : declared_names(experiment).queues) offer(name, {FaultKind::kQueue});
  return aim;
}

const char* name_of(FaultKind::Target target) {
  switch (target) {
    case FaultKind::kLoad:
      return "a load";
    case FaultKind::kRole:
      return "a role";
    case FaultKind::kBroker:
      return "the broker";
    case FaultKind::kAll:
      return "everybody";
    case FaultKind::kQueue:
      break;
  }
  return "a queue";
}

class FaultCheck {
 public:
  FaultCheck(const Json& experiment, const Json& fault, const JsonPointer& at, Findings& findings)
      : experiment_(experiment), fault_(fault), at_(at), findings_(findings) {}

  void check() {
    check_repetition();
    const FaultKind* kind = fault_kind(text_at(fault_, "kind"));
    if (kind == nullptr) return;  // the schema has said so
    check_target(*kind);
    check_broker(*kind);
    check_end(*kind);
    check_network(*kind);
    check_settings(*kind);
  }

 private:
  void check_target(const FaultKind& kind) {
    const std::string target = text_at(fault_, "target");
    if (target.empty()) return;
    std::vector<std::string> known;
    const auto aim = aim_of(experiment_, target, kind, known);
    if (!aim) {
      findings_.error(at_ / "target", "unknown target \"" + target + "\"", suggestion(target, known));
    } else if ((kind.targets & aim->kind) == 0) {
      findings_.error(at_ / "target", fmt::format("{} cannot hit {}", kind.name, name_of(aim->kind)),
                      suggestion(target, known));
    } else if (aim->members > 0 && whole_at(fault_, "instance") >= aim->members) {
      findings_.error(at_ / "instance",
                      fmt::format("\"{}\" has {} {}, from 0", target, aim->members,
                                  aim->kind == FaultKind::kBroker ? "nodes" : "processes"),
                      aim->kind == FaultKind::kBroker ? "a smaller number, or \"nodes\" of the broker"
                                                      : "a smaller number, or \"processes\" in that entry");
    }
  }

  void check_broker(const FaultKind& kind) {
    const Json& broker = member(experiment_, "broker");
    const bool ours = text_at(broker, "kind") != "external";
    const bool wanted = kind.broker_for(text_at(fault_, "target")) == FaultKind::Broker::kOurs;
    if (wanted && !ours) {
      findings_.error(at_ / "target", "the broker is not ours to break", "set broker.kind to \"private\"");
    } else if (wanted && whole_at(broker, "nodes") < static_cast<std::int64_t>(kind.nodes)) {
      findings_.error(at_ / "kind", fmt::format("{} needs a broker of {} nodes", kind.name, kind.nodes),
                      fmt::format("add \"broker\": {{\"nodes\": {}}}", kind.nodes));
    }
  }

  void check_end(const FaultKind& kind) {
    const std::string name(kind.name);
    if (kind.end == FaultKind::End::kDuration && !fault_.contains("duration")) {
      findings_.error(at_, fmt::format("{} needs an end", name), "add \"duration\", e.g. \"2s\"");
    }
    if (kind.end != FaultKind::End::kDuration && fault_.contains("duration")) {
      findings_.error(at_ / "duration", fmt::format("{} has no duration", name),
                      kind.end == FaultKind::End::kRestart
                          ? "\"restart_after\" starts again what was killed or stopped"
                          : "remove it: it is over as soon as it is done");
    }
    if (kind.end != FaultKind::End::kRestart && fault_.contains("restart_after")) {
      findings_.error(at_ / "restart_after", fmt::format("{} leaves nothing to start again", name),
                      kind.end == FaultKind::End::kDuration ? "it ends by its \"duration\"" : "remove it");
    }
  }

  void check_network(const FaultKind& kind) {
    if (!is_toxic(kind.name)) {
      for (const char* key : {"stream", "toxicity", "attributes"}) {
        if (fault_.contains(key))
          findings_.error(at_ / key, fmt::format("{} has no \"{}\"", kind.name, key),
                          "remove it: faults of the network have it");
      }
      return;
    }
    if (!findings_.clean(at_)) return;
    try {
      toxic_from_json(fault_);
    } catch (const Error& error) {
      findings_.error(at_ / "attributes", error.summary(), error.remedy());
    }
  }

  // Settings that only one kind has.
  void check_settings(const FaultKind& kind) {
    for (const auto& [key, owner] : {std::pair{"factor", "slow"}, {"add", "slow"}, {"shape", "partition"}}) {
      if (fault_.contains(key) && kind.name != owner) {
        findings_.error(at_ / key, fmt::format("{} has no \"{}\"", kind.name, key),
                        fmt::format("only {} has", owner));
      }
    }
    if (kind.name == "partition" && (whole_at(fault_, "instance") > 0 || text_at(fault_, "mode") == "all")) {
      const char* key = whole_at(fault_, "instance") > 0 ? "instance" : "mode";
      findings_.error(at_ / key, fmt::format("partition has no \"{}\"", key),
                      "\"shape\" says who is cut off from whom");
    }
    if (kind.name == "slow" && !fault_.contains("factor") && !fault_.contains("add")) {
      findings_.error(at_, "slow by how much?", "add \"factor\", e.g. 3, or \"add\", e.g. \"50ms\"");
    }
  }

  void check_repetition() {
    if (!fault_.contains("every")) {
      if (whole_at(fault_, "times") > 1) {
        findings_.error(at_ / "times", "how long from one time to the next?", "add \"every\", e.g. \"10s\"");
      }
      return;
    }
    if (!fault_.contains("times")) {
      findings_.error(at_ / "every", "a fault that repeats needs an end", "add \"times\", e.g. 3");
      return;
    }
    if (!findings_.clean(at_)) return;
    if (parse_duration(fault_["every"]) == 0)
      findings_.error(at_ / "every", "no time between", "e.g. \"10s\"");
    for (const char* key : {"duration", "restart_after"}) {
      if (!fault_.contains(key) || parse_duration(fault_[key]) < parse_duration(fault_["every"])) continue;
      findings_.error(at_ / "every", fmt::format("it would come again before \"{}\" has passed", key),
                      "a longer time between, or a shorter fault");
    }
  }

  const Json& experiment_;
  const Json& fault_;
  const JsonPointer at_;
  Findings& findings_;
};

}  // namespace

void check_faults(const Json& experiment, Findings& findings) {
  const Json& faults = list_at(experiment, "faults");
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const JsonPointer at = JsonPointer("/faults") / i;
    if (!faults[i].is_object()) continue;
    FaultCheck(experiment, faults[i], at, findings).check();
    if (findings.clean(at) && parse_duration(faults[i]["at"]) >= load_ns(experiment, findings)) {
      findings.warning(at / "at", "the load has ended by then", "an earlier time, or a longer measure phase",
                       "FAULT_AFTER_LOAD");
    }
  }
}

}  // namespace brokerlab
