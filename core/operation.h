#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/clock.h"
#include "core/recording.h"

namespace brokerlab {

// Something that was asked of the broker apart from messages: opening, declaring, closing. In the recording
// it is an event (EventRecord) of a kind from kFirstOperation on: `at_ns` when it was begun, `ended_ns` when
// it was answered (0 until then), `instance` that of its entry, `value` how much later than due it was begun,
// in ns; for one that failed -1 less that.
enum class OperationKind : std::uint8_t {
  kConnectionOpen,
  kConnectionClose,
  kChannelOpen,
  kChannelClose,
  kQueueDeclare,
  kQueueDelete,
  kBind,
  kUnbind,
  kConsume,
  kCancel,
  kRequest,  // a message until the reply to it
};
inline constexpr std::size_t kOperationKinds = 11;
inline constexpr std::uint32_t kFirstOperation = 100;
// "connection_open", "queue_declare", "request".
std::string_view to_text(OperationKind kind);
// Openings have even numbers, the closing of the same thing the next one. Not asked of requests.
inline bool opens(OperationKind kind) { return static_cast<unsigned>(kind) % 2 == 0; }

enum class OperationOutcome : std::uint8_t { kUndecided, kDone, kFailed };

// An operation as it was recorded; nothing when the event is none.
struct Operation {
  OperationKind kind = OperationKind::kConnectionOpen;
  OperationOutcome outcome = OperationOutcome::kUndecided;
  std::uint32_t instance = 0;
  Nanoseconds intended_ns = 0, started_ns = 0, ended_ns = 0;

  static std::optional<Operation> of(const EventRecord& event);
};

// The event of an operation that is begun, and its end.
EventRecord begun_operation(OperationKind kind, std::uint32_t instance, Nanoseconds intended_ns,
                            Nanoseconds started_ns);
void end_operation(EventRecord& event, Nanoseconds at_ns, bool ok);

}  // namespace brokerlab
