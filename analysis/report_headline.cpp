#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "analysis/flags.h"
#include "analysis/report_model.h"
#include "analysis/report_text.h"
#include "analysis/search_text.h"

namespace brokerlab::report {
namespace {

constexpr double kTellingRatio = 1.05;       // below that two times are told as one
constexpr double kTellingDifference = 0.02;  // of Jain's index
constexpr std::size_t kMostNamed = 3;        // variants that a sentence names; of more it names the two ends

struct Measured {
  const ChartVariant* variant;
  double value;
};

template <typename Value>
std::vector<Measured> measured(const ChartSource& source, Value value) {
  std::vector<Measured> all;
  for (const ChartVariant& variant : source.variants()) {
    if (const std::optional<double> figure = value(variant)) all.push_back({&variant, *figure});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Measured& a, const Measured& b) { return a.value < b.value; });
  return all;
}

std::optional<double> median_of(const ChartVariant& variant, std::string_view pointer) {
  const auto values = spread(variant, pointer);
  return values ? std::optional(values->median) : std::nullopt;
}

// The ends of a sorted list when it is too long for a sentence.
std::vector<Measured> ends(const std::vector<Measured>& all) {
  return all.size() <= kMostNamed ? all : std::vector<Measured>{all.front(), all.back()};
}

std::optional<double> quantile(const ChartVariant& variant, std::string_view stream, double q) {
  const auto histogram = merged_histogram(variant, stream);
  if (!histogram || static_cast<double>(histogram->count()) * (1 - q) < 10 - 1e-9) return std::nullopt;
  return static_cast<double>(histogram->quantile(q));
}

// "prefetch-1 finished 100 messages in 529 ms, push in 912 ms."
void tell_makespan(const ChartSource& source, std::vector<std::string>& sentences) {
  const auto all = measured(source, [](const ChartVariant& v) { return median_of(v, "/makespan_ns"); });
  if (all.size() < 2 || all.back().value < kTellingRatio * all.front().value) return;
  // Who had less to do was sooner done, which tells nothing.
  for (const Measured& each : all)
    if (median_of(*each.variant, "/ledger/done") != median_of(*all.front().variant, "/ledger/done")) return;
  const auto done = median_of(*all.front().variant, "/ledger/done");
  std::string sentence;
  for (const Measured& each : ends(all)) {
    if (!sentence.empty()) {
      sentence += fmt::format(", {} in {}", each.variant->name, duration_text(each.value));
      continue;
    }
    sentence = fmt::format("{} finished {} in {}", each.variant->name,
                           done ? count_text(done) + " messages" : std::string("everything"),
                           duration_text(each.value));
  }
  sentences.push_back(sentence + ".");
}

// "Busy time was shared evenly by prefetch-1 (Jain 1.000), unevenly by push (0.616)."
void tell_fairness(const ChartSource& source, std::vector<std::string>& sentences) {
  constexpr double kEven = 0.95;
  auto all =
      measured(source, [](const ChartVariant& v) { return median_of(v, "/fairness/by_busy_time/jain"); });
  if (all.empty()) return;
  const std::string how = all.back().value >= kEven ? "evenly" : "unevenly";
  if (all.size() == 1 || all.back().value - all.front().value < kTellingDifference) {
    const std::string range =
        all.size() == 1 ? index_text(all.front().value) : "at least " + index_text(all.front().value);
    sentences.push_back(fmt::format("Busy time was shared {} (Jain {}).", how, range));
    return;
  }
  std::reverse(all.begin(), all.end());
  const Measured& best = all.front();
  const Measured& worst = all.back();
  sentences.push_back(fmt::format("Busy time was shared {} with {} (Jain {}), {} with {} ({}).", how,
                                  best.variant->name, index_text(best.value),
                                  how == "evenly" && worst.value < kEven ? "unevenly" : "less so",
                                  worst.variant->name, index_text(worst.value)));
}

// "Half of the messages arrived within 632 us with fanout and 543 us with direct; 99 % within …"
void tell_latency(const ChartSource& source, std::vector<std::string>& sentences) {
  const auto halves = measured(source, [](const ChartVariant& v) { return quantile(v, "end_to_end", 0.5); });
  if (halves.empty()) return;
  const bool several = source.variants().size() > 1;
  const auto told = [&](const Measured& each) {
    return several ? fmt::format("{} ({})", duration_text(each.value), each.variant->name)
                   : duration_text(each.value);
  };
  std::vector<std::string> half_texts;
  std::vector<std::string> tail_texts;
  for (const Measured& each : ends(halves)) {
    half_texts.push_back(told(each));
    if (const auto tail = quantile(*each.variant, "end_to_end", 0.99))
      tail_texts.push_back(told({each.variant, *tail}));
  }
  std::string sentence =
      fmt::format("Half of the messages arrived within {} of being due", joined(half_texts));
  if (!tail_texts.empty()) sentence += fmt::format("; 99 % within {}", joined(tail_texts));
  sentences.push_back(sentence + ".");
}

// What a clock started at the send would have hidden.
void tell_uncorrected(const ChartSource& source, std::vector<std::string>& sentences) {
  constexpr double kWorthTelling = 2;
  for (const ChartVariant& variant : source.variants()) {
    const auto due = quantile(variant, "end_to_end", 0.99);
    const auto sent = quantile(variant, "delivery", 0.99);
    if (!due || !sent || *due < kWorthTelling * *sent) continue;
    const std::string where = source.variants().size() > 1 ? " with " + variant.name : "";
    sentences.push_back(fmt::format(
        "Counted from the actual send, that last figure{} would read {}: such a clock does not see "
        "the wait before the send.",
        where, duration_text(sent)));
    return;
  }
}

void tell_routing(const ChartSource& source, std::vector<std::string>& sentences) {
  for (const Measured& each :
       measured(source, [](const ChartVariant& v) { return median_of(v, "/network/unroutable_share"); })) {
    if (each.value <= 0) continue;
    sentences.push_back(fmt::format("{} of what {} published was unroutable: no queue took it.",
                                    share_text(each.value),
                                    source.variants().size() > 1 ? each.variant->name : "the loads"));
    if (sentences.size() > 8) break;
  }
  if (source.any("/pipeline/completed")) return;  // told per completed submission already
  auto all = measured(source, [](const ChartVariant& v) { return median_of(v, "/network/amplification"); });
  if (all.size() < 2 || all.back().value < kTellingRatio * all.front().value) return;
  std::reverse(all.begin(), all.end());
  std::vector<std::string> texts;
  for (const Measured& each : ends(all))
    texts.push_back(fmt::format("{} with {}", ratio_text(each.value), each.variant->name));
  sentences.push_back(fmt::format("Deliveries per message published: {}.", joined(texts)));
}

// Of messages for which the broker gave no promise.
std::string untaken_sentence(double refused, double undecided) {
  const auto were = [](double count) { return count_text(count) + (count == 1 ? " was" : " were"); };
  std::string sentence = "Messages that the broker promised nothing for: ";
  if (refused > 0) sentence += were(refused) + " refused";
  if (refused > 0 && undecided > 0) sentence += ", and ";
  if (undecided > 0) sentence += were(undecided) + " neither confirmed nor refused";
  return sentence + ".";
}

void tell_losses(const ChartSource& source, std::vector<std::string>& sentences) {
  double lost = 0;
  double by_design = 0;
  double repeated = 0;
  double refused = 0;
  double undecided = 0;
  std::optional<double> corrupted;
  for (const ChartVariant& variant : source.variants()) {
    const auto missing = total(variant, "/ledger/lost");
    if (!missing) return;  // nobody can tell
    lost += *missing;
    by_design += total(variant, "/ledger/lost_by_design").value_or(0);
    repeated += total(variant, "/ledger/duplicates").value_or(0);
    refused += total(variant, "/ledger/nacked").value_or(0);
    undecided += total(variant, "/ledger/unknown").value_or(0);
    if (const auto altered = total(variant, "/ledger/corrupted"))
      corrupted = corrupted.value_or(0) + *altered;
  }
  std::string sentence =
      lost == 0 ? "No message was lost" : fmt::format("{} messages were lost", count_text(lost));
  if (lost == 1) sentence = "1 message was lost";
  if (lost > 0 && by_design == lost) sentence += ", as the declared fault or setting must have it";
  if (repeated > 0)
    sentence += fmt::format("; {} deliver{} came again", count_text(repeated), repeated == 1 ? "y" : "ies");
  if (refused + undecided > 0) sentences.push_back(untaken_sentence(refused, undecided));
  sentences.push_back(sentence + ".");
  if (!corrupted) return;
  sentences.push_back(*corrupted == 0 ? "Every body that was verified arrived as it was sent."
                                      : fmt::format("{} deliver{} had a body other than the one sent.",
                                                    count_text(*corrupted), *corrupted == 1 ? "y" : "ies"));
}

const Json& list_of(const Json& holder, std::string_view pointer) {
  static const Json kNone = Json::array();
  const Json* list = find_value(holder, pointer);
  return list != nullptr && list->is_array() ? *list : kNone;
}

std::string with_variant(const ChartSource& source, const ChartVariant& variant) {
  return source.variants().size() > 1 ? "With " + variant.name + ", " : "";
}

// "With direct-as-documented, demonstrator gets back what it publishes (assignment_exchange, key
// “correction”): 1,600 deliveries, ended by the hop limit."
void tell_loops(const ChartSource& source, std::vector<std::string>& sentences) {
  std::size_t told = 0, others = 0;
  for (const ChartVariant& variant : source.variants()) {
    const Json& loops = list_of(*variant.runs.front(), "/pipeline/loops");
    if (loops.empty()) continue;
    if (++told > 2) {
      ++others;
      continue;
    }
    const Json& loop = loops[0];
    const std::string exchange = find_text(loop, "/exchange"), key = find_text(loop, "/routing_key");
    const std::string limited = find_number(*variant.runs.front(), "/pipeline/hop_limited").value_or(0) > 0
                                    ? ", until the hop limit ended it"
                                    : "";
    std::string sentence = fmt::format("{}{} gets back what it publishes ({}{}): {} deliveries{}.",
                                       with_variant(source, variant), find_text(loop, "/role"),
                                       exchange.empty() ? "default exchange" : exchange,
                                       key.empty() ? "" : fmt::format(", key “{}”", key),
                                       count_text(find_number(loop, "/deliveries")), limited);
    sentence.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(sentence.front())));
    sentences.push_back(std::move(sentence));
  }
  if (others > 0) sentences.push_back(fmt::format("{} more variants have feedback loops.", others));
}

// "A completed submission cost 3 deliveries (routed) and 9 (fanout); nothing was completed with direct."
void tell_completion(const ChartSource& source, std::vector<std::string>& sentences) {
  std::vector<std::string> none;
  for (const ChartVariant& variant : source.variants())
    if (median_of(variant, "/pipeline/completed") == 0.0) none.push_back(variant.name);
  const auto cost = measured(
      source, [](const ChartVariant& v) { return median_of(v, "/pipeline/deliveries_per_completed"); });
  const bool differs = cost.size() > 1 && cost.back().value >= kTellingRatio * cost.front().value;
  std::string sentence;
  if (differs) {
    std::vector<std::string> texts;
    for (const Measured& each : ends(cost))
      texts.push_back(fmt::format("{} ({})", ratio_text(each.value), each.variant->name));
    sentence = fmt::format("A completed submission cost {} deliveries", joined(texts));
  }
  if (!none.empty()) {
    sentence += sentence.empty() ? "Nothing was completed" : "; nothing was completed";
    if (source.variants().size() > 1) sentence += " with " + joined(none);
  }
  if (!sentence.empty()) sentences.push_back(sentence + ".");
}

// "When worker-1_queue left 4 queues, 67.3 % of the keys moved; the least possible is 25 %, the exchange's
// way of hashing moves 66.7 %."
void tell_membership(const ChartSource& source, std::vector<std::string>& sentences) {
  for (const ChartVariant& variant : source.variants()) {
    for (const Json& change : list_of(*variant.runs.front(), "/sharding/changes")) {
      const auto moved = find_number(change, "/moved_share");
      if (!moved) continue;
      const bool join = find_text(change, "/change") == "join";
      std::string sentence = fmt::format(
          "When {} {} {} queues, {} of the keys moved: the least possible is {}", find_text(change, "/queue"),
          join ? "joined" : "left", count_text(find_number(change, "/members_before")), share_text(moved),
          share_text(find_number(change, "/ideal")));
      if (const auto formula = find_number(change, "/formula"))
        sentence += fmt::format(", this exchange's way of hashing moves {}", share_text(formula));
      if (const auto stranded = find_number(change, "/stranded"); stranded && *stranded > 0)
        sentence +=
            fmt::format("; {} keys were met by a consumer that did not know them", count_text(stranded));
      sentences.push_back(sentence + ".");
    }
  }
}

// Whether keys stayed with their queues, and how evenly they were spread.
void tell_spread(const ChartSource& source, std::vector<std::string>& sentences) {
  double strayed = 0;
  std::optional<double> least_likely;
  for (const ChartVariant& variant : source.variants()) {
    strayed += total(variant, "/sharding/affinity_violations").value_or(0);
    if (const auto p = spread(variant, "/sharding/p_value"))
      least_likely = std::min(least_likely.value_or(1), p->low);
  }
  if (!source.any("/sharding")) return;
  std::string sentence = strayed == 0 ? "Every key kept to one queue as long as the queues stayed the same"
                                      : count_text(strayed) + " keys were on more than one queue at a time";
  if (least_likely)
    sentence +=
        fmt::format("; the spread is {} (p {}{})",
                    *least_likely >= 0.01 ? "as even as chance makes it" : "less even than chance makes it",
                    source.variants().size() > 1 ? "at least " : "", index_text(least_likely));
  sentences.push_back(sentence + ".");
}

// "8 of worker were 7.4 times as fast as 1 (efficiency 0.93)."
void tell_scaling(const Json& result, std::vector<std::string>& sentences) {
  const Json* best = nullptr;
  for (const Json& group : list_of(result, "/comparison/scaling")) {
    const auto instances = [](const Json* of) {
      return of == nullptr || list_of(*of, "/variants").empty()
                 ? 0.0
                 : find_number(list_of(*of, "/variants").back(), "/instances").value_or(0);
    };
    if (instances(&group) > instances(best)) best = &group;
  }
  if (best == nullptr) return;
  const Json& fewest = list_of(*best, "/variants").front();
  const Json& most = list_of(*best, "/variants").back();
  sentences.push_back(fmt::format("{} instances of {} were {} times as fast as {} ({}, efficiency {}).",
                                  count_text(find_number(most, "/instances")), find_text(*best, "/role"),
                                  ratio_text(find_number(most, "/speed_up")),
                                  count_text(find_number(fewest, "/instances")), find_text(most, "/variant"),
                                  ratio_text(find_number(most, "/efficiency"))));
}

// What was measured, or simulated.
std::vector<std::string> told_by(const Json& result, std::vector<std::string> sentences) {
  if (sentences.empty()) sentences.emplace_back("Too little was measured to say anything in a sentence.");
  const Json* runs = find_value(result, "/runs");
  if (std::any_of(runs->begin(), runs->end(), is_simulated))
    sentences.front() = "Simulated, not measured: " + sentences.front();
  return sentences;
}

}  // namespace

std::vector<std::string> headlines_of(const Json& result) {
  const ChartSource source({&result, 1});
  std::vector<std::string> sentences;
  if (source.variants().empty()) return {"Nothing was run."};
  if (result.contains("search")) return told_by(result, search_sentences(result));
  // The most telling first: what went round or moved; what differed in time, or arrived nowhere; else how
  // long messages took.
  tell_loops(source, sentences);
  tell_membership(source, sentences);
  tell_completion(source, sentences);
  tell_spread(source, sentences);
  const std::size_t told_before = sentences.size();
  tell_makespan(source, sentences);
  const bool time_differed = sentences.size() > told_before;
  tell_scaling(result, sentences);
  if (time_differed) tell_fairness(source, sentences);
  tell_routing(source, sentences);
  tell_latency(source, sentences);
  tell_uncorrected(source, sentences);
  if (!time_differed) tell_fairness(source, sentences);
  tell_losses(source, sentences);
  return told_by(result, std::move(sentences));
}

}  // namespace brokerlab::report
