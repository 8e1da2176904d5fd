#include "analysis/export_histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

namespace brokerlab {
namespace {

constexpr double kNanosecondsPerMillisecond = 1e6;
constexpr int kTicks = 5;  // per half distance to 100 %

double deviation_of(const Histogram& histogram, double mean) {
  double sum = 0;
  for (const Histogram::Bucket& bucket : histogram.buckets()) {
    const double distance = static_cast<double>(bucket.middle) - mean;
    sum += distance * distance * static_cast<double>(bucket.samples);
  }
  return histogram.count() == 0 ? 0 : std::sqrt(sum / static_cast<double>(histogram.count()));
}

// The step of the percentiles halves each time half of what is left to 100 % has been passed.
double next_level(double level) {
  const double ticks = kTicks * std::pow(2, std::floor(std::log2(100 / (100 - level))) + 1);
  return level + 100 / ticks;
}

std::string line(std::int64_t value, double level, std::int64_t total) {
  const double shown = static_cast<double>(value) / kNanosecondsPerMillisecond;
  if (level >= 100) return fmt::format("{:12.3f} {:2.12f} {:10d}\n", shown, 1.0, total);
  return fmt::format("{:12.3f} {:2.12f} {:10d} {:14.2f}\n", shown, level / 100, total, 1 / (1 - level / 100));
}

std::int64_t seconds_since_epoch(const std::string& iso8601) {
  std::tm parts{};
  if (strptime(iso8601.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return 0;
  return timegm(&parts);
}

std::string tag_of(const Json& run, const std::string& stream) {
  std::string tag = run.at("variant").get<std::string>() + "/" + stream;
  for (char& c : tag)
    if (c == ',' || static_cast<unsigned char>(c) <= ' ') c = '_';
  return tag;
}

double run_seconds(const Json& run) {
  double last = 0;
  for (const Json& instant : run.at("phase_ns")) last = std::max(last, instant.get<double>());
  return last / 1e9;
}

}  // namespace

std::string percentile_distribution(const Histogram& histogram) {
  std::string text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
  double level = 0;
  std::int64_t total = 0;
  for (const Histogram::Bucket& bucket : histogram.buckets()) {
    total += bucket.samples;
    const double reached = 100.0 * static_cast<double>(total) / static_cast<double>(histogram.count());
    while (reached >= level) {
      text += line(bucket.value, level, total);
      if (total == histogram.count()) {
        text += line(bucket.value, 100, total);
        break;
      }
      level = next_level(level);
    }
  }
  const double mean = histogram.mean();
  text += fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n", mean / kNanosecondsPerMillisecond,
                      deviation_of(histogram, mean) / kNanosecondsPerMillisecond);
  text += fmt::format("#[Max     = {:12.3f}, Total count    = {:12d}]\n",
                      static_cast<double>(histogram.max()) / kNanosecondsPerMillisecond, histogram.count());
  return text + fmt::format("#[Buckets = {:12d}, SubBuckets     = {:12d}]\n", 32, 2048);
}

std::string export_histogram_log(const Json& result, const Json& runs, const std::string& stream) {
  const std::string started_at = result.at("started_at");
  std::string text = "#[Histogram log format version 1.3]\n";
  text += fmt::format("#[StartTime: {}.000 (seconds since epoch), {}]\n", seconds_since_epoch(started_at),
                      started_at);
  text += "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n";
  double at = 0;
  for (const Json& run : runs) {
    const double length = run_seconds(run);
    const Json& latency = run.at("latency");
    for (auto entry = latency.begin(); entry != latency.end(); ++entry) {
      if (!entry.value().contains("hdr") || (!stream.empty() && entry.key() != stream)) continue;
      text += fmt::format("Tag={},{:.3f},{:.3f},{:.3f},{}\n", tag_of(run, entry.key()), at, length,
                          entry.value().at("max_ns").get<double>() / kNanosecondsPerMillisecond,
                          entry.value().at("hdr").get<std::string>());
    }
    at += length;
  }
  return text;
}

}  // namespace brokerlab
