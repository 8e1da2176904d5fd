#include "broker/guard.h"
#include "cli/command.h"
#include "core/control_pipe.h"
#include "loadgen/churn_process.h"
#include "loadgen/load_process.h"
#include "roles/role_process.h"
#include "roles/task_process.h"

namespace brokerlab {
namespace {

int process_main() {
  return child_process_main([](ControlPipe& pipe, const Json& assignment) {
    const std::string kind = assignment.value("kind", "");
    if (kind == "load") return load_process_main(pipe, assignment);
    if (kind == "churn") return churn_process_main(pipe, assignment);
    return role_process_main(pipe, assignment);
  });
}

}  // namespace

void add_internal_commands(CLI::App& app, CommandContext& context) {
  const auto add = [&](const char* name, int (*body)()) {
    // An empty group keeps it out of the help.
    app.add_subcommand(name, "")->group("")->callback(
        [body, &context] { context.status = static_cast<ExitStatus>(body()); });
  };
  add("process", process_main);
  add("guard", guard_main);
  add("task", task_process_main);
}

}  // namespace brokerlab
