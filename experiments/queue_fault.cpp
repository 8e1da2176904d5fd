#include "experiments/queue_fault.h"

#include <atomic>
#include <memory>

#include "amqp/session.h"
#include "core/error.h"
#include "experiments/background_work.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kAnswerLimit = 5 * kNanosecondsPerSecond;

// Calls `before` when it is about to be done.
std::string delete_queue(const std::vector<std::string>& uris, bool tls_insecure, const std::string& queue,
                         const std::function<void()>& before) {
  amqp::TlsOptions tls;
  tls.insecure = tls_insecure;
  for (std::size_t i = 0;; ++i) {
    try {
      amqp::Session session(amqp::Uri::parse(uris[i]), tls, kAnswerLimit);
      before();
      return std::to_string(session.remove_queue(queue));
    } catch (const amqp::BrokerError& error) {
      if (!error.retry_may_help() || i + 1 == uris.size()) throw;  // else another node may be there
    }
  }
}

class QueueDeletion final : public FaultEffect {
 public:
  QueueDeletion(const PlannedFault& fault, FaultTargets& targets)
      : fault_(fault), targets_(targets), work_(targets.loop()) {}

  void begin() override {
    for (const std::string& process : fault_.processes) targets_.expect_end(process);
    targets_.expect_deletion(fault_.target);
    work_.begin([uris = targets_.broker_uris(), insecure = targets_.tls_insecure(), queue = fault_.target,
                 &clock = targets_.clock(), struck = struck_] {
      return delete_queue(uris, insecure, queue, [&] { *struck = clock.now(); });
    });
  }
  bool in_force() override {
    const auto messages = work_.result();
    if (messages) messages_ = std::stoll(*messages);
    return messages.has_value();
  }
  std::optional<Nanoseconds> struck() const override { return struck_->load(); }
  Json details() const override { return messages_ ? Json{{"messages", *messages_}} : Json::object(); }

 private:
  const PlannedFault fault_;
  FaultTargets& targets_;
  BackgroundWork work_;
  // The work may outlive this object.
  std::shared_ptr<std::atomic<Nanoseconds>> struck_ = std::make_shared<std::atomic<Nanoseconds>>(0);
  std::optional<long long> messages_;  // that were ready in it
};

}  // namespace

std::unique_ptr<FaultEffect> make_queue_fault(const PlannedFault& fault, FaultTargets& targets) {
  if (fault.kind != "delete-queue") return nullptr;
  return std::make_unique<QueueDeletion>(fault, targets);
}

}  // namespace brokerlab
