#include "analysis/merge.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include "analysis/result.h"
#include "core/error.h"

namespace brokerlab {
namespace {

// One result as it was written by `run`, whether it comes alone or out of a merged one.
struct Source {
  Json head;  // as an entry of `merged_from`, without the number of runs
  std::vector<Json> runs;
  std::vector<Json> thresholds;
};

using RunKey = std::pair<std::string, int>;
RunKey key_of(const Json& entry) { return {entry.at("variant"), entry.at("repetition").get<int>()}; }

Json head_of(const Json& result) {
  return {{"run_id", result.at("run_id")},   {"started_at", result.at("started_at")},
          {"aborted", result.at("aborted")}, {"seed", result.at("seed")},
          {"plan", result.at("plan")},       {"environment", result.at("environment")}};
}

// In a merged result the runs stand in the order of `merged_from`.
void add_sources(const Json& result, std::vector<Source>& sources) {
  Json heads = Json::array();
  if (result.contains("merged_from")) {
    heads = result.at("merged_from");
  } else {
    heads.push_back(head_of(result));
    heads.back()["runs"] = result.at("runs").size();
  }
  std::size_t next = 0;
  for (Json& head : heads) {
    Source source;
    std::set<RunKey> keys;
    for (auto left = head.at("runs").get<std::size_t>(); left > 0; --left) {
      source.runs.push_back(result.at("runs").at(next++));
      keys.insert(key_of(source.runs.back()));
    }
    for (const Json& threshold : result.at("thresholds"))
      if (keys.count(key_of(threshold)) > 0) source.thresholds.push_back(threshold);
    head.erase("runs");
    source.head = std::move(head);
    sources.push_back(std::move(source));
  }
}

// Numbers the repetitions of a source on from `base`; returns the base of the next. All variants share one
// base: what was measured in one block stays together.
int renumber(Source& source, int base) {
  std::set<int> seen;
  for (const Json& run : source.runs) seen.insert(run.at("repetition").get<int>());
  const auto number = [&](Json& entry) {
    const auto at = seen.find(entry.at("repetition").get<int>());
    entry["repetition"] = base + static_cast<int>(std::distance(seen.begin(), at));
  };
  std::for_each(source.runs.begin(), source.runs.end(), number);
  std::for_each(source.thresholds.begin(), source.thresholds.end(), number);
  return base + static_cast<int>(seen.size());
}

// Where two plans first part, but for what differs between runs of the same experiment.
std::string first_difference(const Json& one, const Json& other) {
  for (const Json& step : Json::diff(one, other)) {
    const std::string path = step.at("path");
    if (path != "/seed" && path != "/config_hash" && path.rfind("/runs", 0) != 0) return "plan" + path;
  }
  return "config_hash";
}

void check_same_experiment(std::span<const Json> results) {
  const Json& first = results.front();
  for (const Json& other : results) {
    if (other.contains("search"))
      throw Error("a search cannot be merged: which trials it made followed from those before",
                  other.at("run_id").get<std::string>(), "set search.trials for more trials of a rate",
                  ExitStatus::kUsage);
    if (other.at("config_hash") == first.at("config_hash")) continue;
    const bool named_alike = other.at("experiment") == first.at("experiment");
    throw Error("the results are of different experiments: they differ in " +
                    (named_alike ? first_difference(first.at("plan"), other.at("plan"))
                                 : "experiment (" + first.at("experiment").get<std::string>() + ", " +
                                       other.at("experiment").get<std::string>() + ")"),
                other.at("run_id").get<std::string>(), "merge results of the same experiment file only",
                ExitStatus::kUsage);
  }
}

void check_no_source_twice(const std::vector<Source>& sources) {
  std::set<std::string> ids;
  for (const Source& source : sources) {
    const std::string id = source.head.at("run_id");
    if (!ids.insert(id).second)
      throw Error("the same result is there twice; its runs would count twice", id, "name every result once",
                  ExitStatus::kUsage);
  }
}

}  // namespace

Json merge_results(std::span<const Json> results) {
  if (results.empty()) throw Error("nothing to merge", "", "name results", ExitStatus::kUsage);
  check_same_experiment(results);
  std::vector<Source> sources;
  for (const Json& result : results) add_sources(result, sources);
  check_no_source_twice(sources);
  const auto age = [](const Source& source) {
    return std::tuple(source.head.at("started_at").get<std::string>(),
                      source.head.at("run_id").get<std::string>());
  };
  std::sort(sources.begin(), sources.end(),
            [&](const Source& one, const Source& other) { return age(one) < age(other); });

  const Json& oldest = sources.front().head;
  ResultInput input;
  input.run_id = "merged-" + std::to_string(sources.size()) + "-" + oldest.at("run_id").get<std::string>();
  input.experiment = results.front().at("experiment");
  input.started_at = oldest.at("started_at");
  input.environment = oldest.at("environment");
  input.plan = oldest.at("plan");
  input.seed = oldest.at("seed");
  input.config_hash = results.front().at("config_hash");
  Json merged_from = Json::array();
  int base = 0;
  for (Source& source : sources) {
    base = renumber(source, base);
    input.aborted |= source.head.at("aborted").get<bool>();
    for (Json& run : source.runs) input.runs.push_back(std::move(run));
    for (Json& threshold : source.thresholds) input.thresholds.push_back(std::move(threshold));
    source.head["runs"] = source.runs.size();
    merged_from.push_back(std::move(source.head));
  }
  Json merged = assemble_result(input);
  merged["merged_from"] = std::move(merged_from);
  return merged;
}

Histogram merged_stream(std::span<const Json> runs, const std::string& stream) {
  Histogram all;
  for (const Json& run : runs) {
    const Json& latency = run.at("latency");
    const auto found = latency.find(stream);
    if (found != latency.end() && found->contains("hdr"))
      all.merge(Histogram::decode(found->at("hdr").get<std::string>()));
  }
  return all;
}

}  // namespace brokerlab
