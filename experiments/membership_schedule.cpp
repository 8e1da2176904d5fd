#include "experiments/membership_schedule.h"

#include <algorithm>
#include <utility>

#include "amqp/amqp_error.h"
#include "amqp/session.h"
#include "amqp/tls_options.h"
#include "amqp/uri.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kAnswerLimit = 2 * kNanosecondsPerSecond;
// From a try in vain to the next one: a node that was killed is back in some 10 s.
constexpr Nanoseconds kRetryAfter = 500'000'000;

}  // namespace

// A session that lives on at another node when the one it was on is lost. Used by one thread at a time.
class MembershipSchedule::Line {
 public:
  Line(std::vector<std::string> uris, bool tls_insecure, const Clock& clock)
      : uris_(std::move(uris)), clock_(clock) {
    tls_.insecure = tls_insecure;
    connect();
  }

  // {"at_ns": when it was done}, or {"later": why no node would do it now}. Throws Error when it never can
  // be.
  Json change(bool join, const amqp::BindingDeclaration& binding) {
    for (std::size_t failed = 0;; ++failed) {
      try {
        if (!session_) connect();
        if (join) {
          session_->bind(binding);
        } else {
          session_->unbind(binding);
        }
        return {{"at_ns", clock_.now()}};
      } catch (const amqp::BrokerError& error) {
        if (!error.retry_may_help()) throw;
        session_.reset();
        std::rotate(uris_.begin(), uris_.begin() + 1, uris_.end());
        // The first again, in case only its connection was gone.
        if (failed == uris_.size()) return {{"later", error.summary()}};
      }
    }
  }

 private:
  void connect() {
    session_ = std::make_unique<amqp::Session>(amqp::Uri::parse(uris_.front()), tls_, kAnswerLimit);
  }

  std::vector<std::string> uris_;  // the first is in use
  amqp::TlsOptions tls_;
  const Clock& clock_;
  std::unique_ptr<amqp::Session> session_;
};

MembershipSchedule::MembershipSchedule(const Topology& topology, const std::vector<std::string>& uris,
                                       bool tls_insecure, uv_loop_t* loop, const Clock& clock)
    : topology_(topology), work_(loop) {
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
  line_ = std::make_shared<Line>(uris, tls_insecure, clock);
}

std::string MembershipSchedule::tick(Nanoseconds now_ns) {
  if (over() || t0_ns_ == 0) return "";
  const Change& change = changes_[next_];
  if (under_way_) return take_in(change, now_ns);
  if (now_ns >= t0_ns_ + change.at_ns && now_ns >= not_before_) begin(change);
  return "";
}

void MembershipSchedule::begin(const Change& change) {
  under_way_ = true;
  work_.begin(
      [line = line_, join = change.join, binding = declaration_of(topology_.bindings[change.binding])] {
        return line->change(join, binding).dump();
      });
}

std::string MembershipSchedule::take_in(const Change& change, Nanoseconds now_ns) {
  std::string trouble;
  try {
    const auto answer = work_.result();
    if (!answer) return "";
    const Json done = Json::parse(*answer);
    if (done.contains("later")) {
      trouble = done["later"].get<std::string>() + "; it is tried again";
      not_before_ = now_ns + kRetryAfter;
    } else {
      note(change, done.at("at_ns").get<Nanoseconds>());
      told_ = false;
      ++next_;
    }
  } catch (const Error& error) {
    trouble = error.summary();
    told_ = false;
    ++next_;
  }
  under_way_ = false;
  const bool again = not_before_ > now_ns;
  if (trouble.empty() || (again && std::exchange(told_, true))) return "";
  return (change.join ? "a queue could not join: " : "a queue could not leave: ") + trouble;
}

void MembershipSchedule::note(const Change& change, Nanoseconds at_ns) {
  const Binding& binding = topology_.bindings[change.binding];
  Json members = Json::array();
  for (const std::size_t present : present_) {
    if (topology_.bindings[present].exchange == binding.exchange) {
      members.push_back(topology_.bindings[present].destination);
    }
  }
  if (change.join) {
    present_.push_back(change.binding);
  } else {
    std::erase(present_, change.binding);
  }
  report_.push_back({{"exchange", binding.exchange},
                     {"queue", binding.destination},
                     {"change", change.join ? "join" : "leave"},
                     {"scheduled_at_ns", change.at_ns},
                     {"at_ns", at_ns},
                     {"members_before", std::move(members)}});
}

}  // namespace brokerlab
