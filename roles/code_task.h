#pragma once

#include <string>
#include <string_view>

#include "core/json.h"

namespace brokerlab {

// A message of queue TODO is a task: a JSON object with `cmd`, `id_projet`, `id_task`, `phrase` and `url`
// (docs/code-on-demand.md). `cmd` chooses from a fixed list of kinds; nothing in a message ever becomes a
// command of a shell, the name of a program or an address to call.
//
//   echo      the result is `phrase`
//   n_queens  the result is the number of ways to complete the board of `arguments`:
//             {"n": 10, "first": [0, 2]}

// What makes a task one: an object whose project and task have a name, each a text or a whole number.
bool is_code_task(const Json& message);

// The message for queue DONE: the task as it came, with `state` "done" and its `result`, or with `state`
// "refused" and a `result` that says why. Never throws. May take seconds; touches nothing but its argument.
Json carry_out(const Json& task);

// The name of a project or of a task in it as text: 7 and "7" name the same.
std::string task_name(const Json& id);

}  // namespace brokerlab
