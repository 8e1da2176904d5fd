#pragma once

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "cli/experiment_run.h"
#include "cli/terminal.h"
#include "experiments/catalogue.h"

namespace brokerlab {

inline constexpr double kMs = 1e6;

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "brokerlab-simulation-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string write(const Json& experiment) const {
    const std::filesystem::path file = path_ / "experiment.json";
    std::ofstream(file) << experiment.dump();
    return file.string();
  }

 private:
  std::filesystem::path path_;
};

inline ExperimentOutcome simulate(const std::string& name, const std::filesystem::path& out,
                                  Json calibration = {}, const Overrides& overrides = {}) {
  const std::unique_ptr<RunObserver> observer = make_observer(progress_style(true));
  const MonotonicClock clock;
  const Interrupts interrupts;
  RunOptions options;
  options.simulated = true;
  options.calibration = std::move(calibration);
  options.out = out;
  BrokerRoom room(options, clock, interrupts, *observer);
  return run_experiment(load_experiments(name, overrides).front(), options, room, clock, interrupts,
                        *observer);
}

inline Json result_of(const std::string& name, const Overrides& overrides = {}) {
  const Folder folder;
  return simulate(name, folder.path(), {}, overrides).result;
}

inline Json result_of_file(const Json& experiment, const Json& calibration = {}) {
  const Folder folder;
  return simulate(folder.write(experiment), folder.path(), calibration).result;
}

inline Json run_of(const Json& result, const std::string& variant = "default") {
  for (const Json& run : result["runs"])
    if (run["variant"] == variant) return run;
  ADD_FAILURE() << "no run of " << variant;
  return Json::object();
}

inline double number(const Json& run, const char* pointer) {
  const JsonPointer at(pointer);
  if (!run.contains(at) || !run[at].is_number()) {
    ADD_FAILURE() << pointer << " is not there";
    return 0;
  }
  return run[at].get<double>();
}

inline Json flag_of(const Json& run, const std::string& name) {
  for (const Json& flag : run["flags"])
    if (flag["name"] == name) return flag;
  return Json::object();
}

// An experiment with little in it.
inline Json small() {
  return Json::parse(R"({
    "name": "small", "topology": {"queues": [{"name": "q"}]},
    "load": [{"name": "l", "arrivals": {"process": "poisson", "rate": 200}, "publish": {"routing_key": "q"}}],
    "roles": [{"role": "w", "instances": 2, "processes": 2, "consume": {"queue": "q", "prefetch": 1},
               "effort": {"kind": "sleep", "seconds": {"distribution": "exponential", "mean": "5ms"}}}],
    "phases": {"measure": "2s", "drain": "5s"}})");
}

inline Json patched(const char* patch) {
  Json experiment = small();
  merge_patch(experiment, Json::parse(patch));
  return experiment;
}

}  // namespace brokerlab
