#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

inline constexpr int kResultSchemaVersion = 1;

// What the runner knows when it has ended; `runs` are entries made by summarise().
struct ResultInput {
  std::string run_id;
  std::string experiment;
  std::string started_at;  // ISO 8601, UTC
  bool aborted = false;
  std::string stopped_by;      // the threshold that ended it early
  Json environment;            // describe_environment()
  Json plan = Json::object();  // as the plan prints itself; no credentials
  std::uint64_t seed = 0;
  std::string config_hash;
  Json thresholds =
      Json::array();  // {expression, variant, repetition, value or null, ok}, evaluated over the runs
  Json runs = Json::array();
  Json search;  // what a search came to, whose trials `runs` are; null: it is none
};

// The whole result.json (schema: results/schema/result.schema.json). Adds the flags that only several trials
// together can tell (TOO_FEW_TRIALS, NO_AA), the verdict over all runs and the comparison. The rates of a
// search are not compared with each other, and its verdict is that of what it came to
// (analysis/search_verdict.h).
Json assemble_result(const ResultInput& input);

// Writes result.json into `folder` by fsync and rename; returns its path.
std::filesystem::path write_result(const std::filesystem::path& folder, const Json& result);

// Reads a result (a file, or the folder that holds result.json). Throws Error when it is none, or of another
// schema version.
Json read_result(const std::filesystem::path& path);
std::vector<Json> read_results(const std::vector<std::string>& paths);

}  // namespace brokerlab
