#include "experiments/host_watch.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace brokerlab {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string time_namespace() {
  std::error_code failure;
  const auto target = std::filesystem::read_symlink("/proc/self/ns/time", failure);
  return failure ? std::string() : target.string();
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

HostWatch::HostWatch(const Clock& clock) : clock_(clock), start_(read()) {}

HostWatch::Reading HostWatch::read() const {
  Reading reading;
  reading.at_ns = clock_.now();
  std::istringstream stat(first_line("/proc/stat"));
  std::string label;
  // user nice system idle iowait irq softirq steal: guest time is already inside user time.
  std::array<std::uint64_t, 8> ticks{};
  stat >> label;
  for (std::uint64_t& value : ticks) stat >> value;
  if (stat && label == "cpu") {
    std::uint64_t all = 0;
    for (const std::uint64_t value : ticks) all += value;
    reading.all_ticks = all;
    reading.stolen_ticks = ticks[7];
  }
  const std::string pressure = first_line("/proc/pressure/cpu");
  if (const auto at = pressure.find("total="); at != std::string::npos) {
    reading.waiting_us = std::stoull(pressure.substr(at + 6));
  }
  return reading;
}

Json HostWatch::report() const {
  const Reading end = read();
  Json steal = nullptr, pressure = nullptr;
  if (start_.all_ticks && end.all_ticks && *end.all_ticks > *start_.all_ticks) {
    steal = static_cast<double>(*end.stolen_ticks - *start_.stolen_ticks) /
            static_cast<double>(*end.all_ticks - *start_.all_ticks);
  }
  if (start_.waiting_us && end.waiting_us && end.at_ns > start_.at_ns) {
    pressure = static_cast<double>(*end.waiting_us - *start_.waiting_us) * 1e3 /
               static_cast<double>(end.at_ns - start_.at_ns);
  }
  return {{"steal_share", steal},
          {"cpu_pressure", pressure},
          {"boot_id", text_or_null(first_line("/proc/sys/kernel/random/boot_id"))},
          {"time_namespace", text_or_null(time_namespace())},
          {"clock", "CLOCK_MONOTONIC"},
          {"cores", std::thread::hardware_concurrency()}};
}

}  // namespace brokerlab
