#include "analysis/broker_series.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace brokerlab {
namespace {

constexpr std::size_t kMostQueuesDrawn = 5;

struct Gauge {
  const char* figure;
  bool largest;  // else the mean
};
constexpr std::array<Gauge, 9> kGauges = {{{"resident_bytes", false},
                                           {"memory_bytes", false},
                                           {"memory_alarm", true},
                                           {"disk_alarm", true},
                                           {"connections", false},
                                           {"connections_in_flow", true},
                                           {"connections_blocked", true},
                                           {"channels", false},
                                           {"channels_in_flow", true}}};

// Samples put into intervals; weighted by `weight`.
class Bins {
 public:
  Bins(Nanoseconds t0, Nanoseconds interval, std::size_t points)
      : t0_(t0), interval_(interval), sums_(points), weights_(points), largest_(points) {}

  void add(Nanoseconds at, double value, double weight = 1) {
    if (at < t0_) return;
    const auto bin = static_cast<std::size_t>((at - t0_) / interval_);
    if (bin >= sums_.size()) return;
    largest_[bin] = weights_[bin] > 0 ? std::max(largest_[bin], value) : value;
    sums_[bin] += value * weight;
    weights_[bin] += weight;
  }

  // A mean over a time that may reach over several intervals.
  void add(Nanoseconds from, Nanoseconds to, double value) {
    for (Nanoseconds at = std::max(from, t0_); at < to;) {
      const Nanoseconds end = std::min(to, t0_ + ((at - t0_) / interval_ + 1) * interval_);
      add(at, value, static_cast<double>(end - at));
      at = end;
    }
  }

  std::vector<std::optional<double>> values(bool largest) const {
    std::vector<std::optional<double>> all(sums_.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      if (weights_[i] > 0) all[i] = largest ? largest_[i] : sums_[i] / weights_[i];
    return all;
  }

 private:
  Nanoseconds t0_, interval_;
  std::vector<double> sums_, weights_, largest_;
};

using Points = std::vector<std::optional<double>>;

bool any(const Points& points) {
  return std::any_of(points.begin(), points.end(), [](const auto& point) { return point.has_value(); });
}

// Where one of them has no value the sum has none either.
void add_to(Points& sum, const Points& points) {
  for (std::size_t i = 0; i < sum.size(); ++i)
    sum[i] = sum[i] && points[i] ? std::optional(*sum[i] + *points[i]) : std::nullopt;
}

Json to_json(const Points& points) {
  Json json = Json::array();
  for (const auto& point : points) {
    if (!point) {
      json.push_back(nullptr);
    } else if (*point == std::floor(*point)) {
      json.push_back(static_cast<std::int64_t>(*point));
    } else {
      json.push_back(*point);
    }
  }
  return json;
}

class SeriesOf {
 public:
  SeriesOf(const BrokerAccount& account, const BrokerSeriesAxis& axis) : account_(account), axis_(axis) {
    // Samples are taken in the middle of intervals of their own, counted from the run's start.
    const Nanoseconds times =
        std::max<Nanoseconds>(1, (axis.sampling_ns + axis.interval_ns - 1) / axis.interval_ns);
    interval_ = times * axis.interval_ns;
    points_ = static_cast<std::size_t>(axis.span_ns / interval_) + 1;
  }

  Json json() {
    Json json = {{"interval_ns", interval_}};
    add_depths(json);
    add_nodes(json);
    return json.size() > 1 ? json : Json();
  }

 private:
  Bins bins() const { return {axis_.t0_ns, interval_, points_}; }

  void add_depths(Json& json) const {
    Bins ready = bins(), unacked = bins();
    std::map<std::size_t, std::pair<Bins, Bins>> queues;
    std::map<std::size_t, std::int64_t> deepest;
    for (const BrokerAccount::Depth& depth : account_.depths()) {
      if (depth.ready) ready.add(depth.at_ns, static_cast<double>(*depth.ready));
      if (depth.unacked) unacked.add(depth.at_ns, static_cast<double>(*depth.unacked));
      for (const auto& [index, figures] : depth.queues) {
        auto& [queue_ready, queue_unacked] = queues.try_emplace(index, bins(), bins()).first->second;
        queue_ready.add(depth.at_ns, static_cast<double>(figures.first));
        queue_unacked.add(depth.at_ns, static_cast<double>(figures.second));
        deepest[index] = std::max(deepest[index], figures.first + figures.second);
      }
    }
    if (const Points points = ready.values(false); any(points)) json["ready"] = to_json(points);
    if (const Points points = unacked.values(false); any(points)) json["unacked"] = to_json(points);
    if (queues.size() < 2) return;
    std::vector<std::pair<std::size_t, std::int64_t>> order(deepest.begin(), deepest.end());
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    for (const auto& [index, most] : order) {
      if (json["queues"].size() == kMostQueuesDrawn || index >= axis_.queues.size()) break;
      const auto& [queue_ready, queue_unacked] = queues.at(index);
      json["queues"].push_back({{"name", axis_.queues[index]},
                                {"ready", to_json(queue_ready.values(false))},
                                {"unacked", to_json(queue_unacked.values(false))}});
    }
  }

  Points cpu(const BrokerAccount::Node& node) const {
    Bins cores = bins();
    for (const BrokerAccount::CpuSpan& span : node.cpu) cores.add(span.from_ns, span.to_ns, span.cores());
    return cores.values(false);
  }

  Points gauge(const BrokerAccount::Node& node, const Gauge& gauge) const {
    Bins values = bins();
    if (const auto found = node.values.find(gauge.figure); found != node.values.end())
      for (const auto& value : found->second) values.add(value.at_ns, value.value);
    return values.values(gauge.largest);
  }

  void add_nodes(Json& json) const {
    std::map<std::string, Points> sums;
    Json list = Json::array();
    const auto take = [&](Json& one, const char* figure, const Points& points) {
      const auto [sum, first] = sums.try_emplace(figure, points);
      if (!first) add_to(sum->second, points);
      if (any(points)) one[figure] = to_json(points);
    };
    for (const BrokerAccount::Node& node : account_.nodes()) {
      Json one = {{"name", node.name}};
      take(one, "cpu_cores", cpu(node));
      for (const Gauge& each : kGauges) take(one, each.figure, gauge(node, each));
      list.push_back(std::move(one));
    }
    for (const auto& [figure, points] : sums)
      if (any(points)) json[figure] = to_json(points);
    if (list.size() > 1) json["nodes"] = std::move(list);
  }

  const BrokerAccount& account_;
  const BrokerSeriesAxis& axis_;
  Nanoseconds interval_ = 0;
  std::size_t points_ = 0;
};

}  // namespace

Json broker_series(const BrokerAccount& account, const BrokerSeriesAxis& axis) {
  return SeriesOf(account, axis).json();
}

}  // namespace brokerlab
