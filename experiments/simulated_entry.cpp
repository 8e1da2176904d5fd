#include "experiments/simulated_entry.h"

#include <algorithm>

namespace brokerlab {
namespace {

RoutingKey::Routes routes_of(const PlannedProcess& planned) {
  RoutingKey::Routes routes;
  for (const PlannedRoute& route : planned.routes) routes.emplace_back(route.exchange, route.routing_key);
  return routes;
}

}  // namespace

SimulatedLoad::SimulatedLoad(SimulatedWorld& world, const PlannedProcess& planned, const std::string& name,
                             const Json& assignment, const std::function<void()>& on_finished)
    : process_(planned, name, assignment),
      spec_(LoadSpec::from_json(assignment.at("spec"), assignment.at("directory").get<std::string>())) {
  const RoutingKey::Routes routes = routes_of(planned);
  std::uint16_t position = 0;
  for (const PlannedInstance& instance : planned.instances) {
    const SimulatedPublisher::Setup setup{spec_, instance, position++, routes,
                                          assignment.at("load_ns").get<Nanoseconds>()};
    publishers_.push_back(std::make_unique<SimulatedPublisher>(world, process_, setup, on_finished));
  }
}

void SimulatedLoad::start(Nanoseconds t0_ns) {
  for (const auto& publisher : publishers_) publisher->start(t0_ns);
}

void SimulatedLoad::stop(Nanoseconds now_ns) {
  for (const auto& publisher : publishers_) {
    scheduled_ += static_cast<std::int64_t>(publisher->scheduled(now_ns));
    publisher->stop();
  }
}

void SimulatedLoad::go_on() {
  for (const auto& publisher : publishers_) publisher->go_on();
}

void SimulatedLoad::close() {
  process_.recording().counters().scheduled = scheduled_;
  process_.close();
}

SimulatedRole::SimulatedRole(SimulatedWorld& world, const PlannedProcess& planned, const std::string& name,
                             const Json& assignment)
    : process_(planned, name, assignment),
      spec_(RoleSpec::from_json(assignment.at("spec"))),
      length_(spec_.effort, world.seed, spec_.role),
      routes_(assignment) {
  std::uint16_t position = 0;
  for (const PlannedInstance& instance : planned.instances) {
    const auto queue = std::find(planned.queues.begin(), planned.queues.end(), instance.queue);
    const SimulatedConsumer::Setup setup{spec_,
                                         length_,
                                         routes_,
                                         instance,
                                         position++,
                                         static_cast<std::uint16_t>(queue - planned.queues.begin()),
                                         assignment.at("directory").get<std::string>(),
                                         assignment.at("hop_limit").get<std::uint32_t>()};
    consumers_.push_back(std::make_unique<SimulatedConsumer>(world, process_, setup));
  }
}

void SimulatedRole::subscribe() {
  for (const auto& consumer : consumers_) consumer->subscribe();
}

void SimulatedRole::stop() {
  for (const auto& consumer : consumers_) consumer->stop();
}

void SimulatedRole::kill() {
  process_.kill();
  for (const auto& consumer : consumers_) consumer->crash();
}

void SimulatedRole::go_on() {
  for (const auto& consumer : consumers_) consumer->go_on();
}

std::size_t SimulatedRole::in_hand() const {
  std::size_t sum = 0;
  for (const auto& consumer : consumers_) sum += consumer->in_hand();
  return sum;
}

}  // namespace brokerlab
