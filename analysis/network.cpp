#include "analysis/network.h"

namespace brokerlab {
namespace {

void add_direction(Json& json, const std::string& name, std::int64_t out, std::int64_t in) {
  if (out + in <= 0) return;
  json[name] = out + in;
  json[name + "_to_broker"] = out;
  json[name + "_from_broker"] = in;
}

}  // namespace

std::optional<double> unroutable_share(const LedgerAccount& account) {
  if (account.published == 0) return std::nullopt;
  return static_cast<double>(account.returned + account.dropped_silently) /
         static_cast<double>(account.published);
}

Json network_json(const RecordedRun& run, const RunAccounts& accounts) {
  const LedgerAccount& account = accounts.account();
  std::int64_t frames_out = 0, frames_in = 0, bytes_out = 0, bytes_in = 0;
  for (const RecordedProcess& process : run.processes()) {
    if (!process.reader) continue;
    const RecordingCounters& counters = process.reader->counters();
    frames_out += counters.frames_out;
    frames_in += counters.frames_in;
    bytes_out += counters.bytes_out;
    bytes_in += counters.bytes_in;
  }
  Json json = Json::object();
  add_direction(json, "messages", account.published,
                account.deliveries + account.unexpected + account.foreign + account.returned);
  add_direction(json, "frames", frames_out, frames_in);
  add_direction(json, "bytes", bytes_out, bytes_in);
  if (const auto tasks = accounts.tasks(); tasks > 0) {
    json["tasks"] = tasks;
    Json per_task = Json::object();
    for (const char* name : {"messages", "frames", "bytes"})
      if (json.contains(name)) per_task[name] = json.at(name).get<double>() / static_cast<double>(tasks);
    json["per_task"] = std::move(per_task);
    json["amplification"] = static_cast<double>(account.deliveries) / static_cast<double>(tasks);
  }
  if (const auto share = unroutable_share(account)) json["unroutable_share"] = *share;
  if (account.deliveries > 0)
    json["ignored_share"] = static_cast<double>(account.ignored) / static_cast<double>(account.deliveries);
  return json;
}

}  // namespace brokerlab
