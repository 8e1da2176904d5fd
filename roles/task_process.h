#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"

namespace brokerlab {

// What became of a process that was given one task.
struct TaskProcessEnd {
  std::string output;
  std::string failure;  // why it gave no answer, for a person; empty: it ended with 0
  pid_t pid = -1;
};

// Starts a program, writes `input` to its standard input, and blocks until it has ended: one task, one
// process. Ended by force when `limit` has passed. Safe to call from several threads at once.
class TaskProcess {
 public:
  TaskProcess(std::filesystem::path program, std::vector<std::string> arguments, const Clock& clock,
              Nanoseconds limit);

  TaskProcessEnd run(std::string_view input) const;

 private:
  std::filesystem::path program_;
  std::vector<std::string> arguments_;
  const Clock& clock_;
  Nanoseconds limit_;
};

// The other end: reads one task from standard input, carries it out, writes the result to standard output. A
// process that does nothing else, and dies with its parent. Returns the exit status.
int task_process_main();

}  // namespace brokerlab
