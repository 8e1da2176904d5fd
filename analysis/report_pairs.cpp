#include "analysis/report_model.h"
#include "analysis/report_text.h"

namespace brokerlab::report {
namespace {

constexpr std::size_t kMostOfSentence = 600;

Cell verdict_cell(const Json& pair) {
  const std::string verdict = find_text(pair, "/verdict");
  if (verdict == "inconclusive") return {verdict, Tone::kMuted};
  if (find_value(pair, "/untrusted") != nullptr) return {verdict, Tone::kMuted, "not to be trusted"};
  const Json* worse = find_value(pair, "/worse");
  if (worse == nullptr || !worse->is_boolean()) return {verdict};
  return worse->get<bool>() ? Cell{"worse", Tone::kBad} : Cell{"better", Tone::kGood};
}

}  // namespace

Table pairs_table(const Json& result) {
  Table table{"What differs, and what does not",
              "Repetition by repetition, so that what changes with time is not taken for a difference. "
              "Called better or "
              "worse is only what chance alone would show in fewer than one of twenty experiments like this.",
              {{"variant", false}, {"figure", false}, {"", false}, {"in words", false}},
              {}};
  if (const std::string aa = find_text(result, "/comparison/aa/sentence", kMostOfSentence); !aa.empty())
    table.note += " A/A: " + aa;
  const Json* pairs = find_value(result, "/comparison/pairs");
  for (const Json& pair : pairs != nullptr && pairs->is_array() ? *pairs : Json::array()) {
    // A single repetition says nothing about differences, and flags say that already.
    // What is zero everywhere is no news either.
    const bool exact = find_value(pair, "/exact") != nullptr;
    if (exact ? find_value(pair, "/worse") == nullptr
              : find_number(pair, "/trials").value_or(0) < 2 || find_value(pair, "/p") == nullptr)
      continue;
    table.rows.push_back({{find_text(pair, "/variant")},
                          {find_text(pair, "/metric")},
                          verdict_cell(pair),
                          {find_text(pair, "/sentence", kMostOfSentence)}});
  }
  return table;
}

}  // namespace brokerlab::report
