#include <fmt/format.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/command.h"
#include "core/units.h"

namespace brokerlab {
namespace {

struct Finding {
  bool ok;
  std::string what;
  std::string remedy;
};

bool program_exists(const std::vector<const char*>& paths) {
  for (const char* path : paths) {
    if (std::filesystem::exists(path)) return true;
  }
  return false;
}

Finding broker_installed() {
  return {program_exists({"/usr/lib/rabbitmq/bin/rabbitmq-server"}), "RabbitMQ server for private brokers",
          "apt-get install rabbitmq-server (or run script/bootstrap)"};
}

Finding descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return {limit.rlim_cur >= 4096, fmt::format("{} open files per process", limit.rlim_cur),
          "a thousand connections or consumers in one process need more: raise the hard limit (ulimit -Hn)"};
}

Finding memory() {
  std::ifstream file("/proc/meminfo");
  std::string label;
  std::uint64_t kib = 0;
  while (file >> label && label != "MemAvailable:") file.ignore(256, '\n');
  file >> kib;
  constexpr std::uint64_t kEnoughKib = 512 * 1024;
  return {kib >= kEnoughKib, format_bytes(kib * 1024) + " of memory available",
          "a private broker needs some 512 MiB"};
}

Finding cores() {
  const unsigned count = std::thread::hardware_concurrency();
  return {count >= 2, fmt::format("{} processor cores", count),
          "with one core the load and the broker share it: expect the generator to be the bottleneck"};
}

Finding pressure() {
  return {std::filesystem::exists("/proc/pressure/cpu"),
          "processor pressure can be measured (/proc/pressure)",
          "start the kernel with psi=1; without it the flag CPU_PRESSURE is unmeasured"};
}

}  // namespace

void add_doctor_command(CLI::App& app, CommandContext& context) {
  app.add_subcommand("doctor", "check the machine and say what to install")->callback([&context] {
    for (const Finding& finding : {broker_installed(), cores(), memory(), descriptors(), pressure()}) {
      fmt::print("{} {}\n", finding.ok ? "ok     " : "missing", finding.what);
      if (finding.ok) continue;
      fmt::print("        {}\n", finding.remedy);
      context.status = ExitStatus::kFailed;
    }
  });
}

}  // namespace brokerlab
