#include "broker/cleanup.h"

#include <poll.h>
#include <signal.h>

#include <algorithm>

#include "amqp/uri.h"
#include "broker/guard_plan.h"
#include "broker/handshake_probe.h"
#include "broker/lease_end.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kEndLimit = 15 * kNanosecondsPerSecond;

// Ends the processes of a broker whose guard is gone, and waits for them: a process that dies still writes to
// its folder.
void end_processes(const BrokerRecord& record, const Clock& clock) {
  const Nanoseconds limit = clock.now() + kEndLimit;
  for (const ProcessIdentity& process : record.processes) {
    if (process.alive()) ::kill(process.pid, SIGKILL);
  }
  const auto left = [&] {
    return std::any_of(record.processes.begin(), record.processes.end(),
                       [](const auto& one) { return one.alive(); });
  };
  while (left() && clock.now() < limit) ::poll(nullptr, 0, 10);
}

// Lets the guard end its broker; without a guard, does its work. False when something remains.
bool end_broker(const BrokerRecord& record, const Clock& clock) {
  const Nanoseconds limit = clock.now() + kEndLimit;
  if (record.guard.alive()) ::kill(record.guard.pid, SIGTERM);
  while (record.guard.alive() && clock.now() < limit) ::poll(nullptr, 0, 10);
  if (record.guard.alive()) ::kill(record.guard.pid, SIGKILL);
  end_processes(record, clock);
  if (!remove_broker_folder(record.directory, record.id)) return false;
  Journal::remove_broker(record.id);
  return true;
}

bool accepting(const BrokerRecord& record) {
  try {
    return amqp_answers(amqp::Uri::parse(record.uri).port, 2000);
  } catch (const Error&) {
    return false;
  }
}

std::string clean_lease(const LeaseRecord& lease, const std::string& broker_uri) {
  const std::string what =
      lease.vhost.empty() ? "the queues and exchanges of run " + lease.run_id : "vhost " + lease.vhost;
  const std::string where = " on " + lease.broker;
  if (broker_uri.empty() || amqp::Uri::parse(broker_uri).safe() != lease.broker) {
    return "left: " + what + where + " (give its address and password: brokerlab cleanup --broker URI)";
  }
  try {
    if (lease.vhost.empty()) {
      end_prefix_lease(lease, broker_uri, false);
    } else {
      const amqp::Uri uri = amqp::Uri::parse(broker_uri);
      Management management(lease.management_uri, uri.user, uri.password);
      end_vhost_lease(lease, management);
    }
  } catch (const Error& error) {
    return "left: " + what + where + " (" + error.summary() + ")";
  }
  Journal::remove_lease(lease.run_id);
  return "removed " + what + where;
}

}  // namespace

std::vector<PrivateBrokerStatus> private_brokers(const Clock&) {
  std::vector<PrivateBrokerStatus> all;
  for (BrokerRecord& record : Journal::brokers()) {
    const bool guard_alive = record.guard.alive();
    const bool answers = guard_alive && accepting(record);
    all.push_back({std::move(record), guard_alive, answers});
  }
  return all;
}

BrokerRecord stop_private_broker(const std::string& id, const Clock& clock) {
  std::vector<BrokerRecord> found;
  for (BrokerRecord& record : Journal::brokers()) {
    if (id.empty() ? record.detached : record.id.starts_with(id)) found.push_back(std::move(record));
  }
  if (found.size() != 1) {
    throw Error(
        found.empty() ? "there is no such private broker" : "there is more than one such private broker",
        id.empty() ? "brokers started by hand" : "\"" + id + "\"", "see: brokerlab broker status",
        ExitStatus::kUsage);
  }
  if (!end_broker(found[0], clock)) {
    throw Error("the broker's folder could not be removed", found[0].directory, "remove it by hand");
  }
  return found[0];
}

std::vector<std::string> cleanup(const std::string& broker_uri, const Clock& clock) {
  std::vector<std::string> lines;
  for (const BrokerRecord& record : Journal::brokers()) {
    if (record.guard.alive() && (record.detached || record.controller.alive())) continue;
    lines.push_back((end_broker(record, clock) ? "removed private broker " : "left: private broker ") +
                    record.id + " in " + record.directory.string());
  }
  for (const LeaseRecord& lease : Journal::leases()) {
    if (!lease.controller.alive()) lines.push_back(clean_lease(lease, broker_uri));
  }
  return lines;
}

}  // namespace brokerlab
