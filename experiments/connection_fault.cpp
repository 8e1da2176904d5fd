#include "experiments/connection_fault.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>

#include "core/error.h"
#include "experiments/background_work.h"
#include "experiments/node_orders.h"

namespace brokerlab {
namespace {

constexpr char kReason[] = "closed by a declared fault";
// The management API knows a connection some 2.5 s after it was opened.
constexpr Nanoseconds kListingLag = 8 * kNanosecondsPerSecond;

std::vector<std::string> connection_names(const PlannedFault& fault, FaultTargets& targets) {
  std::vector<std::string> names;
  for (const std::string& process : fault.processes) names.push_back(targets.connection_name(process));
  return names;
}

class ConnectionFault : public FaultEffect {
 public:
  ConnectionFault(const PlannedFault& fault, FaultTargets& targets) : fault_(fault), targets_(targets) {}
  Json details() const override {
    return closed_.empty() ? Json::object() : Json{{"connections", std::stoi(closed_)}};
  }

 protected:
  void take(const std::string& closed) {
    closed_ = closed;
    if (closed == "0")
      throw Error("the broker knows no connection of " + fault_.target, "", "see whether it has one then");
  }

  const PlannedFault fault_;
  FaultTargets& targets_;

 private:
  std::string closed_;
};

// Asked first, told then: the first word to a node takes longer, and the connections end as they are found.
class ByNode final : public ConnectionFault {
 public:
  ByNode(const PlannedFault& fault, FaultTargets& targets)
      : ConnectionFault(fault, targets), orders_(targets.private_broker()->control()) {}

  void begin() override {
    PrivateBroker& broker = *targets_.private_broker();
    // Any one knows those of all; one that boots or stands still knows nothing.
    while (node_ + 1 < broker.nodes().size() && !broker.accepting(node_)) ++node_;
    orders_.tell(node_, hit() + "length(Hit).");
  }
  bool in_force() override {
    if (!orders_.answered()) return false;
    if (struck_) {
      take(orders_.answers().front());
      return true;
    }
    struck_ = targets_.clock().now();
    orders_.clear();
    orders_.tell(
        node_,
        hit() + fmt::format("[rabbit_networking:close_connection(Pid, \"{}\") || Pid <- Hit], length(Hit).",
                            kReason));
    return false;
  }
  std::optional<Nanoseconds> struck() const override { return struck_; }

 private:
  std::string hit() const {
    std::string names;
    for (const std::string& name : connection_names(fault_, targets_)) {
      names += fmt::format("{}<<\"{}\">>", names.empty() ? "" : ", ", name);
    }
    return fmt::format(
        "Hit = [Pid || Pid <- rabbit_networking:connections(), "
        "{{client_properties, All}} <- case catch rabbit_networking:connection_info(Pid, "
        "[client_properties]) of List when is_list(List) -> List; _ -> [] end, "
        "{{<<\"connection_name\">>, _, Name}} <- All, lists:member(Name, [{}])], ",
        names);
  }

  NodeOrders orders_;
  std::size_t node_ = 0;
  std::optional<Nanoseconds> struck_;
};

// The connections of all these clients, as soon as the API lists each of them; those it lists when it has had
// time enough.
std::vector<std::string> listed_connections(Management& api, const std::vector<std::string>& clients,
                                            const Clock& clock) {
  const Nanoseconds end = clock.now() + kListingLag;
  for (;;) {
    std::vector<std::string> found;
    std::set<std::string> seen;
    for (const Management::Connection& connection : api.connections()) {
      if (std::find(clients.begin(), clients.end(), connection.client) == clients.end()) continue;
      found.push_back(connection.name);
      seen.insert(connection.client);
    }
    if (seen.size() == clients.size() || clock.now() > end) return found;
    ::poll(nullptr, 0, 200);
  }
}

class ByManagement final : public ConnectionFault {
 public:
  ByManagement(const PlannedFault& fault, FaultTargets& targets)
      : ConnectionFault(fault, targets), work_(targets.loop()) {
    if (targets.management() == nullptr) {
      throw Error("closing connections needs the management API, which cannot be used here", "",
                  "name it by --management, and a user with the tag \"administrator\"");
    }
  }
  void begin() override {
    work_.begin([clients = connection_names(fault_, targets_), api = targets_.management(),
                 &clock = targets_.clock(), struck = struck_] {
      const std::vector<std::string> found = listed_connections(*api, clients, clock);
      *struck = clock.now();
      for (const std::string& name : found) api->close_connection(name, kReason);
      return std::to_string(found.size());
    });
  }
  bool in_force() override {
    const auto closed = work_.result();
    if (closed) take(*closed);
    return closed.has_value();
  }
  std::optional<Nanoseconds> struck() const override { return struck_->load(); }

 private:
  BackgroundWork work_;
  // The work may outlive this object.
  std::shared_ptr<std::atomic<Nanoseconds>> struck_ = std::make_shared<std::atomic<Nanoseconds>>(0);
};

}  // namespace

std::unique_ptr<FaultEffect> make_connection_fault(const PlannedFault& fault, FaultTargets& targets) {
  if (fault.kind != "close-connection") return nullptr;
  if (targets.private_broker() != nullptr) return std::make_unique<ByNode>(fault, targets);
  return std::make_unique<ByManagement>(fault, targets);
}

}  // namespace brokerlab
