#include "experiments/membership_schedule.h"

#include <algorithm>

#include "amqp/tls_options.h"
#include "amqp/uri.h"
#include "core/error.h"

namespace brokerlab {

MembershipSchedule::MembershipSchedule(const Topology& topology, const std::string& uri, bool tls_insecure,
                                       const Clock& clock)
    : topology_(topology), clock_(clock) {
  for (std::size_t i = 0; i < topology_.bindings.size(); ++i) {
    const Binding& binding = topology_.bindings[i];
    if (binding.from_ns) {
      changes_.push_back({*binding.from_ns, i, true});
    } else {
      present_.push_back(i);
    }
    if (binding.until_ns) changes_.push_back({*binding.until_ns, i, false});
  }
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const Change& a, const Change& b) { return a.at_ns < b.at_ns; });
  if (changes_.empty()) return;
  amqp::TlsOptions tls;
  tls.insecure = tls_insecure;
  session_ = std::make_unique<amqp::Session>(amqp::Uri::parse(uri), tls);
}

std::string MembershipSchedule::tick(Nanoseconds now_ns) {
  while (!over() && t0_ns_ != 0 && now_ns >= t0_ns_ + changes_[next_].at_ns) {
    const Change& change = changes_[next_++];
    try {
      make(change);
    } catch (const Error& error) {
      return std::string(change.join ? "a queue could not join: " : "a queue could not leave: ") +
             error.summary();
    }
  }
  return "";
}

void MembershipSchedule::make(const Change& change) {
  const Binding& binding = topology_.bindings[change.binding];
  Json members = Json::array();
  for (const std::size_t present : present_) {
    if (topology_.bindings[present].exchange == binding.exchange) {
      members.push_back(topology_.bindings[present].destination);
    }
  }
  if (change.join) {
    session_->bind(declaration_of(binding));
    present_.push_back(change.binding);
  } else {
    session_->unbind(declaration_of(binding));
    std::erase(present_, change.binding);
  }
  report_.push_back({{"exchange", binding.exchange},
                     {"queue", binding.destination},
                     {"change", change.join ? "join" : "leave"},
                     {"scheduled_at_ns", change.at_ns},
                     {"at_ns", clock_.now()},
                     {"members_before", std::move(members)}});
}

}  // namespace brokerlab
