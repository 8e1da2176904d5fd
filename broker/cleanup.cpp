#include "broker/cleanup.h"

#include <signal.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "amqp/uri.h"
#include "broker/guard_plan.h"
#include "broker/handshake_probe.h"
#include "broker/management.h"
#include "broker/topology.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kEndLimit = 10 * kNanosecondsPerSecond;

bool anything_left(const BrokerRecord& record) {
  return record.guard.alive() || std::filesystem::exists(record.directory) ||
         std::any_of(record.processes.begin(), record.processes.end(),
                     [](const auto& each) { return each.alive(); });
}

// False when something is still there after the limit.
bool wait_until_gone(const BrokerRecord& record, const Clock& clock) {
  const Nanoseconds limit = clock.now() + kEndLimit;
  while (anything_left(record)) {
    if (clock.now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

// For a broker whose guard is gone: what the guard would have done.
void end_without_guard(const BrokerRecord& record) {
  for (const ProcessIdentity& process : record.processes) {
    if (process.alive()) ::kill(process.pid, SIGKILL);
  }
  remove_broker_folder(record.directory, record.id);
  Journal::remove_broker(record.id);
}

void end_broker(const BrokerRecord& record, const Clock& clock) {
  if (record.guard.alive()) {
    ::kill(record.guard.pid, SIGTERM);
    if (wait_until_gone(record, clock)) return Journal::remove_broker(record.id);
    ::kill(record.guard.pid, SIGKILL);
  }
  end_without_guard(record);
}

std::optional<BrokerRecord> only_match(const std::string& id) {
  std::vector<BrokerRecord> matches;
  for (const BrokerRecord& record : Journal::brokers()) {
    if (id.empty() ? record.detached : record.id.starts_with(id)) matches.push_back(record);
  }
  if (matches.empty()) return std::nullopt;
  if (matches.size() > 1) {
    throw Error("more than one private broker is meant", id,
                "name one of those that `brokerlab broker status` lists", ExitStatus::kUsage);
  }
  return matches.front();
}

std::string clean_lease(const LeaseRecord& lease, const std::string& broker_uri) {
  const std::string what = "run " + lease.run_id + " on " + lease.broker;
  if (broker_uri.empty())
    return "left: " + what + "; name that broker with --broker to remove what the run made there";
  const amqp::Uri uri = amqp::Uri::parse(broker_uri);
  if (uri.safe() != lease.broker) return "left: " + what + ", which is another broker";
  if (lease.vhost.empty()) {
    remove_named(lease.queues, lease.exchanges, broker_uri);
  } else {
    Management management(lease.management_uri, uri.user, uri.password);
    const std::optional<Management::Vhost> vhost = management.vhost(lease.vhost);
    if (vhost && std::find(vhost->tags.begin(), vhost->tags.end(), "brokerlab") == vhost->tags.end()) {
      return "left: vhost " + lease.vhost + " of " + what + ", which no longer has our tag";
    }
    management.delete_vhost(lease.vhost);
    management.delete_user(lease.user);
  }
  Journal::remove_lease(lease.run_id);
  return "removed: what " + what + " had made";
}

}  // namespace

std::vector<PrivateBrokerStatus> private_brokers(const Clock&) {
  std::vector<PrivateBrokerStatus> brokers;
  for (BrokerRecord& record : Journal::brokers()) {
    PrivateBrokerStatus status;
    status.guard_alive = record.guard.alive();
    status.accepting = !record.uri.empty() && amqp_answers(amqp::Uri::parse(record.uri).port);
    status.record = std::move(record);
    brokers.push_back(std::move(status));
  }
  return brokers;
}

BrokerRecord stop_private_broker(const std::string& id, const Clock& clock) {
  const std::optional<BrokerRecord> record = only_match(id);
  if (!record) {
    throw Error("no such private broker is running", id, "see `brokerlab broker status`", ExitStatus::kUsage);
  }
  end_broker(*record, clock);
  return *record;
}

std::vector<std::string> cleanup(const std::string& broker_uri, const Clock& clock) {
  std::vector<std::string> lines;
  for (const BrokerRecord& record : Journal::brokers()) {
    const bool wanted = record.guard.alive() && (record.detached || record.controller.alive());
    if (wanted) continue;
    end_broker(record, clock);
    lines.push_back("removed: private broker " + record.id + " in " + record.directory.string());
  }
  for (const LeaseRecord& lease : Journal::leases()) {
    if (lease.controller.alive()) continue;
    try {
      lines.push_back(clean_lease(lease, broker_uri));
    } catch (const Error& error) {
      lines.push_back("left: run " + lease.run_id + " on " + lease.broker + ": " + error.summary());
    }
  }
  return lines;
}

}  // namespace brokerlab
