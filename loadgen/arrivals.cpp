#include "loadgen/arrivals.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>

#include "core/error.h"
#include "core/units.h"

namespace brokerlab {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& remedy) {
  throw Error(what, where, remedy, ExitStatus::kUsage);
}

double rate_of(const Json& arrivals, const char* key, const std::string& where) {
  const Json& value = arrivals.contains(key) ? arrivals.at(key) : Json(100);
  if (!value.is_number() || !(value.get<double>() > 0)) {
    refuse("the rate must be a number above 0", where + "." + key, "give messages per second");
  }
  return value.get<double>();
}

RampArrivals parse_ramp(const Json& arrivals, const std::string& where) {
  RampArrivals ramp{arrivals.at("from").get<double>(), arrivals.at("to").get<double>(),
                    parse_duration(arrivals.at("over"))};
  if (ramp.from_per_s < 0 || ramp.to_per_s < 0 || ramp.from_per_s + ramp.to_per_s == 0 || ramp.over_ns == 0) {
    refuse("the ramp sends nothing", where, "give a rate above 0 at one end and a duration above 0");
  }
  return ramp;
}

StepsArrivals parse_steps(const Json& arrivals) {
  StepsArrivals steps;
  for (const Json& step : arrivals.at("steps")) {
    steps.steps.push_back({step.at("rate").get<double>(), parse_duration(step.at("for"))});
  }
  return steps;
}

Nanoseconds nanoseconds_of(double seconds, const std::string& where) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e9) {
    refuse("a time to replay must be a number of seconds from 0 up", where, "");
  }
  return std::llround(seconds * 1e9);
}

std::vector<Nanoseconds> read_times(const std::filesystem::path& path, const std::string& where) {
  std::ifstream file(path);
  if (!file) {
    refuse("cannot read the times to replay", where + ", " + path.string(),
           "name a readable file of numbers, one a line");
  }
  std::vector<Nanoseconds> times;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) {
      continue;
    }
    const auto last = line.find_last_not_of(" \t\r") + 1;
    const std::string here = path.string() + ":" + std::to_string(number);
    double seconds = 0;
    const auto [end, error] = std::from_chars(line.data() + first, line.data() + last, seconds);
    if (error != std::errc() || end != line.data() + last) {
      refuse("expected a number of seconds, got \"" + line.substr(first, 40) + "\"", here,
             "one number a line");
    }
    times.push_back(nanoseconds_of(seconds, here));
  }
  return times;
}

ReplayArrivals parse_replay(const Json& arrivals, const std::filesystem::path& directory,
                            const std::string& where) {
  std::vector<Nanoseconds> times;
  if (arrivals.contains("times") == arrivals.contains("file")) {
    refuse("replay needs either times or a file", where, "give one of \"times\" and \"file\"");
  }
  if (arrivals.contains("file")) {
    times = read_times(directory / arrivals.at("file").get<std::string>(), where + ".file");
  } else {
    for (const Json& time : arrivals.at("times")) {
      times.push_back(nanoseconds_of(time.get<double>(), where + ".times"));
    }
  }
  if (const auto fall = std::is_sorted_until(times.begin(), times.end()); fall != times.end()) {
    refuse("the times to replay fall at entry " + std::to_string(fall - times.begin() + 1), where,
           "sort them");
  }
  return {std::make_shared<const std::vector<Nanoseconds>>(std::move(times))};
}

RenewalArrivals parse_renewal(const Json& arrivals, const std::string& where) {
  std::shared_ptr<const Distribution> gap = Distribution::from_json(arrivals.at("gap"), number_of_seconds);
  if (!(gap->mean() > 0)) {
    refuse("the mean gap between messages is 0", where + ".gap",
           "give a duration above 0, or use \"closed\"");
  }
  return {std::move(gap)};
}

ClosedArrivals parse_closed(const Json& arrivals) {
  return {arrivals.value("outstanding", 1U),
          arrivals.contains("think") ? parse_duration(arrivals.at("think")) : 0};
}

BurstArrivals parse_burst(const Json& arrivals, const std::string& where) {
  const BurstArrivals burst{arrivals.at("size").get<std::uint64_t>(), parse_duration(arrivals.at("every"))};
  if (burst.size == 0 || burst.every_ns == 0) {
    refuse("bursts need a size and an interval above 0", where, "for one burst use \"stop\": {\"count\": …}");
  }
  return burst;
}

}  // namespace

Arrivals parse_arrivals(const Json& arrivals, const std::filesystem::path& directory,
                        const std::string& where) {
  const std::string process = arrivals.value("process", "");
  if (process == "constant") return ConstantArrivals{rate_of(arrivals, "rate", where)};
  if (process == "poisson") return PoissonArrivals{rate_of(arrivals, "rate", where)};
  if (process == "ramp") return parse_ramp(arrivals, where);
  if (process == "steps") return parse_steps(arrivals);
  if (process == "burst") return parse_burst(arrivals, where);
  if (process == "renewal") return parse_renewal(arrivals, where);
  if (process == "replay") return parse_replay(arrivals, directory, where);
  if (process == "closed") return parse_closed(arrivals);
  refuse("unknown arrival process \"" + process + "\"", where + ".process",
         "use constant, poisson, ramp, steps, burst, renewal, replay or closed");
}

}  // namespace brokerlab
