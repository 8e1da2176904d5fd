#include "analysis/verdict.h"

#include <fmt/format.h>

#include "analysis/flags.h"

namespace brokerlab {
namespace {

std::string_view to_text(VerdictStatus status) {
  switch (status) {
    case VerdictStatus::kValid:
      return "valid";
    case VerdictStatus::kInvalid:
      return "invalid";
    case VerdictStatus::kUnknown:
      break;
  }
  return "unknown";
}

VerdictStatus status_named(const std::string& text) {
  if (text == "valid") return VerdictStatus::kValid;
  return text == "invalid" ? VerdictStatus::kInvalid : VerdictStatus::kUnknown;
}

std::string fatal_reason(const FlagDeclaration& flag, const FlagSet& flags) {
  const auto value = flags.value(flag.name);
  return value ? fmt::format("{}: {} ({:.0f} {})", flag.name, flag.reason, *value, flag.unit)
               : fmt::format("{}: {}", flag.name, flag.reason);
}

}  // namespace

void Verdict::worsen(VerdictStatus to, std::string reason) {
  if (to > status) status = to;
  reasons.push_back(std::move(reason));
}

Json Verdict::to_json() const { return {{"status", to_text(status)}, {"reasons", reasons}}; }

Verdict judge(const VerdictInput& input, const FlagSet& flags) {
  Verdict verdict;
  for (const std::string& recording : input.unreadable_recordings)
    verdict.worsen(VerdictStatus::kUnknown, recording);
  for (const std::string& process : input.dead_processes)
    verdict.worsen(VerdictStatus::kUnknown, process + " died, and no declared fault was to kill it");
  if (input.aborted)
    verdict.worsen(VerdictStatus::kUnknown, input.stopped_by.empty()
                                                ? "the run was interrupted"
                                                : "a threshold ended the run early: " + input.stopped_by);
  if (!input.drained) {
    verdict.worsen(VerdictStatus::kUnknown, input.drain_reason.empty()
                                                ? "the queues were not drained"
                                                : "the queues were not drained: " + input.drain_reason);
  }
  if (input.published == 0 && input.operations == 0)
    verdict.worsen(VerdictStatus::kUnknown, "nothing was published");

  // Where a recording is missing, everything it held looks lost or unsent: that proves nothing.
  if (!input.unreadable_recordings.empty()) return verdict;
  for (const FlagDeclaration& flag : flag_declarations()) {
    if (flag.fatal && flags.state(flag.name) == FlagState::kFail)
      verdict.worsen(VerdictStatus::kInvalid, fatal_reason(flag, flags));
    if (flag.fatal && flags.state(flag.name) == FlagState::kUnmeasured && input.drained &&
        input.published > 0)
      verdict.worsen(VerdictStatus::kUnknown, fmt::format("{} could not be measured", flag.name));
  }
  if (input.unexpected > 0) {
    verdict.worsen(VerdictStatus::kInvalid,
                   fmt::format("{} messages were delivered that nobody sent", input.unexpected));
  }
  if (input.corrupted > 0) {
    verdict.worsen(VerdictStatus::kInvalid, fmt::format("{} deliver{} had a body other than the one sent",
                                                        input.corrupted, input.corrupted == 1 ? "y" : "ies"));
  }
  return verdict;
}

Verdict judge_all(const Json& runs) {
  Verdict verdict;
  for (const Json& run : runs) {
    const Json& own = run.at("verdict");
    const auto status = status_named(own.at("status").get<std::string>());
    if (status == VerdictStatus::kValid) continue;
    const std::string variant = run.value("variant", "");
    for (const Json& reason : own.at("reasons")) {
      const std::string text = reason.get<std::string>();
      verdict.worsen(status, runs.size() < 2
                                 ? text
                                 : fmt::format("{}{}repetition {}: {}", variant, variant.empty() ? "" : ", ",
                                               run.value("repetition", 0), text));
    }
  }
  if (runs.empty()) verdict.worsen(VerdictStatus::kUnknown, "no run came to an end");
  return verdict;
}

}  // namespace brokerlab
