#include "roles/consumer_steps.h"

#include <utility>

#include "core/shown_text.h"
#include "core/units.h"

namespace brokerlab {
namespace {

const char* reason_of(Reaction::Verdict verdict) {
  switch (verdict) {
    case Reaction::Verdict::kIgnore:
      return "ignored: not for this role";
    case Reaction::Verdict::kUnreadable:
      return "unreadable: not what this role expects";
    case Reaction::Verdict::kReject:
      return "turned down";
    case Reaction::Verdict::kAct:
      break;
  }
  return "set aside";
}

const char* fate_of(Settlement settlement) {
  if (settlement == Settlement::kRequeued) return ", requeued";
  if (settlement == Settlement::kRejected) return ", rejected (dead-lettered where the queue says so)";
  return ", acknowledged";
}

}  // namespace

ConsumerSteps::ConsumerSteps(ChildRun& run, const RoleSpec& spec, std::string who, std::string queue)
    : run_(run), spec_(spec), who_(std::move(who)), queue_(std::move(queue)) {}

void ConsumerSteps::say(const std::string& text, Json more) const {
  more["who"] = who_;
  run_.say(text, std::move(more));
}

void ConsumerSteps::waiting() const {
  if (run_.says()) say("waiting for messages of " + shown_target("", queue_));
}

void ConsumerSteps::received(const amqp::Delivery& delivery, bool corrupted) const {
  if (!run_.says()) return;
  const std::string again = delivery.redelivered ? "received again" : "received";
  say(again + (corrupted ? ", and not as it was sent: " : ": ") + shown_body(delivery.body_text()));
}

void ConsumerSteps::working(Nanoseconds for_ns) const {
  if (!run_.says()) return;
  if (for_ns == 0) return say("working");
  say("working for " + format_duration(for_ns), {{"for_ns", for_ns}});
}

void ConsumerSteps::done(const Behaviour& behaviour, Nanoseconds after_ns) const {
  if (!run_.says()) return;
  const std::string remark = behaviour.remark();
  constexpr Nanoseconds kWorthTelling = 1'000'000;
  const std::string time = after_ns < kWorthTelling ? "" : " after " + format_duration(after_ns);
  say((behaviour.undone() ? "in vain" : "done") + time + (remark.empty() ? "" : ": " + remark));
}

void ConsumerSteps::hop_limited(std::uint32_t limit) const {
  if (run_.says()) say("not handed on: it has passed through " + std::to_string(limit) + " roles already");
}

void ConsumerSteps::published(const Outgoing& message) const {
  if (!run_.says()) return;
  const Output& output = spec_.outputs.at(message.output);
  const std::string& key = output.routing_key ? *output.routing_key : message.routing_key;
  say("published to " + shown_target(output.exchange, key) + ": " + shown_body(message.body));
}

void ConsumerSteps::confirmed(bool acked, std::size_t messages) const {
  if (!run_.says() || messages == 0) return;
  const std::string number = messages == 1 ? "" : ": " + std::to_string(messages) + " messages";
  say((acked ? "confirmed by the broker" : "refused by the broker") + number);
}

void ConsumerSteps::returned(const amqp::Returned& returned) const {
  if (!run_.says()) return;
  say("returned, nothing takes it: " + shown_target(returned.exchange, returned.routing_key));
}

void ConsumerSteps::settled(Settlement settlement) const {
  if (!run_.says() || spec_.consume.automatic()) return;
  say(settlement == Settlement::kAcked ? "acknowledged" : "given back to the queue");
}

void ConsumerSteps::set_aside(Reaction::Verdict verdict, Settlement settlement) const {
  if (run_.says())
    say(reason_of(verdict) + std::string(spec_.consume.automatic() ? "" : fate_of(settlement)));
}

}  // namespace brokerlab
