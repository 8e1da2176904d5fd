#include "analysis/report.h"

#include "analysis/chart_file.h"
#include "analysis/chart_source.h"
#include "analysis/report_model.h"
#include "core/error.h"

namespace brokerlab {
namespace {

// Histograms and the ids of single messages are large and of no use in a summary.
Json without_bulk(const Json& part) {
  Json small = Json::object();
  for (const auto& [key, value] : part.items()) {
    if (value.is_object()) {
      small[key] = without_bulk(value);
    } else if (!(key == "hdr" && value.is_string()) && !(key.ends_with("_ids") && value.is_array())) {
      small[key] = value;
    }
  }
  return small;
}

// Nor are series and timelines; the flags are gathered over all runs.
Json run_summary(const Json& run) {
  Json summary = without_bulk(run);
  for (const char* key : {"series", "gantt", "gantt_omitted", "flags"}) summary.erase(key);
  return summary;
}

Json flags_json(const Json& result) {
  Json flags = {{"fail", Json::array()}, {"unmeasured", Json::array()}, {"pass", Json::array()}};
  for (const report::Flag& flag : report::flags_of(result)) {
    if (flags.contains(flag.state)) flags[flag.state].push_back(flag.name);
  }
  return flags;
}

Json summary_of(const Json& result) {
  Json summary = Json::object();
  for (const char* key : {"schema_version", "run_id", "experiment", "started_at", "aborted", "verdict",
                          "seed", "config_hash"}) {
    if (const Json* value = find_value(result, std::string("/") + key)) summary[key] = *value;
  }
  summary["headlines"] = report::headlines_of(result);
  summary["flags"] = flags_json(result);
  for (const char* key : {"thresholds", "search", "comparison", "answers"}) {
    if (const Json* value = find_value(result, std::string("/") + key)) summary[key] = *value;
  }
  summary["runs"] = Json::array();
  const Json* runs = find_value(result, "/runs");
  for (const Json& run : runs != nullptr && runs->is_array() ? *runs : Json::array()) {
    if (run.is_object()) summary["runs"].push_back(run_summary(run));
  }
  return summary;
}

}  // namespace

Json report_summary(const std::vector<Json>& results) {
  Json summaries = Json::array();
  for (const Json& result : results) summaries.push_back(summary_of(result));
  return {{"results", std::move(summaries)}};
}

void write_report(const std::vector<Json>& results, const std::filesystem::path& output) {
  const std::string extension = output.extension().string();
  if (extension == ".html" || extension == ".htm") {
    write_text_file(output, report_html(results));
  } else if (extension == ".md" || extension == ".markdown") {
    write_text_file(output, report_markdown(results));
  } else if (extension == ".json") {
    write_text_file(output,
                    report_summary(results).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    throw Error("a report cannot be written as \"" + extension + "\"", output.string(),
                "let the name of the file end in .html, .md or .json", ExitStatus::kUsage);
  }
}

}  // namespace brokerlab
