#include "experiments/simulated_watch.h"

#include <algorithm>
#include <utility>

#include "broker/broker_sample.h"
#include "core/units.h"
#include "experiments/broker_watch.h"

namespace brokerlab {
namespace {

constexpr std::size_t kMostQueues = 1000;

}  // namespace

SimulatedWatch::SimulatedWatch(const PlannedRun& plan, const Topology& topology,
                               const SimulatedBroker& broker, Nanoseconds t0_ns)
    : broker_(broker), interval_ns_(BrokerWatch::interval_of(plan)), next_ns_(t0_ns + interval_ns_ / 2) {
  for (const Queue& queue : topology.queues) queues_.push_back(queue.name);
  if (!plan.experiment.at("broker").at("watch").at("enabled").get<bool>()) {
    reason_ = "broker.watch.enabled is false";
  } else if (queues_.size() > kMostQueues) {
    reason_ = "there are more than " + std::to_string(kMostQueues) + " queues";
  }
}

void SimulatedWatch::look_until(Nanoseconds at_ns) {
  if (!reason_.empty()) return;
  for (; next_ns_ <= at_ns; next_ns_ += interval_ns_) {
    BrokerSample sample;
    sample.round = static_cast<std::int64_t>(samples_.size());
    sample.source = "simulation";
    sample.at_ns = next_ns_;
    for (std::size_t i = 0; i < queues_.size(); ++i) {
      sample.queues.push_back({i, static_cast<std::int64_t>(broker_.ready(queues_[i])),
                               static_cast<std::int64_t>(broker_.unacked(queues_[i]))});
    }
    samples_.push_back(sample.to_json());
  }
}

Json SimulatedWatch::evidence() const {
  Json absent = Json::array();
  if (!reason_.empty()) {
    absent.push_back({{"figures", "all"}, {"reason", reason_}});
  } else {
    absent.push_back({{"figures", "nodes"}, {"reason", "a simulated broker has no processor and no memory"}});
  }
  return {{"interval_ns", interval_ns_},
          {"queues", queues_.size() <= kMostQueues ? Json(queues_) : Json::array()},
          {"queue_count", queues_.size()},
          {"samples", samples_},
          {"absent", std::move(absent)}};
}

}  // namespace brokerlab
