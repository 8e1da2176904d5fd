#include "analysis/fairness.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace brokerlab {

std::optional<FairnessIndices> FairnessIndices::of(std::span<const double> shares) {
  const std::size_t n = shares.size();
  if (n < 2) return std::nullopt;
  std::vector<double> sorted(shares.begin(), shares.end());
  std::sort(sorted.begin(), sorted.end());
  double sum = 0, squares = 0, weighted = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += sorted[i];
    squares += sorted[i] * sorted[i];
    weighted += (2.0 * static_cast<double>(i + 1) - static_cast<double>(n) - 1.0) * sorted[i];
  }
  if (sum <= 0) return std::nullopt;
  const double count = static_cast<double>(n), mean = sum / count;
  double deviation = 0;
  for (const double share : sorted) deviation += (share - mean) * (share - mean);

  FairnessIndices indices;
  indices.jain = std::min(1.0, sum * sum / (count * squares));
  indices.gini = std::clamp(weighted / (count * sum), 0.0, 1.0);
  indices.cv = std::sqrt(deviation / count) / mean;
  if (sorted.front() > 0) indices.max_min_ratio = sorted.back() / sorted.front();
  return indices;
}

Json FairnessIndices::to_json() const {
  return {{"jain", jain},
          {"gini", gini},
          {"cv", cv},
          {"max_min_ratio", max_min_ratio ? Json(*max_min_ratio) : Json(nullptr)}};
}

namespace {

Json group_json(const std::vector<const ConsumerShare*>& group) {
  std::vector<double> messages, bytes, busy;
  for (const ConsumerShare* consumer : group) {
    if (!consumer->alive) continue;
    messages.push_back(static_cast<double>(consumer->messages));
    bytes.push_back(static_cast<double>(consumer->bytes));
    busy.push_back(static_cast<double>(consumer->busy_ns));
  }
  Json json = Json::object();
  if (const auto indices = FairnessIndices::of(messages)) json["by_messages"] = indices->to_json();
  if (const auto indices = FairnessIndices::of(bytes)) json["by_bytes"] = indices->to_json();
  if (const auto indices = FairnessIndices::of(busy)) json["by_busy_time"] = indices->to_json();
  return json;
}

Json consumer_json(const ConsumerShare& consumer) {
  Json json = {{"role", consumer.role},         {"instance", consumer.instance},
               {"name", consumer.name},         {"queue", consumer.queue},
               {"alive", consumer.alive},       {"received", consumer.received},
               {"messages", consumer.messages}, {"bytes", consumer.bytes}};
  json["busy_ns"] = consumer.busy_ns;
  if (consumer.present_ns)
    json["idle_ns"] = std::max<Nanoseconds>(0, *consumer.present_ns - consumer.busy_ns);
  return json;
}

}  // namespace

Json fairness_json(const std::vector<ConsumerShare>& consumers) {
  std::map<std::string, std::vector<const ConsumerShare*>> roles, queues;
  Json list = Json::array();
  for (const ConsumerShare& consumer : consumers) {
    roles[consumer.role].push_back(&consumer);
    queues[consumer.queue].push_back(&consumer);
    list.push_back(consumer_json(consumer));
  }
  Json by_role = Json::object(), by_queue = Json::object(), only = Json::object();
  std::size_t shared_roles = 0;
  for (const auto& [role, group] : roles) {
    if (group.size() < 2) continue;
    ++shared_roles;
    Json indices = group_json(group);
    only = indices;
    if (!indices.empty()) by_role[role] = std::move(indices);
  }
  for (const auto& [queue, group] : queues) {
    Json indices = group.size() < 2 ? Json::object() : group_json(group);
    if (!indices.empty()) by_queue[queue] = std::move(indices);
  }
  Json json = shared_roles == 1 ? std::move(only) : Json::object();
  if (!by_role.empty()) json["by_role"] = std::move(by_role);
  if (!by_queue.empty()) json["by_queue"] = std::move(by_queue);
  json["consumers"] = std::move(list);
  return json;
}

}  // namespace brokerlab
