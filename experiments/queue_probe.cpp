#include "experiments/queue_probe.h"

#include <algorithm>
#include <utility>

#include "broker/topology.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kAnswerLimit = 2 * kNanosecondsPerSecond;

}  // namespace

QueueProbe::QueueProbe(const PlannedRun& plan, std::string broker_uri, const std::string& prefix,
                       bool tls_insecure)
    : uri_(std::move(broker_uri)), tls_insecure_(tls_insecure) {
  for (const Queue& queue : Topology::from_json(plan.topology).with_prefix(prefix).queues) {
    queues_.push_back(queue.name);
  }
  for (const PlannedProcess& process : plan.processes) {
    if (process.kind != PlannedProcess::Kind::kRole) continue;
    for (const PlannedInstance& instance : process.instances) consumed_.insert(instance.queue.value_or(""));
  }
}

std::vector<QueueProbe::Depth> QueueProbe::look() {
  trouble_.clear();
  std::vector<Depth> depths;
  for (const std::string& name : queues_) {
    Depth depth{name, consumed_.contains(name), std::nullopt, 0};
    // One failure is enough: a dead broker must not cost the limit once per queue.
    if (trouble_.empty()) {
      try {
        if (!session_) {
          amqp::TlsOptions tls;
          tls.insecure = tls_insecure_;
          session_ = std::make_unique<amqp::Session>(amqp::Uri::parse(uri_), tls, kAnswerLimit);
        }
        if (const auto status = session_->queue(name)) {
          depth.ready = status->messages;
          depth.consumers = status->consumers;
        }
      } catch (const Error& error) {
        trouble_ = error.summary();
        session_.reset();
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

Json to_json(const std::vector<QueueProbe::Depth>& depths) {
  Json report = Json::array();
  for (const QueueProbe::Depth& depth : depths) {
    report.push_back({{"name", depth.name},
                      {"consumed", depth.consumed},
                      {"ready_at_end", depth.ready ? Json(*depth.ready) : Json(nullptr)},
                      {"unacked_at_end", nullptr},
                      {"consumers", depth.consumers}});
  }
  return report;
}

}  // namespace brokerlab
