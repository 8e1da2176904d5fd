#include "core/profile.h"

#include <algorithm>

#include "core/error.h"
#include "core/units.h"

namespace brokerlab {

Profile Profile::from_json(const Json& steps, Distribution::NumberParser number) {
  Profile profile;
  Nanoseconds end = 0;
  for (const Json& step : steps) {
    const Nanoseconds lasts = parse_duration(step.at("for"));
    if (lasts <= 0)
      throw Error("a step of a profile lasts no time", step.dump(), "a duration above 0", ExitStatus::kUsage);
    end += lasts;
    profile.steps_.push_back({number(step.at("value")), end});
  }
  if (profile.steps_.empty())
    throw Error("a profile without a step", "", "add {\"value\": …, \"for\": …}", ExitStatus::kUsage);
  return profile;
}

double Profile::at(Nanoseconds since_start) const {
  const Nanoseconds within = std::max<Nanoseconds>(since_start, 0) % steps_.back().end_ns;
  return std::find_if(steps_.begin(), steps_.end(), [&](const Step& step) { return within < step.end_ns; })
      ->value;
}

}  // namespace brokerlab
