#include <fmt/format.h>

#include <algorithm>

#include "analysis/report_model.h"
#include "analysis/report_text.h"

namespace brokerlab::report {
namespace {

struct StreamName {
  const char* key;
  const char* shown;
};
constexpr StreamName kStreams[] = {{"completion", "submitted → completed"},
                                   {"end_to_end", "due → received"},
                                   {"done", "due → done"},
                                   {"delivery", "sent → received"},
                                   {"confirm", "sent → confirmed"},
                                   {"confirm_from_intended", "due → confirmed"},
                                   {"send_delay", "due → sent"},
                                   {"write_block", "sent → written"},
                                   {"prefetch_wait", "received → started"},
                                   {"service", "started → done"},
                                   {"ack", "received → acknowledged"},
                                   {"request", "request → reply"},
                                   {"connection_open", "connection opened"},
                                   {"connection_open_from_intended", "due → connection open"},
                                   {"connection_close", "connection closed"},
                                   {"channel_open", "channel opened"},
                                   {"channel_close", "channel closed"},
                                   {"queue_declare", "queue declared"},
                                   {"queue_delete", "queue deleted"},
                                   {"bind", "bound"},
                                   {"unbind", "unbound"},
                                   {"consume", "consumer subscribed"},
                                   {"cancel", "consumer cancelled"}};

Cell quantile_cell(const Histogram& histogram, double q) {
  if (static_cast<double>(histogram.count()) * (1 - q) < 10 - 1e-9) return {"too few", Tone::kMuted};
  return {duration_text(static_cast<double>(histogram.quantile(q)))};
}

std::vector<Cell> stream_row(const std::string& name, const Histogram& histogram) {
  return {{name},
          {count_text(static_cast<double>(histogram.count()))},
          {duration_text(histogram.mean())},
          quantile_cell(histogram, 0.5),
          quantile_cell(histogram, 0.9),
          quantile_cell(histogram, 0.99),
          quantile_cell(histogram, 0.999),
          {duration_text(static_cast<double>(histogram.max()))}};
}

std::vector<std::string> roles_of(const ChartVariant& variant) {
  std::vector<std::string> roles;
  for (const Json* run : variant.runs) {
    const Json* by_role = find_value(*run, "/latency/by_role");
    if (by_role == nullptr || !by_role->is_object()) continue;
    for (const auto& [role, streams] : by_role->items()) {
      if (std::find(roles.begin(), roles.end(), role) == roles.end()) roles.push_back(role);
    }
  }
  return roles;
}

// A role's samples of one stream; role names may hold anything, also what a pointer would take apart.
std::optional<Histogram> role_histogram(const ChartVariant& variant, const std::string& role,
                                        const char* stream) {
  return merged_histogram(variant, [&](const Json& run) -> const Json* {
    const Json* by_role = find_value(run, "/latency/by_role");
    if (by_role == nullptr || !by_role->is_object() || !by_role->contains(role)) return nullptr;
    return find_value((*by_role)[role], fmt::format("/{}/hdr", stream));
  });
}

// Of those repetitions that had a steady part; why the others had none.
void add_steady_rows(const ChartVariant& variant, Table& table) {
  for (const auto& [key, shown] : {std::pair{"end_to_end", "due → received"}, {"done", "due → done"}}) {
    const auto histogram = merged_histogram(variant, [&, stream = key](const Json& run) {
      return find_value(run, fmt::format("/steady/{}/hdr", stream));
    });
    if (histogram) table.rows.push_back(stream_row(fmt::format("steady part: {}", shown), *histogram));
  }
  std::vector<std::string> reasons;
  for (const Json* run : variant.runs) {
    const std::string reason = find_text(*run, "/steady/withheld");
    if (!reason.empty() && std::find(reasons.begin(), reasons.end(), reason) == reasons.end())
      reasons.push_back(reason);
  }
  for (const std::string& reason : reasons) table.note += " No steady part: " + reason + ".";
}

}  // namespace

Table latency_table(const ChartVariant& variant) {
  Table table{
      "Latencies",
      "All repetitions' samples together. A percentile stands here when at least ten samples lie beyond it.",
      {{"from → to", false}, {"samples"}, {"mean"}, {"p50"}, {"p90"}, {"p99"}, {"p99.9"}, {"max"}},
      {}};
  for (const StreamName& stream : kStreams) {
    if (const auto histogram = merged_histogram(variant, stream.key)) {
      table.rows.push_back(stream_row(stream.shown, *histogram));
    }
  }
  add_steady_rows(variant, table);
  const bool staged = std::any_of(variant.runs.begin(), variant.runs.end(), [](const Json* run) {
    return find_value(*run, "/latency/stages") != nullptr;
  });
  for (const std::string& role : roles_of(variant)) {
    for (const char* stream : {"end_to_end", "delivery", "done"}) {
      const auto histogram = role_histogram(variant, role, stream);
      if (!histogram) continue;
      // What a role publishes is due when its work is done: the next role's stage begins there.
      const char* shown = std::string_view(stream) == "end_to_end" ? "due → received"
                          : std::string_view(stream) == "delivery" ? "sent → received"
                          : staged                                 ? "its stage, done before → done"
                                                                   : "due → done";
      table.rows.push_back(stream_row(fmt::format("{}: {}", display_text(role), shown), *histogram));
    }
  }
  return table;
}

}  // namespace brokerlab::report
