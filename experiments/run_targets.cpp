// The half of Run that faults reach: what they may do to its processes.
#include <algorithm>

#include "experiments/run.h"

namespace brokerlab {

bool Run::signal_process(const std::string& name, int signal) {
  RunProcess* process = find(name);
  if (process == nullptr || !process->alive()) return false;
  process->child->signal(signal);
  return true;
}

bool Run::tell_process(const std::string& name, const Json& line) {
  RunProcess* process = find(name);
  if (process == nullptr || !process->alive()) return false;
  process->child->send(line);
  return true;
}

void Run::expect_end(const std::string& name) {
  RunProcess* process = find(name);
  if (process != nullptr && process->alive()) process->hit_by_fault = true;
}

std::string Run::connection_name(const std::string& name) {
  const RunProcess* process = find(name);
  return process == nullptr ? name : process->name;
}

void Run::restart_process(const std::string& name) {
  RunProcess* process = find(name);
  if (process == nullptr || process->alive()) return;
  const auto times = std::count_if(processes_.begin(), processes_.end(),
                                   [&](const auto& other) { return other->planned == process->planned; });
  spawn(*process->planned, name + "-r" + std::to_string(times));
  notice(name + " restarted");
}

}  // namespace brokerlab
