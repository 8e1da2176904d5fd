#include "experiments/queue_probe.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kAnswerLimit = 2 * kNanosecondsPerSecond;

}  // namespace

QueueProbe::QueueProbe(const PlannedRun& plan, std::vector<std::string> broker_uris,
                       const std::string& prefix, bool tls_insecure)
    : uris_(std::move(broker_uris)), tls_insecure_(tls_insecure) {
  for (const Queue& queue : Topology::from_json(plan.topology).with_prefix(prefix).queues) {
    queues_.push_back(queue);
  }
  for (const PlannedProcess& process : plan.processes) {
    if (process.kind != PlannedProcess::Kind::kRole) continue;
    for (const PlannedInstance& instance : process.instances) consumed_.insert(instance.queue);
  }
}

std::vector<QueueProbe::Depth> QueueProbe::look() {
  trouble_.clear();
  std::vector<Depth> depths;
  for (const Queue& queue : queues_) {
    Depth depth{queue, consumed_.contains(queue.name), std::nullopt};
    // One failure is enough: a dead broker must not cost the limit once per queue.
    if (trouble_.empty()) {
      try {
        if (!session_) {
          amqp::TlsOptions tls;
          tls.insecure = tls_insecure_;
          session_ = std::make_unique<amqp::Session>(amqp::Uri::parse(uris_.front()), tls, kAnswerLimit);
        }
        if (const auto status = session_->queue(queue.name)) depth.ready = status->messages;
      } catch (const Error& error) {
        trouble_ = error.summary();
        session_.reset();
        std::rotate(uris_.begin(), uris_.begin() + 1, uris_.end());
      }
    }
    depths.push_back(std::move(depth));
  }
  return depths;
}

bool empty(const std::vector<QueueProbe::Depth>& depths) {
  return std::all_of(depths.begin(), depths.end(),
                     [](const QueueProbe::Depth& depth) { return !depth.consumed || depth.ready == 0U; });
}

Json to_json(const std::vector<QueueProbe::Depth>& before, const std::vector<QueueProbe::Depth>& after) {
  const auto ready = [](const QueueProbe::Depth& depth) {
    return depth.ready ? Json(*depth.ready) : Json(nullptr);
  };
  Json report = Json::array();
  for (std::size_t i = 0; i < after.size(); ++i) {
    const QueueProbe::Depth& depth = after[i];
    report.push_back({{"name", depth.queue.name},
                      {"durable", depth.queue.durable},
                      {"arguments", depth.queue.arguments},
                      {"consumed", depth.consumed},
                      {"ready_at_start", ready(before[i])},
                      {"ready_at_end", ready(depth)},
                      {"unacked_at_end", nullptr}});
  }
  return report;
}

}  // namespace brokerlab
