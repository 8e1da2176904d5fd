#include "experiments/findings.h"

#include <algorithm>

namespace brokerlab {

void Findings::error(const JsonPointer& at, std::string what, std::string remedy) {
  findings_.push_back({at, std::move(what), std::move(remedy), ""});
}

void Findings::warning(const JsonPointer& at, std::string what, std::string remedy, std::string flag) {
  findings_.push_back({at, std::move(what), std::move(remedy), std::move(flag)});
}

bool Findings::clean(const JsonPointer& at) const {
  const std::string prefix = at.to_string();
  return std::none_of(findings_.begin(), findings_.end(), [&](const Finding& finding) {
    const std::string place = finding.at.to_string();
    const bool below =
        place.starts_with(prefix) && (place.size() == prefix.size() || place[prefix.size()] == '/');
    return finding.warning.empty() && below;
  });
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  const std::string nearest = nearest_word(word, known);
  if (!nearest.empty()) return "did you mean \"" + nearest + "\"?";
  constexpr std::size_t kMostListed = 20;
  std::string list;
  for (std::size_t i = 0; i < known.size() && i < kMostListed; ++i) list += (i > 0 ? ", " : "") + known[i];
  if (known.size() > kMostListed) list += ", …";
  return list.empty() ? "" : "known here: " + list;
}

}  // namespace brokerlab
