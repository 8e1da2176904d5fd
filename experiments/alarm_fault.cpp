#include "experiments/alarm_fault.h"

#include <fmt/format.h>

#include "core/error.h"
#include "experiments/broker_fault.h"
#include "experiments/node_orders.h"

namespace brokerlab {
namespace {

// The calls that `rabbitmqctl set_vm_memory_high_watermark` and `set_disk_free_limit` make; the limit a node
// was booted with stays in its application environment.
struct Alarm {
  const char* resource;
  const char* set;      // with the limit as its argument
  const char* too_low;  // a limit that is passed at once
  const char* setting;  // of the application rabbit
};
constexpr Alarm kMemory{"memory", "vm_memory_monitor:set_vm_memory_high_watermark", "{absolute, 1000000}",
                        "vm_memory_high_watermark"};
constexpr Alarm kDisk{"disk", "rabbit_disk_monitor:set_disk_free_limit", "9000000000000000",
                      "disk_free_limit"};

class AlarmFault final : public FaultEffect {
 public:
  AlarmFault(const PlannedFault& fault, FaultTargets& targets, const Alarm& alarm)
      : nodes_(nodes_hit(fault, targets)),
        broker_(*targets.private_broker()),
        alarm_(alarm),
        orders_(broker_.control()) {}

  void begin() override {
    for (const std::size_t node : nodes_) {
      orders_.tell(node, fmt::format("{}({}), {}.", alarm_.set, alarm_.too_low, raised()));
    }
    raised_ = true;
  }
  bool in_force() override { return all("true", "the alarm did not go off"); }

  void end() override {
    if (!std::exchange(raised_, false)) return;
    orders_.clear();
    for (const std::size_t node : nodes_) {
      orders_.tell(node, fmt::format("{{ok, Limit}} = application:get_env(rabbit, {}), {}(Limit), {}.",
                                     alarm_.setting, alarm_.set, raised()));
    }
  }
  bool settled() override { return raised_ || all("false", "the alarm stays"); }

  Json details() const override {
    Json names = Json::array();
    for (const std::size_t node : nodes_) names.push_back(broker_.nodes().at(node).name);
    return {{"nodes", std::move(names)}};
  }

 private:
  std::string raised() const {
    return fmt::format("lists:member({{{{resource_limit, {}, node()}}, []}}, rabbit_alarm:get_alarms())",
                       alarm_.resource);
  }
  bool all(const std::string& wanted, const char* otherwise) {
    if (!orders_.answered()) return false;
    for (const std::string& answer : orders_.answers()) {
      if (answer != wanted) throw Error(otherwise, alarm_.resource, "see the node's log");
    }
    return true;
  }

  const std::vector<std::size_t> nodes_;
  PrivateBroker& broker_;
  const Alarm& alarm_;
  NodeOrders orders_;
  bool raised_ = false;
};

}  // namespace

std::unique_ptr<FaultEffect> make_alarm_fault(const PlannedFault& fault, FaultTargets& targets) {
  if (fault.kind == "memory-alarm") return std::make_unique<AlarmFault>(fault, targets, kMemory);
  if (fault.kind == "disk-alarm") return std::make_unique<AlarmFault>(fault, targets, kDisk);
  return nullptr;
}

}  // namespace brokerlab
