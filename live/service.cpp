#include "live/service.h"

#include <utility>

#include "core/error.h"

namespace brokerlab::live {
namespace {

constexpr Nanoseconds kLongestWait = 3 * kNanosecondsPerSecond;

bool same_place(const Wanted& wanted) {
  return wanted.metrics && wanted.page && wanted.page->port != 0 &&
         wanted.metrics->text() == wanted.page->text();
}

std::string line(const char* what, const Server& server, const char* path) {
  const std::string who = server.address().loopback() ? "" : "  (for whoever has the token)";
  return std::string(what) + ": http://" + server.address().text() + path + who;
}

}  // namespace

Service::Service(const Wanted& wanted, const Clock& clock, RunObserver& shown) : state_(clock, shown) {
  const bool together = same_place(wanted);
  if (wanted.metrics && !together)
    metrics_ = Server::start({*wanted.metrics, true, false, wanted.tags, wanted.token}, state_, "--metrics");
  if (wanted.page) serve_page(wanted, together);
}

void Service::serve_page(const Wanted& wanted, bool with_metrics) {
  page_has_metrics_ = with_metrics;
  Server::Options options{*wanted.page, with_metrics, true, wanted.tags, wanted.token};
  try {
    page_ = Server::start(options, state_, "--ui");
  } catch (const Error&) {
    if (!wanted.page_anywhere) throw;
    options.listen.port = 0;
    page_ = Server::start(options, state_, "--ui");
  }
}

std::vector<std::string> Service::addresses() const {
  std::vector<std::string> lines;
  if (page_) lines.push_back(line("live view", *page_, "/"));
  if (metrics_) lines.push_back(line("metrics", *metrics_, "/metrics"));
  if (page_has_metrics_) lines.push_back(line("metrics", *page_, "/metrics"));
  return lines;
}

void Service::finish(Outcome outcome) {
  state_.finish(std::move(outcome));
  if (page_) page_->await_page(kLongestWait);
}

}  // namespace brokerlab::live
