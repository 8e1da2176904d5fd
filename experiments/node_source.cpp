#include "experiments/node_source.h"

#include <algorithm>

#include "broker/node_reading.h"
#include "broker/process_usage.h"
#include "core/error.h"

namespace brokerlab {
namespace {

// A node that is paused or drowned answers late or never; it is asked anew after this.
constexpr Nanoseconds kPatience = 5 * kNanosecondsPerSecond;
constexpr Nanoseconds kLastLookLimit = 2 * kNanosecondsPerSecond;
constexpr std::size_t kMostAtTheEnd = 1000;  // queues

}  // namespace

NodeSource::NodeSource(PrivateBroker& broker, std::string vhost, std::vector<std::string> queues,
                       const Clock& clock)
    : broker_(broker),
      vhost_(std::move(vhost)),
      queues_(std::move(queues)),
      question_(NodeReading::question(vhost_, queues_)),
      clock_(clock),
      asked_(broker.nodes().size()) {
  try {
    control_ = &broker_.control();
  } catch (const Error& error) {
    for (const char* figures : {"queues", "nodes"}) given_up_[figures] = error.summary();
  }
}

BrokerSample NodeSource::failure(std::size_t node, std::int64_t round, std::string why) const {
  BrokerSample sample;
  sample.round = round;
  sample.source = "node";
  sample.node = broker_.nodes()[node].name;
  sample.at_ns = clock_.now();
  sample.failed = std::move(why);
  return sample;
}

BrokerSample NodeSource::process_sample(std::size_t node, std::int64_t round) {
  BrokerSample sample;
  sample.round = round;
  sample.source = "process";
  sample.node = broker_.nodes()[node].name;
  sample.at_ns = clock_.now();
  const pid_t pid = broker_.running(node) ? broker_.nodes()[node].pid : -1;
  if (const auto usage = ProcessUsage::of(pid)) {
    sample.pid = pid;
    sample.cpu_ns = usage->cpu_ns;
    sample.resident_bytes = usage->resident_bytes;
  } else {
    sample.failed = "the node is not running";
  }
  sample.within_ns = clock_.now() - sample.at_ns;
  return sample;
}

void NodeSource::ask_node(std::size_t node, std::int64_t round) {
  if (control_ == nullptr) return;
  auto& asked = asked_[node];
  const Nanoseconds now = clock_.now();
  if (asked && now - asked->at_ns < kPatience) {
    ready_.push_back(failure(node, round, "the node has not answered yet"));
    return;
  }
  try {
    asked = Asked{control_->ask(node, question_), round, now};
  } catch (const Error& error) {
    ready_.push_back(failure(node, round, error.summary()));
  }
}

void NodeSource::ask(std::int64_t round) {
  for (std::size_t node = 0; node < asked_.size(); ++node) {
    BrokerSample process = process_sample(node, round);
    const bool runs = process.failed.empty();
    ready_.push_back(std::move(process));
    if (runs) {
      ask_node(node, round);
    } else if (control_ != nullptr) {
      asked_[node].reset();  // what it owed is void
      ready_.push_back(failure(node, round, "the node is not running"));
    }
  }
}

std::vector<BrokerSample> NodeSource::take() {
  for (std::size_t node = 0; node < asked_.size(); ++node) {
    if (!asked_[node]) continue;
    const Asked asked = *asked_[node];
    try {
      const auto answer = control_->answer(asked.ticket);
      if (!answer) continue;
      BrokerSample sample = NodeReading::sample(*answer, asked.at_ns, clock_.now());
      sample.round = asked.round;
      sample.node = broker_.nodes()[node].name;
      ready_.push_back(std::move(sample));
    } catch (const Error& error) {
      ready_.push_back(failure(node, asked.round, error.summary()));
    }
    asked_[node].reset();
  }
  return std::exchange(ready_, {});
}

bool NodeSource::waiting() const {
  return std::any_of(asked_.begin(), asked_.end(), [](const auto& asked) { return asked.has_value(); });
}

std::vector<BrokerSample> NodeSource::last_look() {
  std::vector<BrokerSample> samples;
  if (control_ == nullptr || queues_.size() > kMostAtTheEnd) return samples;
  const Nanoseconds end = clock_.now() + kLastLookLimit;
  for (std::size_t node = 0; node < asked_.size(); ++node) {
    if (!broker_.running(node)) continue;
    for (std::size_t first = 0; first < queues_.size(); first += NodeReading::kMostAsked) {
      const auto from = queues_.begin() + static_cast<std::ptrdiff_t>(first);
      const auto to = queues_.begin() +
                      static_cast<std::ptrdiff_t>(std::min(first + NodeReading::kMostAsked, queues_.size()));
      const Nanoseconds asked_ns = clock_.now();
      try {
        const std::string answer =
            control_->wait(node, NodeReading::question(vhost_, {from, to}), clock_, end - asked_ns);
        BrokerSample sample = NodeReading::sample(answer, asked_ns, clock_.now());
        for (BrokerSample::Queue& queue : sample.queues) queue.index += first;
        samples.push_back(std::move(sample));
      } catch (const Error&) {
        return {};  // then it is not known
      }
    }
  }
  return samples;
}

}  // namespace brokerlab
