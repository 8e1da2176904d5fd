#include "analysis/result.h"

#include <map>
#include <set>

#include "analysis/comparison.h"
#include "analysis/flags.h"
#include "analysis/verdict.h"
#include "core/error.h"

namespace brokerlab {
namespace {

// What only all runs together can tell. With one variant there is nothing to compare, and both stay
// unmeasured.
void add_trial_flags(Json& runs) {
  std::map<std::string, int> trials;
  for (const Json& run : runs) ++trials[run.value("variant", "")];
  if (trials.size() < 2) return;
  for (Json& run : runs) {
    FlagSet flags = FlagSet::from_json(run.at("flags"));
    flags.measure("TOO_FEW_TRIALS", trials[run.value("variant", "")]);
    flags.measure("NO_AA", trials.count("A/A") ? trials["A/A"] : 0);
    run["flags"] = flags.to_json();
  }
}

}  // namespace

Json assemble_result(const ResultInput& input) {
  Json runs = input.runs;
  add_trial_flags(runs);
  Verdict verdict = judge_all(runs);
  if (input.aborted) verdict.worsen(VerdictStatus::kUnknown, "the experiment was interrupted");
  Json result = {
      {"schema_version", kResultSchemaVersion}, {"run_id", input.run_id},   {"experiment", input.experiment},
      {"started_at", input.started_at},         {"aborted", input.aborted}, {"verdict", verdict.to_json()},
      {"environment", input.environment},       {"plan", input.plan},       {"seed", input.seed},
      {"config_hash", input.config_hash}};
  Json comparison = compare_variants(runs);
  result["runs"] = std::move(runs);
  result["comparison"] = std::move(comparison);
  result["thresholds"] = input.thresholds;
  result["answers"] = Json::array();
  return result;
}

std::filesystem::path write_result(const std::filesystem::path& folder, const Json& result) {
  const std::filesystem::path path = folder / "result.json";
  write_json_file(path, result);
  return path;
}

Json read_result(const std::filesystem::path& path) {
  const std::filesystem::path file = std::filesystem::is_directory(path) ? path / "result.json" : path;
  Json result = read_json_file(file, std::size_t{1} << 30);
  if (!result.is_object() || !result.contains("schema_version") || !result.contains("runs"))
    throw Error("this is no result of brokerlab", file.string(),
                "name a result.json, or the folder that holds it", ExitStatus::kUsage);
  const Json& version = result.at("schema_version");
  if (!version.is_number_integer() || version.get<int>() != kResultSchemaVersion)
    throw Error("the result has schema version " + version.dump() + ", this program reads version " +
                    std::to_string(kResultSchemaVersion),
                file.string(), "read it with the version of brokerlab that wrote it", ExitStatus::kUsage);
  return result;
}

}  // namespace brokerlab
