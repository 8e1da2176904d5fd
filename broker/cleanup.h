#pragma once

#include <string>
#include <vector>

#include "broker/journal.h"
#include "core/clock.h"

namespace brokerlab {

// What `brokerlab broker status` prints of one private broker.
struct PrivateBrokerStatus {
  BrokerRecord record;
  bool guard_alive = false;
  bool accepting = false;  // an AMQP handshake succeeded
};
std::vector<PrivateBrokerStatus> private_brokers(const Clock& clock);

// Ends a private broker by its id (or a unique beginning of it; empty: the only detached one) and waits until
// processes and folder are gone. Throws Error (kUsage) when there is none or more than one.
BrokerRecord stop_private_broker(const std::string& id, const Clock& clock);

// Removes what killed runs left: brokers whose guard is gone or whose controller is dead, their folders and
// processes, and entries of leases whose controller is dead. Live brokers of live controllers and detached
// ones stay. Leases on external brokers are removed there only when `broker_uri` (with credentials) names
// that broker; else they are reported as left. Returns one line for a person per thing removed or left.
std::vector<std::string> cleanup(const std::string& broker_uri, const Clock& clock);

}  // namespace brokerlab
