#pragma once

#include <memory>

#include "roles/behaviour.h"

namespace brokerlab {

// Behaviour `code_worker`: carries tasks of queue TODO out itself, in the thread pool, and publishes the
// result. Keeps nothing from one message to the next.
class CodeWorker final : public Behaviour {
 public:
  explicit CodeWorker(const BehaviourSetting& setting);

  Reaction receive(std::string_view body, std::string_view routing_key) override;
  std::vector<Outgoing> finish(const Reaction& reaction, std::string_view body) override;
  std::string remark() const override;

 private:
  std::size_t output_;
  std::shared_ptr<Json> result_;  // with the thread that computes it until finish()
};

// "task 3 of queens-1"
std::string describe_task(const Json& task);
// "task 3 of queens-1 done: 93"
std::string describe_result(const Json& result);
// A result as JSON, fit for one line of a terminal whatever it holds: cut, control characters escaped.
std::string show_result(const Json& result);

}  // namespace brokerlab
