#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "experiments/simulated_consumer.h"
#include "experiments/simulated_process.h"
#include "experiments/simulated_publisher.h"

namespace brokerlab {

// One load process of a simulated run with its publishers.
class SimulatedLoad {
 public:
  SimulatedLoad(SimulatedWorld& world, const PlannedProcess& planned, const std::string& name,
                const Json& assignment, const std::function<void()>& on_finished);

  SimulatedProcess& process() { return process_; }
  std::size_t instances() const { return publishers_.size(); }
  void start(Nanoseconds t0_ns);
  // Publishes nothing more; what was due and is not sent stays visible.
  void stop(Nanoseconds now_ns);
  void go_on();
  void close();

 private:
  SimulatedProcess process_;
  LoadSpec spec_;
  std::vector<std::unique_ptr<SimulatedPublisher>> publishers_;
  std::int64_t scheduled_ = 0;
};

// One role process of a simulated run with its consumers.
class SimulatedRole {
 public:
  SimulatedRole(SimulatedWorld& world, const PlannedProcess& planned, const std::string& name,
                const Json& assignment);

  SimulatedProcess& process() { return process_; }
  const RoleSpec& spec() const { return spec_; }
  void subscribe();
  void stop();
  void kill();
  void go_on();
  void close() { process_.close(); }
  std::size_t in_hand() const;

 private:
  SimulatedProcess process_;
  RoleSpec spec_;
  EffortLength length_;
  RouteNumbers routes_;
  std::vector<std::unique_ptr<SimulatedConsumer>> consumers_;
};

}  // namespace brokerlab
