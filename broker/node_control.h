#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"

namespace brokerlab {

struct GuardPlan;

// Has the nodes of a private broker evaluate Erlang, as `rabbitmqctl eval` does: by one hidden Erlang node
// that stays, so that an answer takes milliseconds and not the seconds in which rabbitmqctl boots. Nothing
// here blocks but wait(). Controller, one thread; the process ends with this object, and with us when we are
// killed.
class NodeControl {
 public:
  using Ticket = std::uint64_t;

  virtual ~NodeControl() = default;

  // `expression` is a sequence of Erlang expressions that ends with a full stop. Throws Error when the
  // control node is gone.
  virtual Ticket ask(std::size_t node, const std::string& expression) = 0;
  // The value as Erlang writes it, once; nothing while it is not there yet. Throws Error when the node
  // refused or could not be reached, or the control node is gone.
  virtual std::optional<std::string> answer(Ticket ticket) = 0;

  // Blocks until the answer is there. Throws Error as answer() does, and when `limit` passes.
  std::string wait(std::size_t node, const std::string& expression, const Clock& clock, Nanoseconds limit);
};

// Spawns the control node of this broker, which must have started. Throws Error when Erlang's `erl` is not
// there.
std::unique_ptr<NodeControl> start_node_control(const GuardPlan& plan);

}  // namespace brokerlab
