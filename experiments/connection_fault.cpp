#include "experiments/connection_fault.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

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

class ByNode final : public ConnectionFault {
 public:
  ByNode(const PlannedFault& fault, FaultTargets& targets)
      : ConnectionFault(fault, targets), orders_(targets.private_broker()->control()) {}

  void begin() override {
    std::string names;
    for (const std::string& name : connection_names(fault_, targets_)) {
      names += fmt::format("{}<<\"{}\">>", names.empty() ? "" : ", ", name);
    }
    PrivateBroker& broker = *targets_.private_broker();
    std::size_t node = 0;  // any one knows those of all
    while (node + 1 < broker.nodes().size() && !broker.running(node)) ++node;
    orders_.tell(
        node, fmt::format("Hit = [Pid || Pid <- rabbit_networking:connections(), "
                          "{{client_properties, All}} <- case catch rabbit_networking:connection_info(Pid, "
                          "[client_properties]) of List when is_list(List) -> List; _ -> [] end, "
                          "{{<<\"connection_name\">>, _, Name}} <- All, lists:member(Name, [{}])], "
                          "[rabbit_networking:close_connection(Pid, \"{}\") || Pid <- Hit], length(Hit).",
                          names, kReason));
  }
  bool in_force() override {
    if (!orders_.answered()) return false;
    take(orders_.answers().front());
    return true;
  }

 private:
  NodeOrders orders_;
};

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
    work_.begin(
        [names = connection_names(fault_, targets_), api = targets_.management(), &clock = targets_.clock()] {
          const Nanoseconds end = clock.now() + kListingLag;
          for (;;) {
            std::size_t closed = 0;
            for (const Management::Connection& connection : api->connections()) {
              if (std::find(names.begin(), names.end(), connection.client) == names.end()) continue;
              api->close_connection(connection.name, kReason);
              ++closed;
            }
            if (closed > 0 || clock.now() > end) return std::to_string(closed);
            ::poll(nullptr, 0, 200);
          }
        });
  }
  bool in_force() override {
    const auto closed = work_.result();
    if (closed) take(*closed);
    return closed.has_value();
  }

 private:
  BackgroundWork work_;
};

}  // namespace

std::unique_ptr<FaultEffect> make_connection_fault(const PlannedFault& fault, FaultTargets& targets) {
  if (fault.kind != "close-connection") return nullptr;
  if (targets.private_broker() != nullptr) return std::make_unique<ByNode>(fault, targets);
  return std::make_unique<ByManagement>(fault, targets);
}

}  // namespace brokerlab
