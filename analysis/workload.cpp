#include "analysis/workload.h"

#include <algorithm>
#include <set>

namespace brokerlab {

Workload::Workload(const RecordedRun& run, const RunAccounts& accounts)
    : run_(run), accounts_(accounts), roles_(run.roles().size()) {
  count_workers();
  const bool any =
      std::any_of(roles_.begin(), roles_.end(), [](const Role& role) { return role.workers > 0; });
  if (!any) return;
  run.each_delivery([&](std::uint32_t consumer, std::uint32_t, const DeliveryRecord& record) {
    if (!run.consumers()[consumer].works || record.started_ns == 0 || record.done_ns == 0) return;
    Role& role = roles_[run.consumers()[consumer].role];
    const Nanoseconds service = std::max<Nanoseconds>(0, record.done_ns - record.started_ns);
    ++role.tasks;
    role.service += service;
    role.longest = std::max(role.longest, service);
  });
}

// A worker that was killed and started again is one worker, and its idle time that of both lives.
void Workload::count_workers() {
  std::set<std::pair<std::uint32_t, std::uint32_t>> counted;
  const std::vector<ConsumerShare> shares = accounts_.shares();
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const RecordedConsumer& consumer = run_.consumers()[i];
    if (!consumer.works) continue;
    Role& role = roles_[consumer.role];
    role.workers += counted.insert({consumer.role, consumer.instance}).second;
    role.busy += shares[i].busy_ns;
    role.present += std::max(shares[i].present_ns.value_or(0), shares[i].busy_ns);
  }
}

Json Workload::to_json() const {
  Json json = Json::array();
  for (std::size_t i = 0; i < roles_.size(); ++i) {
    const Role& role = roles_[i];
    if (role.tasks == 0) continue;
    const Nanoseconds shared = (role.service + role.workers - 1) / role.workers;
    json.push_back({{"role", run_.roles()[i]},
                    {"workers", role.workers},
                    {"tasks", role.tasks},
                    {"service_ns", role.service},
                    {"longest_ns", role.longest},
                    {"lower_bound_ns", std::max(shared, role.longest)}});
    if (role.present > 0)
      json.back()["idle_share"] =
          static_cast<double>(role.present - role.busy) / static_cast<double>(role.present);
  }
  return json;
}

}  // namespace brokerlab
