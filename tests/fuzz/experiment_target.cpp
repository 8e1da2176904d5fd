#include "core/error.h"
#include "experiments/description.h"
#include "experiments/experiment.h"
#include "experiments/plan.h"
#include "tests/fuzz/targets.h"

namespace brokerlab::fuzz {
namespace {

// All that happens to a file before a broker is looked for.
void prepare(const std::filesystem::path& file, const Overrides& overrides) {
  try {
    for (const Experiment& each : load_experiments(file, overrides)) {
      const Plan plan = make_plan(each);
      require(!plan.runs.empty(), "a plan has a run");
      for (const PlannedProcess& process : plan.runs.front().processes) {
        static_cast<void>(assignment(plan.runs.front(), process).dump());
      }
      static_cast<void>(to_json(plan).dump());
      static_cast<void>(dry_run_text(each, plan));
    }
  } catch (const Error& error) {
    require(!error.summary().empty(), "an error says what is wrong");
  }
}

}  // namespace

void experiment(Input input) {
  const std::filesystem::path file = scratch_file("experiment.json", input);
  prepare(file, {});
  Overrides quick;
  quick.quick = true;
  quick.duration = "1s";
  prepare(file, quick);
}

}  // namespace brokerlab::fuzz
