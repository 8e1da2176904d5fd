#pragma once

#include <map>
#include <memory>
#include <string>

#include "roles/behaviour.h"
#include "roles/task_process.h"

namespace brokerlab {

// Behaviour `executor`: starts a process of its own for each task, hands it the task, and publishes its
// result. As many instances, as many tasks at once. What becomes of a task whose process died depends on when
// the role acknowledges: on taking it (ack auto), and it is lost; after the answer, and it goes back to its
// queue, but not for ever: after kMostDeaths here, it is answered as failed.
//
// Settings: `gateway`, the address of a gateway that is asked to create the queues in `creates` first;
// `limit`, the longest that a task may take. A token that the gateway wants comes from BROKERLAB_TOKEN:
// settings stand in results.
class Executor final : public Behaviour {
 public:
  static constexpr unsigned kMostDeaths = 3;
  static constexpr unsigned kMostTold = 10;  // deaths that stand in a result one by one

  explicit Executor(const BehaviourSetting& setting);
  Executor(const BehaviourSetting& setting, TaskProcess process);

  // Has the gateway create the queues, and may block for that.
  std::string begin() override;
  Reaction receive(std::string_view body, std::string_view routing_key) override;
  std::vector<Outgoing> finish(const Reaction& reaction, std::string_view body) override;
  bool undone() const override { return undone_; }
  std::string news() const override { return died_ && all_deaths_ <= kMostTold ? remark_ : ""; }
  std::string remark() const override { return remark_; }

 private:
  struct Answer;  // of the process; with the thread that waits for it until finish()

  std::vector<Outgoing> after_death(const Json& task);

  Json settings_;
  std::size_t output_;
  bool acknowledged_on_taking_;
  std::shared_ptr<const TaskProcess> process_;
  std::shared_ptr<Answer> answer_;
  std::map<std::string, unsigned> deaths_;  // of tasks that have not been done since
  unsigned all_deaths_ = 0;
  bool died_ = false;
  bool undone_ = false;
  std::string remark_;
};

}  // namespace brokerlab
