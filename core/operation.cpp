#include "core/operation.h"

#include <algorithm>
#include <array>

namespace brokerlab {
namespace {

constexpr std::array<std::string_view, kOperationKinds> kNames = {
    "connection_open", "connection_close", "channel_open", "channel_close",
    "queue_declare",   "queue_delete",     "bind",         "unbind",
    "consume",         "cancel",           "request"};

}  // namespace

std::string_view to_text(OperationKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<Operation> Operation::of(const EventRecord& event) {
  if (event.kind < kFirstOperation || event.kind >= kFirstOperation + kOperationKinds) return std::nullopt;
  Operation operation;
  operation.kind = static_cast<OperationKind>(event.kind - kFirstOperation);
  operation.instance = event.instance;
  operation.started_ns = event.at_ns;
  operation.ended_ns = event.ended_ns;
  operation.intended_ns = event.at_ns - (event.value < 0 ? -1 - event.value : event.value);
  if (event.ended_ns != 0)
    operation.outcome = event.value < 0 ? OperationOutcome::kFailed : OperationOutcome::kDone;
  return operation;
}

EventRecord begun_operation(OperationKind kind, std::uint32_t instance, Nanoseconds intended_ns,
                            Nanoseconds started_ns) {
  const std::int64_t late = std::max<Nanoseconds>(0, started_ns - intended_ns);
  return {started_ns, 0, kFirstOperation + static_cast<std::uint32_t>(kind), instance, late};
}

void end_operation(EventRecord& event, Nanoseconds at_ns, bool ok) {
  if (!ok) event.value = -1 - event.value;
  event.ended_ns = at_ns;
}

}  // namespace brokerlab
