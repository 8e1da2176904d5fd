// What a calibration finds of costs that are known: those of a simulation, whose evidence then says that it
// was none.
#include "analysis/calibration.h"

#include <gmock/gmock.h>

#include "analysis/prediction_check.h"
#include "core/error.h"
#include "tests/cli/simulated.h"

namespace brokerlab {
namespace {

constexpr const char* kCosts = R"({
  "broker": {"costs": {"send": "100us", "publish": "1ms", "confirm": "1.5ms", "deliver": "2ms", "ack": "500us",
                       "overshoot": "300us"}},
  "roles": {"0": {"effort": {"seconds": "5ms"}}},
  "phases": {"measure": "10s"}})";

// As if it had been measured.
void pretend(ExperimentOutcome& outcome) {
  const std::filesystem::path file = outcome.folder / "001-default" / "evidence.json";
  Json evidence = read_json_file(file);
  evidence["simulated"] = false;
  write_json_file(file, evidence);
  for (Json& run : outcome.result["runs"])
    for (Json& flag : run["flags"])
      if (flag["name"] == "SIMULATED") flag["state"] = "pass";
  outcome.result["started_at"] = "2999-01-01T00:00:00.000Z";
}

Json calibration_of_known_costs() {
  const Folder folder;
  ExperimentOutcome outcome = simulate(folder.write(patched(kCosts)), folder.path());
  pretend(outcome);
  return calibrate(outcome.folder, outcome.result);
}

double step(const Json& calibration, const char* name) {
  return calibration["steps"][name]["mean_ns"].get<double>() / 1e6;
}

TEST(Calibration, FindsTheSumsThatStampsCanSee) {
  const Json found = calibration_of_known_costs();
  EXPECT_NEAR(step(found, "send"), 0.1, 0.02);
  EXPECT_NEAR(step(found, "publish") + step(found, "deliver"), 3.0, 0.05);
  EXPECT_NEAR(step(found, "publish") + step(found, "confirm"), 2.5, 0.05);
  EXPECT_NEAR(step(found, "ack") + step(found, "deliver"), 2.5, 0.1);
  EXPECT_TRUE(found["route_ns"].is_null());
  EXPECT_NEAR(found["ranges"]["rate_per_s"]["max"].get<double>(), 200, 20);
  EXPECT_EQ(found["ranges"]["consumers"]["max"], 2);
  EXPECT_EQ(found["ranges"]["body_bytes"]["max"], 100);
}

// Another load, simulated with the costs and with what the calibration found of them.
TEST(Calibration, PredictsAnotherLoad) {
  const Json found = calibration_of_known_costs();
  Json other = patched(kCosts);
  merge_patch(other, Json::parse(R"({"load": {"0": {"arrivals": {"rate": 240}}}})"));
  const Folder folder;
  ExperimentOutcome truth = simulate(folder.write(other), folder.path());
  other["broker"].erase("costs");
  ExperimentOutcome predicted = simulate(folder.write(other), folder.path(), found);
  pretend(truth);
  predicted.result["config_hash"] = truth.result["config_hash"];  // of all but the declared costs
  const PredictionCheck check = check_prediction(predicted.result, truth.result);
  EXPECT_TRUE(check.ok()) << check.text();
  EXPECT_EQ(check.figures().size(), 3U);
  const Json flag = flag_of(run_of(predicted.result), "SIMULATED");
  EXPECT_THAT(flag["detail"].get<std::string>(), testing::HasSubstr("not validated"));
}

TEST(Calibration, SaysHowFarASimulationWentBeyondIt) {
  const Json found = calibration_of_known_costs();
  const auto extrapolated = [&](const char* patch) {
    return flag_of(run_of(result_of_file(patched(patch), found)), "EXTRAPOLATED");
  };
  const Json within = extrapolated(R"({"load": {"0": {"arrivals": {"rate": 300}}}})");
  EXPECT_EQ(within["state"], "pass");
  EXPECT_NEAR(within["value"].get<double>(), 1.5, 0.15);
  EXPECT_EQ(within["threshold"], 4);
  const Json beyond = extrapolated(R"({"roles": {"0": {"instances": 20}}})");
  EXPECT_EQ(beyond["state"], "fail");
  EXPECT_DOUBLE_EQ(beyond["value"].get<double>(), 10);
  EXPECT_THAT(beyond["detail"].get<std::string>(), testing::HasSubstr("consumers 20, calibrated up to 2"));
  EXPECT_EQ(extrapolated(R"({"load": {"0": {"publish": {"body": {"size": 500}}}}})")["state"], "fail");
}

TEST(Calibration, AFailedPredictionUncalibrates) {
  Json calibration = calibration_of_known_costs();
  calibration["validation"] = {{"ok", false}};
  const Json run = run_of(result_of_file(small(), calibration));
  EXPECT_THAT(flag_of(run, "SIMULATED")["detail"].get<std::string>(), testing::StartsWith("uncalibrated"));
  calibration["validation"]["ok"] = true;
  EXPECT_THAT(calibration_text(calibration), testing::HasSubstr("validated"));
  EXPECT_THAT(calibration_text(Json()), testing::StartsWith("uncalibrated"));
}

template <class Act>
std::string refusal_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Calibration, RefusesWhatProvesNothing) {
  const Folder folder;
  const ExperimentOutcome simulated = simulate(folder.write(small()), folder.path());
  EXPECT_THAT(refusal_of([&] { calibrate(simulated.folder, simulated.result); }),
              testing::HasSubstr("a simulation itself"));
  Json measured = simulated.result;
  EXPECT_THAT(refusal_of([&] { check_prediction(simulated.result, measured); }),
              testing::HasSubstr("the measurement is a simulation"));
  for (Json& flag : measured["runs"][0]["flags"])
    if (flag["name"] == "SIMULATED") flag["state"] = "pass";
  EXPECT_THAT(refusal_of([&] { check_prediction(measured, simulated.result); }),
              testing::HasSubstr("no simulation"));
  EXPECT_THAT(refusal_of([&] { check_prediction(simulated.result, measured); }),
              testing::HasSubstr("after the measurement"));
  measured["started_at"] = "2999-01-01T00:00:00.000Z";
  measured["config_hash"] = "other";
  EXPECT_THAT(refusal_of([&] { check_prediction(simulated.result, measured); }),
              testing::HasSubstr("different experiments"));
}

}  // namespace
}  // namespace brokerlab
