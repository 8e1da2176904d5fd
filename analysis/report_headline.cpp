#include <fmt/format.h>

#include <algorithm>

#include "analysis/report_model.h"
#include "analysis/report_text.h"

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
    if (sentences.size() > 6) break;
  }
  auto all = measured(source, [](const ChartVariant& v) { return median_of(v, "/network/amplification"); });
  if (all.size() < 2 || all.back().value < kTellingRatio * all.front().value) return;
  std::reverse(all.begin(), all.end());
  std::vector<std::string> texts;
  for (const Measured& each : ends(all))
    texts.push_back(fmt::format("{} with {}", ratio_text(each.value), each.variant->name));
  sentences.push_back(fmt::format("Deliveries per message published: {}.", joined(texts)));
}

void tell_losses(const ChartSource& source, std::vector<std::string>& sentences) {
  double lost = 0;
  double repeated = 0;
  for (const ChartVariant& variant : source.variants()) {
    const auto missing = total(variant, "/ledger/lost");
    if (!missing) return;  // nobody can tell
    lost += *missing + total(variant, "/ledger/lost_by_design").value_or(0);
    repeated += total(variant, "/ledger/duplicates").value_or(0);
  }
  std::string sentence =
      lost == 0 ? "No message was lost" : fmt::format("{} messages were lost", count_text(lost));
  if (lost == 1) sentence = "1 message was lost";
  if (repeated > 0)
    sentence += fmt::format("; {} deliver{} came again", count_text(repeated), repeated == 1 ? "y" : "ies");
  sentences.push_back(sentence + ".");
}

}  // namespace

std::vector<std::string> headlines_of(const ChartSource& source) {
  std::vector<std::string> sentences;
  if (source.variants().empty()) return {"Nothing was run."};
  // The most telling first: what differed in time, or arrived nowhere; else how long messages took.
  tell_makespan(source, sentences);
  const bool time_differed = !sentences.empty();
  if (time_differed) tell_fairness(source, sentences);
  tell_routing(source, sentences);
  tell_latency(source, sentences);
  tell_uncorrected(source, sentences);
  if (!time_differed) tell_fairness(source, sentences);
  tell_losses(source, sentences);
  if (sentences.empty()) sentences.emplace_back("Too little was measured to say anything in a sentence.");
  return sentences;
}

}  // namespace brokerlab::report
