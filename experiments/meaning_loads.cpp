#include <algorithm>
#include <filesystem>

#include "broker/routing.h"
#include "core/distribution.h"
#include "core/error.h"
#include "core/units.h"
#include "experiments/meaning.h"
#include "loadgen/load_spec.h"
#include "loadgen/message_properties.h"
#include "loadgen/payload.h"
#include "loadgen/schedule.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

// What the checks of one load share.
struct LoadUnderCheck {
  const Json& load;
  JsonPointer at;
  Findings& findings;
};

void check_target(const LoadUnderCheck& check, const DeclaredNames& names, const Json& topology) {
  const Json& publish = member(check.load, "publish");
  const std::string exchange = text_at(publish, "exchange");
  if (!exchange.empty() && !names.exchange_types.contains(exchange)) {
    return check.findings.error(check.at / "publish" / "exchange",
                                "exchange \"" + exchange + "\" is not declared",
                                suggestion(exchange, names.exchanges));
  }
  for (const Json& declared : list_at(topology, "exchanges")) {
    if (text_at(declared, "name") != exchange || member(declared, "internal") != Json(true)) continue;
    return check.findings.error(check.at / "publish" / "exchange",
                                "exchange \"" + exchange + "\" is internal: nothing can be published to it",
                                "remove \"internal\", or publish to an exchange bound to it");
  }
  const Json& key = member(publish, "routing_key");
  if (!exchange.empty() || !key.is_string() || names.queues.contains(key.get<std::string>())) return;
  check.findings.warning(
      check.at / "publish" / "routing_key",
      "the default exchange has no queue \"" + key.get<std::string>() + "\": nothing arrives",
      suggestion(key, names.queue_suggestions), "UNROUTABLE");
}

void check_unroutable(const LoadUnderCheck& check, const Json& topology) {
  const auto routes = possible_routes(check.load);
  const Topology declared = Topology::from_json(topology);
  const bool lost = !routes.empty() && std::all_of(routes.begin(), routes.end(), [&](const auto& pair) {
    return route(declared, pair.first, pair.second).unroutable();
  });
  if (!lost || routes.front().first.empty()) return;
  check.findings.warning(check.at / "publish" / "routing_key",
                         "no binding of \"" + routes.front().first + "\" takes any of these messages",
                         "bind a queue, unless that is the point", "UNROUTABLE");
}

void check_replay(const LoadUnderCheck& check) {
  const Json& arrivals = member(check.load, "arrivals");
  if (text_at(arrivals, "process") != "replay") return;
  if (arrivals.contains("times") == arrivals.contains("file")) {
    return check.findings.error(check.at / "arrivals", "exactly one of \"times\" and \"file\" is wanted",
                                "the times in seconds, or a file with one a line");
  }
  const Json& times = list_at(arrivals, "times");
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (!times[i].is_number() || !times[i - 1].is_number() || times[i] >= times[i - 1]) continue;
    return check.findings.error(check.at / "arrivals" / "times" / i, "the times must not fall", "sort them");
  }
}

void check_arrivals(const LoadUnderCheck& check) {
  const Json& arrivals = member(check.load, "arrivals");
  const std::string process = text_at(arrivals, "process");
  check_replay(check);
  const Json& gap = member(arrivals, "gap");
  if (process == "renewal" && check.findings.clean(check.at / "arrivals")) try {
      if (Distribution::from_json(gap, number_of_seconds)->mean() <= 0) {
        check.findings.error(check.at / "arrivals" / "gap", "gaps of 0 never let time pass", "a longer gap");
      }
    } catch (const Error& error) {
      check.findings.error(check.at / "arrivals" / "gap", error.summary(), error.remedy());
    }
  const bool ramp_of_nothing =
      process == "ramp" && member(arrivals, "from") == 0 && member(arrivals, "to") == 0;
  if (ramp_of_nothing) {
    check.findings.error(check.at / "arrivals" / "to", "a ramp from 0 to 0 sends nothing",
                         "a rate greater than 0");
  }
}

void check_end(const LoadUnderCheck& check, const Json& written_experiment) {
  if (text_at(member(check.load, "arrivals"), "process") != "closed") return;
  const bool has_end =
      !member(check.load, "stop").empty() || member(written_experiment, "phases").contains("measure");
  if (has_end) return;
  check.findings.error(
      check.at, "a closed loop has no end of its own: neither \"stop\" nor \"phases.measure\" is given",
      "add \"stop\": {\"count\": 1000}, or \"phases\": {\"measure\": \"10s\"}");
}

// The path must stay inside the experiment's folder, symbolic links included: an experiment file is data from
// anywhere, and must not make this program read other files.
void check_file(const NamedFile& file, const fs::path& directory, Findings& findings) {
  const fs::path path(file.path);
  const bool climbs = std::find(path.begin(), path.end(), "..") != path.end();
  if (path.empty() || path.is_absolute() || climbs) {
    return findings.error(file.at, "\"" + file.path + "\" leads out of the experiment's folder",
                          "put the file beside the experiment and name it relative to it");
  }
  std::error_code error;
  const fs::path whole = directory / path;
  if (!fs::is_regular_file(whole, error)) {
    return findings.error(file.at, "there is no file \"" + file.path + "\" in " + directory.string(),
                          "the path is relative to the experiment file");
  }
  const fs::path real = fs::canonical(whole, error);
  const fs::path root = fs::canonical(directory, error);
  const auto [end, unused] = std::mismatch(root.begin(), root.end(), real.begin(), real.end());
  if (error || end != root.end()) {
    findings.error(file.at, "\"" + file.path + "\" leads out of the experiment's folder by a symbolic link",
                   "put the file itself beside the experiment");
  }
}

std::string with_place(const Error& error) {
  return error.summary() + (error.where().empty() ? "" : " (" + error.where() + ")");
}

// Arrivals and messages are read as the publisher will read them, their files included.
void check_content(const LoadUnderCheck& check, const fs::path& directory) {
  if (!check.findings.clean(check.at)) return;
  LoadSpec spec;
  try {
    spec = LoadSpec::from_json(check.load, directory);
    possible_routes(check.load);
  } catch (const Error& error) {
    const bool in_file = member(check.load, "arrivals").contains("file");
    return check.findings.error(in_file ? check.at / "arrivals" / "file" : check.at, with_place(error),
                                error.remedy());
  }
  try {
    Payload::make(spec, 1, 0);
    MessageProperties(spec, "", 1, 0);
  } catch (const Error& error) {
    check.findings.error(check.at / "publish" / "body", with_place(error), error.remedy());
  }
}

void check_transaction(const LoadUnderCheck& check, const Json& written) {
  if (!check.load.contains("transaction")) return;
  const Json& confirms = member(written, "confirms");
  if (confirms.is_object() && member(confirms, "enabled") != Json(false) && !confirms.empty()) {
    check.findings.error(check.at / "transaction", "a channel has transactions or confirms, not both",
                         "leave \"confirms\" out: a commit settles its messages");
  }
}

void check_numbers(const LoadUnderCheck& check) {
  const std::int64_t instances = whole_at(check.load, "instances"),
                     processes = whole_at(check.load, "processes");
  if (processes > instances) {
    check.findings.error(check.at / "processes", "more processes than instances", "raise \"instances\"");
  }
  constexpr std::int64_t kMostPerProcess = 65535;  // the recording numbers them with 16 bits
  if (processes > 0 && instances / processes > kMostPerProcess) {
    check.findings.error(check.at / "processes", "more than 65535 instances in one process",
                         "more processes");
  }
}

}  // namespace

std::vector<NamedFile> data_files(const Json& experiment) {
  std::vector<NamedFile> files;
  const Json& loads = list_at(experiment, "load");
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const JsonPointer at = JsonPointer("/load") / i;
    const Json& body = member(member(loads[i], "publish"), "body");
    for (const char* key : {"csv", "jsonl"}) {
      if (member(body, key).is_string()) files.push_back({at / "publish" / "body" / key, body[key]});
    }
    const Json& file = member(member(loads[i], "arrivals"), "file");
    if (file.is_string()) files.push_back({at / "arrivals" / "file", file});
  }
  const Json& roles = list_at(experiment, "roles");
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const Json& customers = member(member(roles[i], "settings"), "customers");
    if (customers.is_string()) {
      files.push_back({JsonPointer("/roles") / i / "settings" / "customers", customers});
    }
  }
  return files;
}

void check_loads(const Json& experiment, const Json& written, const DeclaredNames& names,
                 const std::filesystem::path& directory, Findings& findings) {
  for (const NamedFile& file : data_files(experiment)) check_file(file, directory, findings);
  const Json& loads = list_at(experiment, "load");
  const Json& topology = member(experiment, "topology");
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const Json& load = loads[i];
    if (!load.is_object()) continue;
    const LoadUnderCheck check{load, JsonPointer("/load") / i, findings};
    check_target(check, names, topology);
    check_arrivals(check);
    check_end(check, written);
    check_numbers(check);
    const Json& written_loads = list_at(written, "load");
    check_transaction(check, i < written_loads.size() ? written_loads[i] : load);
    check_content(check, directory);
    if (findings.clean(check.at) && findings.clean(JsonPointer("/topology")))
      check_unroutable(check, topology);
  }
}

}  // namespace brokerlab
