#include "analysis/search_verdict.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

namespace brokerlab {

Verdict judge_search(const Json& runs, const Json& search) {
  std::set<std::pair<std::string, int>> beyond;  // trials of which a full drain is not to be expected
  for (const Json& variant : search.at("variants")) {
    for (const Json& trial : variant.at("trials")) {
      if (trial.at("outcome") == "sustained") continue;
      beyond.emplace(trial.at("variant").get<std::string>(), trial.at("repetition").get<int>());
    }
  }
  Json telling = Json::array();
  for (const Json& run : runs) {
    const bool is_beyond =
        beyond.contains({run.at("variant").get<std::string>(), run.at("repetition").get<int>()});
    if (!is_beyond || run.at("verdict").at("status") == "invalid") telling.push_back(run);
  }
  Verdict verdict = telling.empty() && !runs.empty() ? Verdict{} : judge_all(telling);
  for (const Json& variant : search.at("variants")) {
    if (variant.at("outcome") != "undecided") continue;
    verdict.worsen(VerdictStatus::kUnknown,
                   fmt::format("{}: not even of the lowest rate could it be told whether it is sustained",
                               variant.at("variant").get<std::string>()));
  }
  return verdict;
}

}  // namespace brokerlab
