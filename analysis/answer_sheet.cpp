#include "analysis/answer_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/flags.h"

namespace brokerlab {
namespace {

constexpr double kMs = 1e6;

using Answers = std::vector<KnownAnswer>;

void append(Answers& all, Answers more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

const Json& only_run(const Json& result) { return run_of_variant(result, "default"); }

std::optional<double> consumer(const CaseAnswers& answers, int index, const char* figure) {
  return answers.number(fmt::format("/fairness/consumers/{}/{}", index, figure));
}

std::optional<double> busiest_ms(const CaseAnswers& answers) {
  const auto a = consumer(answers, 0, "busy_ns"), b = consumer(answers, 1, "busy_ns");
  return a && b ? std::optional(std::max(*a, *b) / kMs) : std::nullopt;
}

Answers push(const char* name, const Json& result) {
  CaseAnswers answers(name, only_run(result));
  answers.exact("tasks of the first worker", "/fairness/consumers/0/messages", 50);
  answers.exact("tasks of the second worker", "/fairness/consumers/1/messages", 50);
  answers.within_share("busy time of the busier worker", busiest_ms(answers), 900, 0.03, "ms");
  answers.within_share("makespan", answers.ms("/makespan_ns"), 900, 0.03, "ms");
  answers.within_share("Jain's index of busy time", answers.number("/fairness/by_busy_time/jain"), 0.6098,
                       0.03);
  return answers.take();
}

Answers r1(const Json& result) { return push("R1", result); }

Answers r2(const Json& result) {
  CaseAnswers answers("R2", only_run(result));
  answers.within_share("busy time of the busier worker", busiest_ms(answers), 500, 0.08, "ms");
  answers.within_share("makespan", answers.ms("/makespan_ns"), 500, 0.08, "ms");
  answers.at_least("Jain's index of busy time", answers.number("/fairness/by_busy_time/jain"), 0.99);
  return answers.take();
}

Answers r3(const Json& result) {
  Answers all = push("R3", result);
  CaseAnswers answers("R3", only_run(result));
  const Json flags = answers.run().value("flags", Json::array());
  const auto failed = std::count_if(flags.begin(), flags.end(), [](const Json& flag) {
    return flag.value("name", "") == "PREFETCH_IGNORED" && flag.value("state", "") == "fail";
  });
  answers.exact_value("flag PREFETCH_IGNORED", static_cast<double>(failed), 1);
  append(all, answers.take());
  return all;
}

Answers r4(const Json& result) {
  CaseAnswers answers("R4", only_run(result));
  const auto a = consumer(answers, 0, "messages"), b = consumer(answers, 1, "messages");
  const bool known = a && b;
  answers.exact_value("tasks of whoever subscribed first",
                      known ? std::optional(std::max(*a, *b)) : std::nullopt, 100);
  answers.exact_value("tasks of the other", known ? std::optional(std::min(*a, *b)) : std::nullopt, 0);
  return answers.take();
}

// Work done per second, from the start of the first piece to the end of the last: how long it took until the
// first message came is no part of it.
std::optional<double> work_rate(const Json& run) {
  const Json bars = run.value("gantt", Json::array());
  if (bars.size() < 2) return std::nullopt;
  double first = INFINITY, last = 0;
  for (const Json& bar : bars) {
    first = std::min(first, bar.at("started_ns").get<double>());
    last = std::max(last, bar.at("done_ns").get<double>());
  }
  return last > first ? std::optional(static_cast<double>(bars.size()) / (last - first) * 1e9) : std::nullopt;
}

// X = min(1/s, p/(s + R)) with s 5.19 ms and R 21.9 ms: at prefetch 5 the line is full.
Answers r7(const Json& result) {
  Answers all;
  for (const auto& [prefetch, rate, tolerance] :
       {std::tuple{1, 36.9, 0.05}, {2, 73.8, 0.05}, {3, 110.7, 0.05}, {5, 184.5, 0.12}, {10, 192.7, 0.05}}) {
    CaseAnswers answers("R7", run_of_variant(result, fmt::format("prefetch-{}", prefetch)));
    answers.within_share(fmt::format("tasks done, prefetch {}", prefetch), work_rate(answers.run()), rate,
                         tolerance, "/s");
    append(all, answers.take());
  }
  return all;
}

Answers q1(const Json& result) {
  CaseAnswers answers("Q1", only_run(result));
  const auto done = answers.ms("/latency/done/mean_ns"), service = answers.ms("/latency/service/mean_ns");
  answers.at_most("mean wait, from due to the start of the work",
                  done && service ? std::optional(*done - *service) : std::nullopt, 2, "ms");
  return answers.take();
}

// A task costs its worker the work and the turnaround; both were measured in the same run, and so are known
// to the law.
Answers q2(const Json& result) {
  CaseAnswers answers("Q2", only_run(result));
  const auto service = answers.ms("/theory/0/service/mean_ns"),
             turnaround = answers.ms("/theory/0/service/turnaround_ns");
  const double delta = service && turnaround ? *service + *turnaround - 50 : NAN;
  answers.within_share("mean wait, from due to received", answers.ms("/latency/end_to_end/mean_ns"),
                       1870 + 187 * delta, 0.03, "ms");
  answers.within_share("longest wait", answers.ms("/latency/end_to_end/max_ns"), 3740 + 374 * delta, 0.03,
                       "ms");
  return answers.take();
}

Answers f2_f4(const Json& result) {
  CaseAnswers stable("F2", run_of_variant(result, "stable"));
  int queue = 0;
  for (const double keys : {2449, 2534, 2537, 2480}) {
    stable.exact(fmt::format("keys of queue {}", queue),
                 fmt::format("/sharding/epochs/0/queues/{}/keys", queue).c_str(), keys);
    ++queue;
  }
  Answers all = stable.take();
  for (const auto& [variant, what, share] :
       {std::tuple{"first-leaves", "keys moved when the first of four leaves", 0.9195},
        {"last-leaves", "keys moved when the last of four leaves", 0.2480},
        {"fifth-joins", "keys moved when a fifth joins", 0.1997}}) {
    CaseAnswers answers("F4", run_of_variant(result, variant));
    // Known to a hundredth of a per cent.
    answers.within(what, answers.number("/sharding/changes/0/moved_share"), share, 0.00005);
    append(all, answers.take());
  }
  return all;
}

Answers a1(const Json& result) {
  Answers all;
  for (const auto& [variant, redelivered] :
       {std::pair{"prefetch-1", 1}, {"prefetch-5", 5}, {"prefetch-20", 20}, {"unlimited", 80}}) {
    CaseAnswers answers("A1", run_of_variant(result, variant));
    const std::string of = fmt::format(", {}", variant);
    answers.exact("acknowledged before the kill" + of, "/fairness/consumers/0/messages", 20);
    answers.exact("delivered again" + of, "/ledger/redelivered_flag", redelivered);
    answers.exact("lost" + of, "/ledger/lost", 0);
    append(all, answers.take());
  }
  return all;
}

Answers a2(const Json& result) {
  CaseAnswers answers("A2", only_run(result));
  answers.exact("done before the kill", "/ledger/done", 20);
  answers.exact("lost", "/ledger/lost", 80);
  return answers.take();
}

Answers a4(const Json& result) {
  Answers all;
  for (const auto& [variant, returned] : {std::pair{"mandatory", 10}, {"not-mandatory", 0}}) {
    CaseAnswers answers("A4", run_of_variant(result, variant));
    answers.exact(fmt::format("confirmed, {}", variant), "/ledger/confirmed", 10);
    answers.exact(fmt::format("returned, {}", variant), "/ledger/returned", returned);
    append(all, answers.take());
  }
  return all;
}

Answers a5(const Json& result) {
  CaseAnswers fanout("A5", run_of_variant(result, "fanout"));
  fanout.exact("deliveries of 100 messages to 3 queues", "/ledger/deliveries", 300);
  CaseAnswers topic("A5", run_of_variant(result, "topic"));
  topic.exact("deliveries of 100 by two matching bindings of one queue", "/ledger/deliveries", 100);
  Answers all = fanout.take();
  append(all, topic.take());
  return all;
}

// Of all repetitions: the broker was killed under load and started again in each.
Answers a6(const Json& result) {
  static const Json kNothing = Json::object();
  const Json runs = result.value("runs", Json::array());
  double lost = 0, confirmed = 0;
  bool known = !runs.empty();
  for (const Json& run : runs) {
    const CaseAnswers one("A6", run);
    const auto gone = one.number("/ledger/lost"), taken = one.number("/ledger/confirmed");
    known &= gone && taken;
    lost += gone.value_or(0);
    confirmed += taken.value_or(0);
  }
  CaseAnswers answers("A6", kNothing);
  answers.exact_value(fmt::format("lost of {:.0f} confirmed, broker killed", confirmed),
                      known ? std::optional(lost) : std::nullopt, 0);
  return answers.take();
}

Answers t1(const Json& result, double messages) {
  CaseAnswers answers("T1", only_run(result));
  answers.exact("messages published", "/ledger/published", messages);
  answers.exact("messages delivered", "/ledger/unique", messages);
  return answers.take();
}

// Half of the keys lead nowhere; the binomial 99 % interval.
Answers d2(const Json& result) {
  CaseAnswers answers("D2", only_run(result));
  const double published = answers.number("/ledger/published").value_or(NAN);
  answers.within("unroutable of those published", answers.number("/ledger/returned"), published / 2,
                 2.576 * std::sqrt(published * 0.25));
  return answers.take();
}

}  // namespace

std::span<const AnswerSheet> answer_sheets() {
  static const std::array<AnswerSheet, 20> kSheets = {
      {{"s1-s5-short", answer_s1_s5},
       {"s1-s5", answer_s1_s5},
       {"s2-short", answer_s2},
       {"s2", answer_s2},
       {"q1", q1},
       {"q2", q2},
       {"r1", r1},
       {"r2", r2},
       {"r3", r3},
       {"r4", r4},
       {"r7", r7},
       {"f2-f4", f2_f4},
       {"a1", a1},
       {"a2", a2},
       {"a4", a4},
       {"a5", a5},
       {"broker-crash", a6},
       {"t1-short", [](const Json& result) { return t1(result, 3300); }},
       {"t1", [](const Json& result) { return t1(result, 33000); }},
       {"d2", d2}}};
  return kSheets;
}

const Json& run_of_variant(const Json& result, std::string_view variant) {
  static const Json kNothing = Json::object();
  const auto runs = result.find("runs");
  if (runs == result.end()) return kNothing;
  const auto found = std::find_if(runs->begin(), runs->end(),
                                  [&](const Json& run) { return run.value("variant", "") == variant; });
  return found == runs->end() ? kNothing : *found;
}

std::optional<double> CaseAnswers::number(const std::string& pointer) const {
  const Json::json_pointer at(pointer);
  if (!run_.contains(at) || !run_.at(at).is_number()) return std::nullopt;
  return run_.at(at).get<double>();
}

std::optional<double> CaseAnswers::ms(const std::string& pointer) const {
  const auto value = number(pointer);
  return value ? std::optional(*value / kMs) : std::nullopt;
}

void CaseAnswers::add(const std::string& what, KnownAnswer::Rule rule, std::optional<double> measured,
                      double expected, double tolerance, const std::string& unit) {
  answers_.push_back({name_, what, unit, rule, expected, tolerance, measured});
}

void CaseAnswers::exact(const std::string& what, const char* pointer, double expected) {
  exact_value(what, number(pointer), expected);
}

void CaseAnswers::exact_value(const std::string& what, std::optional<double> measured, double expected) {
  add(what, KnownAnswer::Rule::kExact, measured, expected, 0, "");
}

void CaseAnswers::within_share(const std::string& what, std::optional<double> measured, double expected,
                               double share, const std::string& unit) {
  add(what, KnownAnswer::Rule::kWithinShare, measured, expected, share, unit);
}

void CaseAnswers::within(const std::string& what, std::optional<double> measured, double expected,
                         double tolerance, const std::string& unit) {
  add(what, KnownAnswer::Rule::kWithin, measured, expected, tolerance, unit);
}

void CaseAnswers::at_most(const std::string& what, std::optional<double> measured, double limit,
                          const std::string& unit) {
  add(what, KnownAnswer::Rule::kAtMost, measured, limit, 0, unit);
}

void CaseAnswers::at_least(const std::string& what, std::optional<double> measured, double limit,
                           const std::string& unit) {
  add(what, KnownAnswer::Rule::kAtLeast, measured, limit, 0, unit);
}

}  // namespace brokerlab
