#include "experiments/network_fault.h"

#include <optional>

#include "experiments/network_paths.h"

namespace brokerlab {
namespace {

class NetworkFault final : public FaultEffect {
 public:
  NetworkFault(const PlannedFault& fault, FaultTargets& targets)
      : paths_(targets.network()), processes_(fault.processes), toxic_(toxic_from_json(fault.settings)) {
    for (const std::string& process : processes_) paths_.divert(process);
  }

  void begin() override { disturbance_.emplace(paths_, processes_, toxic_); }
  void end() override {
    if (disturbance_) disturbance_->end();
  }
  Json details() const override {
    return disturbance_ ? Json{{"connections_cut", disturbance_->cut()}} : Json::object();
  }

 private:
  NetworkPaths& paths_;
  const std::vector<std::string> processes_;
  const Toxic toxic_;
  std::optional<NetworkPaths::Disturbance> disturbance_;
};

}  // namespace

std::unique_ptr<FaultEffect> make_network_fault(const PlannedFault& fault, FaultTargets& targets) {
  if (!is_toxic(fault.kind)) return nullptr;
  return std::make_unique<NetworkFault>(fault, targets);
}

}  // namespace brokerlab
