#include "analysis/scaling.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace brokerlab {
namespace {

struct Point {
  std::string variant;
  std::int64_t instances = 0;
  double makespan_ns = 0;
};

// The settings without what may differ: how many instances the role has, and over how many processes they are
// spread.
Json without_instances(Json settings, std::size_t role) {
  for (const char* text : {"description", "question"}) settings.erase(text);
  for (const char* number : {"instances", "processes", "channels_per_connection"})
    settings["roles"][role].erase(number);
  return settings;
}

Json group_json(const std::string& role, const std::vector<Point>& points) {
  Json variants = Json::array();
  const Point& base = points.front();
  for (const Point& point : points) {
    const double speed_up = base.makespan_ns / point.makespan_ns;
    const double times = static_cast<double>(point.instances) / static_cast<double>(base.instances);
    variants.push_back({{"variant", point.variant},
                        {"instances", point.instances},
                        {"makespan_ns", point.makespan_ns},
                        {"speed_up", speed_up},
                        {"efficiency", speed_up / times}});
  }
  return {{"role", role}, {"variants", std::move(variants)}};
}

}  // namespace

Json scaling_of(const Json& variants, const Json& compared) {
  std::map<std::pair<std::string, std::string>, std::vector<Point>> groups;  // (role, other settings)
  std::vector<std::pair<std::string, std::string>> order;
  for (const Json& entry : compared) {
    const std::string name = entry.at("variant").get<std::string>();
    if (!variants.is_object() || !variants.contains(name) || !entry.at("medians").contains("makespan"))
      continue;
    const Json& settings = variants.at(name);
    if (!settings.is_object() || !settings.value("roles", Json()).is_array()) continue;
    for (std::size_t i = 0; i < settings.at("roles").size(); ++i) {
      const Json& role = settings.at("roles")[i];
      if (!role.is_object()) continue;
      const std::pair key(role.value("role", ""), without_instances(settings, i).dump());
      std::vector<Point>& points = groups[key];
      if (points.empty()) order.push_back(key);
      points.push_back(
          {name, role.value("instances", std::int64_t{1}), entry.at("medians").at("makespan").get<double>()});
    }
  }
  Json json = Json::array();
  for (const auto& key : order) {
    std::vector<Point>& points = groups.at(key);
    std::stable_sort(points.begin(), points.end(),
                     [](const Point& a, const Point& b) { return a.instances < b.instances; });
    if (points.front().instances < points.back().instances) json.push_back(group_json(key.first, points));
  }
  return json;
}

}  // namespace brokerlab
