// Calibrate with a measured run, predict another load, measure that, and compare: as docs/simulation.md tells
// a user to do it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/system/program.h"

namespace brokerlab {
namespace {

constexpr const char* kExperiment = R"({
  "name": "tasks", "topology": {"queues": [{"name": "tasks"}]},
  "load": [{"name": "emitter", "arrivals": {"process": "poisson", "rate": 60}, "publish": {"routing_key": "tasks"}}],
  "roles": [{"role": "worker", "consume": {"queue": "tasks", "prefetch": 1},
             "effort": {"kind": "sleep", "seconds": "5ms"}}],
  "phases": {"measure": "4s"}
})";

std::filesystem::path only_folder_in(const std::filesystem::path& path) {
  return std::filesystem::directory_iterator(path / "tasks")->path();
}

TEST(Simulation, APredictionIsHeldAgainstItsMeasurement) {
  const ScratchFolder scratch;
  scratch.write("tasks.json", kExperiment);
  const auto brokerlab = [&](std::vector<std::string> arguments) {
    return run_program(arguments, scratch.path());
  };
  const std::vector<std::string> other_load = {"--set", "load.0.arrivals.rate=140"};
  const auto run = [&](const std::string& broker, const std::string& out, std::vector<std::string> more) {
    more.insert(more.begin(), {"run", "tasks.json", "--broker", broker, "--out", out, "--quiet"});
    const ProgramResult result = brokerlab(more);
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    return only_folder_in(scratch.path() / out).string();
  };

  const std::string first = run(shared_broker(), "first", {});
  ASSERT_EQ(brokerlab({"calibrate", first, "-o", "calibration.json"}).status, 0);
  const Json calibration = read_json_file(scratch.path() / "calibration.json");
  for (const char* step : {"send", "publish", "confirm", "deliver", "ack", "overshoot"})
    EXPECT_TRUE(calibration["steps"].contains(step)) << step;

  std::vector<std::string> with_calibration = other_load;
  with_calibration.insert(with_calibration.end(), {"--calibration", "calibration.json"});
  const std::string predicted = run("simulated", "predicted", with_calibration);
  const std::string measured = run(shared_broker(), "measured", other_load);
  const ProgramResult check =
      brokerlab({"calibrate", measured, "--predicted", predicted, "--update", "calibration.json"});

  // How near it comes depends on what else this machine does; what is said of it does not.
  const Json validation = read_json_file(scratch.path() / "calibration.json")["validation"];
  ASSERT_GE(validation["figures"].size(), 2U) << check.out << check.err;
  bool near = true;
  for (const Json& figure : validation["figures"]) {
    const double error = figure["predicted"].get<double>() / figure["measured"].get<double>() - 1;
    EXPECT_NEAR(figure["error"].get<double>(), error, 1e-9);
    near &= std::abs(error) <= figure["tolerance"].get<double>();
    EXPECT_TRUE(figure["figure"] != "delivered_per_s" || std::abs(error) <= 0.05) << figure.dump();
  }
  EXPECT_EQ(validation["ok"], near);
  EXPECT_EQ(check.status, near ? 0 : 99) << check.out;
  EXPECT_THAT(check.out, testing::HasSubstr(near ? "validated" : "uncalibrated"));

  const ProgramResult twisted = brokerlab({"calibrate", predicted, "--predicted", measured});
  EXPECT_EQ(twisted.status, 2);
  EXPECT_THAT(twisted.err, testing::HasSubstr("no simulation"));
}

}  // namespace
}  // namespace brokerlab
