#include "analysis/summary_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>

#include "analysis/flags.h"
#include "analysis/search_text.h"
#include "analysis/summary_lines.h"
#include "core/units.h"

namespace brokerlab {
namespace {

constexpr const char* kSimulated = " (SIMULATED, not measured)";

using summary::cell;
using summary::fitted;
using summary::kMostLines;
using summary::Lines;
using summary::plain;
using summary::right;
using summary::wrapped;

constexpr std::size_t kMostConsumers = 4;
constexpr std::size_t kMostFaults = 5;

std::string count_of(const Json& object, const char* key) {
  return object.contains(key) ? format_count(object.at(key).get<std::uint64_t>()) : "-";
}

void add_rates(const Json& run, Lines& lines) {
  std::vector<std::string> figures;
  for (const char* name : {"offered", "published", "confirmed", "delivered"}) {
    const std::string key = std::string(name) + "_per_s";
    if (run.at("rates").contains(key))
      figures.push_back(fmt::format("{} {}", name, format_rate(run.at("rates").at(key).get<double>())));
  }
  lines.add_figures("rates", figures);
}

void add_latency(const Json& run, Lines& lines) {
  static constexpr std::array<std::pair<const char*, const char*>, 12> kShown = {
      {{"end_to_end", "end to end"},
       {"delivery", "  from the send"},
       {"done", "done"},
       {"confirm", "confirm"},
       {"send_delay", "send delay"},
       {"service", "service"},
       {"request", "request, reply"},
       {"connection_open", "connection open"},
       {"channel_open", "channel open"},
       {"queue_declare", "queue declare"},
       {"bind", "bind"},
       {"consume", "consume"}}};
  bool heading = false;
  for (const auto& [key, title] : kShown) {
    if (!run.at("latency").contains(key)) continue;
    const Json& stream = run.at("latency").at(key);
    if (!heading)
      lines.add(fmt::format("latency    {:16}{:>10}{:>10}{:>10}{:>10}{:>10}", "", "p50", "p90", "p99",
                            "p99.9", "max"));
    heading = true;
    std::string row = fmt::format("           {:16}", title);
    for (const char* statistic : {"p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns"}) {
      const Json& value = stream.at(statistic);
      row += right(value.is_number() ? format_duration(value.get<Nanoseconds>()) : "-", 10);
    }
    lines.add(row);
  }
}

std::vector<std::string> indices_of(const Json& group) {
  std::vector<std::string> figures;
  for (const auto& [key, title] :
       {std::pair("by_messages", "messages"), {"by_bytes", "bytes"}, {"by_busy_time", "busy time"}})
    if (group.contains(key))
      figures.push_back(fmt::format("{} {:.3f}", title, group.at(key).at("jain").get<double>()));
  return figures;
}

// `room`: for how many consumers there is a line.
void add_fairness(const Json& run, std::size_t room, Lines& lines) {
  const Json& fairness = run.at("fairness");
  bool any = false;
  const Json groups = fairness.value("by_role", Json::object());
  for (const auto& [role, group] : groups.items()) {
    std::vector<std::string> figures = indices_of(group);
    if (figures.empty()) continue;
    figures.front() = fmt::format("{} (Jain; 1 is even): {}", fitted(plain(role), 20), figures.front());
    lines.add_figures(any ? "" : "fairness", figures);
    any = true;
  }
  const Json& consumers = fairness.at("consumers");
  if (!any || room < lines.size() + 2) return;
  room -= lines.size();
  const std::size_t shown = consumers.size() <= std::min(room, kMostConsumers)
                                ? consumers.size()
                                : std::min(room - 1, kMostConsumers);
  for (std::size_t i = 0; i < shown; ++i) {
    const Json& consumer = consumers[i];
    lines.add(fmt::format(
        "           {} {:>10} messages, busy {}{}", cell(plain(consumer.at("name").get<std::string>()), 20),
        count_of(consumer, "messages"), format_duration(consumer.value("busy_ns", Nanoseconds{0})),
        consumer.at("alive").get<bool>() ? "" : ", killed"));
  }
  if (shown < consumers.size()) lines.add(fmt::format("           … and {} more", consumers.size() - shown));
}

void add_pipeline(const Json& run, Lines& lines) {
  if (!run.contains("pipeline")) return;
  const Json& pipeline = run.at("pipeline");
  std::vector<std::string> figures = {"submitted " + count_of(pipeline, "submitted")};
  if (pipeline.contains("completed")) figures.push_back("completed " + count_of(pipeline, "completed"));
  if (pipeline.contains("deliveries_per_completed"))
    figures.push_back(
        fmt::format("deliveries each {:.4g}", pipeline.at("deliveries_per_completed").get<double>()));
  if (pipeline.contains("ignored_share"))
    figures.push_back(fmt::format("ignored {:.3g} %", 100 * pipeline.at("ignored_share").get<double>()));
  if (const Json& loops = pipeline.at("loops"); !loops.empty())
    figures.push_back(fmt::format("feedback loop{}: {}", loops.size() > 1 ? "s" : "", loops.size()));
  lines.add_figures("pipeline", figures);
}

// A line per entry; its times stand among the latencies.
void add_churn(const Json& run, Lines& lines) {
  const Json entries = run.value("churn", Json::array());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Json& entry = entries[i];
    std::vector<std::string> figures = {plain(entry.at("name").get<std::string>())};
    std::int64_t failed = 0;
    for (const auto& [key, title] : {std::pair{"open", "opened"}, std::pair{"close", "closed"}}) {
      if (!entry.contains(key)) continue;
      figures.push_back(fmt::format("{} {}", title, count_of(entry.at(key), "done")));
      failed += entry.at(key).at("failed").get<std::int64_t>();
    }
    if (entry.contains("opened_per_s"))
      figures[1] += fmt::format(" ({})", format_rate(entry.at("opened_per_s").get<double>()));
    figures.push_back(fmt::format("failed {}", failed));
    lines.add_figures(i == 0 ? "churn" : "", figures);
  }
}

// Three lines that fit 80 columns up to tens of millions of messages.
void add_ledger(const Json& run, Lines& lines) {
  const Json& ledger = run.at("ledger");
  const auto figures = [&](std::initializer_list<std::pair<const char*, const char*>> list) {
    std::vector<std::string> texts;
    for (const auto& [title, key] : list) texts.push_back(fmt::format("{} {}", title, count_of(ledger, key)));
    return texts;
  };
  lines.add_figures("ledger", figures({{"published", "published"},
                                       {"confirmed", "confirmed"},
                                       {"returned", "returned"},
                                       {"unknown", "unknown"}}));
  auto copies = figures({{"copies", "copies"}, {"delivered", "deliveries"}, {"lost", "lost"}});
  if (ledger.contains("lost_by_design"))
    copies.back() += fmt::format(" ({} by design)", count_of(ledger, "lost_by_design"));
  lines.add_figures("", copies);
  lines.add_figures("", figures({{"duplicates", "duplicates"},
                                 {"out of order", "order_violations"},
                                 {"nacked", "nacked"},
                                 {"ignored", "ignored"}}));
  if (ledger.contains("verified"))
    lines.add_figures("", figures({{"bodies verified", "verified"}, {"corrupted", "corrupted"}}));
}

// "kill worker-0 1.02 s: 5 again in 6.9 ms, wasted 19 ms"
std::string fault_text(const Json& entry) {
  const auto time = [&](const char* key) { return format_duration(entry.at(key).get<Nanoseconds>()); };
  std::string text = fmt::format("{} {} {}:", entry.at("fault").get<std::string>(),
                                 fitted(plain(entry.at("target").get<std::string>()), 16), time("at_ns"));
  std::vector<std::string> figures;
  const std::int64_t again = entry.value("redelivered", std::int64_t{0});
  if (entry.value("unacked", again) != again) figures.push_back("unacked " + count_of(entry, "unacked"));
  figures.push_back(count_of(entry, "redelivered") + " again");  // redelivered: a line must hold it all
  if (entry.contains("last_redelivery_ns")) figures.back() += " in " + time("last_redelivery_ns");
  if (entry.contains("reconnected_ns"))
    figures.push_back("down " + time("reconnected_ns"));
  else if (entry.value("wasted_work_ns", Nanoseconds{0}) > 0)
    figures.push_back("wasted " + time("wasted_work_ns"));
  return fmt::format("{} {}", text, fmt::join(figures, ", "));
}

// A line per fault, after `heading`, as long as `room` lasts.
void add_faults(const Json& run, std::string_view heading, std::size_t room, Lines& lines) {
  const Json& recovery = run.at("recovery");
  const std::size_t shown = recovery.size() <= room ? recovery.size() : room > 0 ? room - 1 : 0;
  for (std::size_t i = 0; i < shown; ++i)
    lines.add(std::string(i == 0 ? heading : cell("", summary::width_of(heading))) + fault_text(recovery[i]));
  if (shown < recovery.size() && room > 0)
    lines.add(
        fmt::format("{}… and {} more faults", cell("", summary::width_of(heading)), recovery.size() - shown));
}

void add_cost(const Json& run, Lines& lines) {
  std::vector<std::string> figures;
  const Json per_task = run.at("network").value("per_task", Json::object());
  if (per_task.contains("messages"))
    figures.push_back(fmt::format("{:.2f} messages", per_task.at("messages").get<double>()));
  if (per_task.contains("bytes"))
    figures.push_back(
        format_bytes(static_cast<std::uint64_t>(std::llround(per_task.at("bytes").get<double>()))));
  if (!figures.empty()) figures.back() += " per task";
  lines.add_figures("network", figures);
  figures.clear();
  if (run.contains("makespan_ns"))
    figures.push_back("makespan " + format_duration(run.at("makespan_ns").get<Nanoseconds>()));
  for (const Json& work : run.value("work", Json::array())) {
    std::string text = fmt::format("{}: at least {}", fitted(plain(work.at("role").get<std::string>()), 16),
                                   format_duration(work.at("lower_bound_ns").get<Nanoseconds>()));
    if (work.contains("idle_share"))
      text += fmt::format(", idle {:.3g} %", 100 * work.at("idle_share").get<double>());
    figures.push_back(std::move(text));
  }
  lines.add_figures("work", figures);
}

void add_verdict(const Json& verdict, Lines& lines) {
  const std::string status = verdict.at("status").get<std::string>();
  const auto tone = status == "valid"     ? Lines::Tone::kGood
                    : status == "invalid" ? Lines::Tone::kBad
                                          : Lines::Tone::kDoubtful;
  lines.add("verdict    " + status, tone);
  const Json& reasons = verdict.at("reasons");
  constexpr std::size_t kMostReasons = 3;
  for (std::size_t i = 0; i < std::min(reasons.size(), kMostReasons); ++i)
    lines.add("           " + plain(reasons[i].get<std::string>()), tone);
  if (reasons.size() > kMostReasons)
    lines.add(fmt::format("           … and {} more", reasons.size() - kMostReasons), tone);
}

void add_warnings(const std::vector<std::string>& warnings, int columns, Lines& lines) {
  for (std::size_t i = 0; i < warnings.size(); ++i) {
    const auto broken = wrapped("warning", warnings[i], columns);
    const bool last = i + 1 == warnings.size();
    if (broken.size() + (last ? 0 : 1) > lines.room()) {
      lines.add(fmt::format("           … and {} more warnings in the report", warnings.size() - i),
                Lines::Tone::kDoubtful);
      return;
    }
    for (const std::string& line : broken) lines.add(line, Lines::Tone::kDoubtful);
  }
}

std::string value_text(const Json& flag) {
  if (flag.contains("detail")) return flag.at("detail").get<std::string>();
  if (!flag.contains("value")) return "";
  const double value = flag.at("value").get<double>();
  const std::string unit = flag.at("unit").get<std::string>();
  if (unit == "ns") return format_duration(static_cast<Nanoseconds>(std::llround(value)));
  if (unit == "share") return fmt::format("{:.3g} %", 100 * value);
  return fmt::format("{:.0f} {}", value, unit);
}

std::string title_of(const Json& run) {
  const std::string variant = plain(run.value("variant", ""));
  return fmt::format("{}{}repetition {}{}", variant, variant.empty() ? "" : ", ", run.value("repetition", 0),
                     is_simulated(run) ? kSimulated : "");
}

}  // namespace

std::vector<std::string> warnings_of(const Json& run) {
  std::vector<std::string> fatal, others;
  for (const Json& flag : run.at("flags")) {
    if (flag.at("state") != "fail") continue;
    std::string text = flag.at("reason").get<std::string>();
    text = text.substr(0, text.find(':'));
    if (const std::string value = value_text(flag); !value.empty()) text += " (" + value + ")";
    (flag.at("fatal").get<bool>() ? fatal : others).push_back(plain(text));
  }
  fatal.insert(fatal.end(), others.begin(), others.end());
  return fatal;
}

std::string run_summary_text(const Json& run, const SummaryTextOptions& options) {
  Lines lines(options);
  lines.add(title_of(run), Lines::Tone::kHeading);
  add_rates(run, lines);
  add_latency(run, lines);
  Lines rest(options);
  add_pipeline(run, rest);
  add_churn(run, rest);
  add_ledger(run, rest);
  add_faults(run, "fault      ", kMostFaults, rest);
  add_cost(run, rest);
  add_verdict(run.at("verdict"), rest);
  // Consumers get the lines that are left: beside the rest, and something of the warnings.
  const std::vector<std::string> warnings = warnings_of(run);
  const std::size_t kept = rest.size() + std::min<std::size_t>(warnings.size(), 2);
  add_fairness(run, kMostLines - std::min(kMostLines, kept), lines);
  lines.add(rest);
  add_warnings(warnings, options.columns, lines);
  return lines.text();
}

std::string summary_text(const Json& result, const SummaryTextOptions& options) {
  const Json& runs = result.at("runs");
  if (runs.size() == 1 && !result.contains("search")) return run_summary_text(runs[0], options);
  Lines lines(options);
  const bool simulated = std::any_of(runs.begin(), runs.end(), is_simulated);
  lines.add(plain(result.at("experiment").get<std::string>()) + (simulated ? kSimulated : ""),
            Lines::Tone::kHeading);
  constexpr std::size_t kVariant = 20;  // columns
  Lines faults(options);
  for (const Json& run : runs) {
    if (run.value("repetition", 0) > 0 || faults.size() >= kMostFaults) continue;
    add_faults(run, cell(plain(run.value("variant", "")), kVariant - 1) + " ", kMostFaults - faults.size(),
               faults);
  }
  if (result.contains("search")) {
    summary::add_search(result, options.columns, lines);
  } else if (!runs.empty()) {
    summary::add_comparison(result.at("comparison"), options.columns, faults.size(), lines);
  }
  lines.add(faults);
  add_verdict(result.at("verdict"), lines);
  std::vector<std::string> warnings;
  for (const Json* run : telling_runs(result)) {
    const std::string variant = plain(run->value("variant", ""));
    for (const std::string& warning : warnings_of(*run)) {
      const std::string text = variant.empty() ? warning : variant + ": " + warning;
      if (std::find(warnings.begin(), warnings.end(), text) == warnings.end()) warnings.push_back(text);
    }
  }
  add_warnings(warnings, options.columns, lines);
  return lines.text();
}

}  // namespace brokerlab
