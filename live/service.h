#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/listen_address.h"
#include "core/metric_text.h"
#include "live/server.h"
#include "live/state.h"

namespace brokerlab::live {

// Where what goes on is to be shown; nowhere unless asked for.
struct Wanted {
  std::optional<ListenAddress> metrics, page;
  bool page_anywhere = false;  // any free port does when that one is taken
  MetricLabels tags;           // labels of every sample
  std::string token;           // needed beyond loopback

  bool anything() const { return metrics || page; }
};

// The state of what goes on and the servers that show it. Made and told by the controller; serves until its
// end.
class Service {
 public:
  // What is told to observer() is also told to `shown`. Throws Error when an address cannot be listened on.
  Service(const Wanted& wanted, const Clock& clock, RunObserver& shown);

  RunObserver& observer() { return state_; }
  // Where to look, a line each, for a person.
  std::vector<std::string> addresses() const;
  // Everything is over. Waits some moments for a page that somebody looks at, so that it shows the end.
  void finish(Outcome outcome);

 private:
  void serve_page(const Wanted& wanted, bool with_metrics);

  State state_;
  std::unique_ptr<Server> metrics_, page_;  // one and the same server is page_
  bool page_has_metrics_ = false;
};

}  // namespace brokerlab::live
