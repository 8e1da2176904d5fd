#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "live/service.h"

namespace brokerlab {

// What the command line says about being watched: --metrics ADDR, --ui [ADDR], --tag KEY=VALUE.
struct LiveOptions {
  std::string metrics;
  bool prometheus = false;  // as PerfTest says it
  int prometheus_port = 8080;
  std::vector<std::string> page;
  std::vector<std::string> tags;
  std::string token;
};

void add_live_options(CLI::App& command, LiveOptions& options);
// What PerfTest calls it.
void add_prometheus_options(CLI::App& command, LiveOptions& options);
// The word that stands behind --ui without being an address belongs to the command itself: taken out of
// `options` and put in front of `words`.
void give_back_words(LiveOptions& options, std::vector<std::string>& words);
// Throws Error (kUsage) for what is no address or no tag.
live::Wanted wanted_of(const LiveOptions& options);
// Null when nobody wants to watch; else it serves, and standard error was told where.
std::unique_ptr<live::Service> watched(const live::Wanted& wanted, const Clock& clock, RunObserver& shown);
// {key: value}; empty without tags.
Json tags_json(const live::Wanted& wanted);

}  // namespace brokerlab
