#include <fmt/format.h>

#include <algorithm>

#include "analysis/report_model.h"
#include "analysis/report_text.h"
#include "analysis/search_text.h"

namespace brokerlab::report {
namespace {

int badness(const std::string& state) { return state == "fail" ? 2 : state == "unmeasured" ? 1 : 0; }

std::string in_unit(double value, const std::string& unit) {
  if (unit == "ns") return duration_text(value);
  if (unit == "share") return share_text(value);
  if (unit == "bytes") return bytes_text(value);
  const bool one = value == 1 && unit.size() > 1 && unit.back() == 's';
  return count_text(value) + " " + (one ? unit.substr(0, unit.size() - 1) : unit);
}

std::string threshold_text(const Json& flag) {
  const auto threshold = find_number(flag, "/threshold");
  if (!threshold) return "";
  const bool above = find_text(flag, "/fails") != "below";
  return (above ? "at most " : "at least ") + in_unit(*threshold, find_text(flag, "/unit"));
}

// Further beyond the threshold is worse.
bool worse(const Json& flag, double value, std::optional<double> than) {
  if (!than) return true;
  return find_text(flag, "/fails") == "below" ? value < *than : value > *than;
}

struct Gathered {
  Flag flag;
  std::optional<double> value;
};

void take(Gathered& gathered, const Json& flag, const std::string& variant, bool several) {
  const std::string state = find_text(flag, "/state");
  if (badness(state) > badness(gathered.flag.state)) {
    gathered = {{gathered.flag.name, state, gathered.flag.reason, "", "", gathered.flag.fatal, {}}, {}};
  }
  if (state != gathered.flag.state) return;
  auto& variants = gathered.flag.variants;
  if (std::find(variants.begin(), variants.end(), variant) == variants.end()) variants.push_back(variant);
  const auto value = find_number(flag, "/value");
  if (value && worse(flag, *value, gathered.value)) {
    gathered.value = value;
    gathered.flag.value = in_unit(*value, find_text(flag, "/unit"));
  }
  gathered.flag.threshold = threshold_text(flag);
  if (const std::string detail = find_text(flag, "/detail", 1000); !detail.empty() && state == "fail") {
    const std::string where = several ? variant + ": " : "";
    gathered.flag.reason = find_text(flag, "/reason") + " (" + where + detail + ")";
  }
}

}  // namespace

std::vector<Flag> flags_of(const Json& result) {
  std::vector<Gathered> all;
  std::vector<std::string> variants;
  const bool several = ChartSource({&result, 1}).variants().size() > 1;
  for (const Json* run : telling_runs(result)) {
    const std::string variant = find_text(*run, "/variant");
    if (std::find(variants.begin(), variants.end(), variant) == variants.end()) variants.push_back(variant);
    const Json* flags = find_value(*run, "/flags");
    for (const Json& flag : flags != nullptr && flags->is_array() ? *flags : Json::array()) {
      const std::string name = find_text(flag, "/name");
      auto place =
          std::find_if(all.begin(), all.end(), [&](const Gathered& each) { return each.flag.name == name; });
      if (place == all.end()) {
        const Json* fatal = find_value(flag, "/fatal");
        const bool is_fatal = fatal != nullptr && fatal->is_boolean() && fatal->get<bool>();
        all.push_back(
            {{name, find_text(flag, "/state"), find_text(flag, "/reason"), "", "", is_fatal, {}}, {}});
        place = all.end() - 1;
      }
      take(*place, flag, variant, several);
    }
  }
  std::vector<Flag> flags;
  for (Gathered& each : all) {
    if (each.flag.variants.size() == variants.size()) each.flag.variants.clear();
    flags.push_back(std::move(each.flag));
  }
  std::stable_sort(flags.begin(), flags.end(), [](const Flag& a, const Flag& b) {
    return badness(a.state) * 2 + a.fatal > badness(b.state) * 2 + b.fatal;
  });
  return flags;
}

}  // namespace brokerlab::report
