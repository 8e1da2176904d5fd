#include "roles/executor.h"

#include <cstdlib>
#include <utility>

#include "core/error.h"
#include "core/units.h"
#include "roles/code_task.h"
#include "roles/code_worker.h"
#include "roles/gateway_client.h"

namespace brokerlab {
namespace {

constexpr const char* kLongestTask = "10m";

// Outlives every behaviour: a pool thread may still wait for a process when its consumer is gone.
const Clock& clock() {
  static const MonotonicClock clock;
  return clock;
}

TaskProcess our_own_program(const BehaviourSetting& setting) {
  return {"/proc/self/exe",
          {"task"},
          clock(),
          parse_duration(setting.spec.settings.value("limit", Json(kLongestTask)))};
}

std::string text(const Json& settings, const char* key) {
  const auto found = settings.find(key);
  if (found == settings.end() || found->is_null()) return "";
  if (!found->is_string())
    throw Error("a text is needed here", std::string("settings.") + key, "", ExitStatus::kUsage);
  return found->get<std::string>();
}

void create_queues(const Json& settings) {
  const std::string gateway = text(settings, "gateway");
  if (gateway.empty()) return;
  const char* token = std::getenv("BROKERLAB_TOKEN");
  GatewayClient client(gateway, token != nullptr ? token : "");
  for (const Json& queue : settings.value("creates", Json::array())) client.create(queue.get<std::string>());
}

}  // namespace

struct Executor::Answer {
  TaskProcessEnd end;
};

Executor::Executor(const BehaviourSetting& setting) : Executor(setting, our_own_program(setting)) {}

Executor::Executor(const BehaviourSetting& setting, TaskProcess process)
    : settings_(setting.spec.settings),
      output_(setting.spec.output("")),
      acknowledged_on_taking_(setting.spec.consume.automatic()),
      process_(std::make_shared<TaskProcess>(std::move(process))) {}

std::string Executor::begin() {
  create_queues(settings_);
  return "";
}

Reaction Executor::receive(std::string_view body, std::string_view) {
  Reaction reaction;
  reaction.body = parse_message(body);
  if (!is_code_task(reaction.body)) {
    reaction.verdict = Reaction::Verdict::kUnreadable;
    return reaction;
  }
  answer_ = std::make_shared<Answer>();
  reaction.compute = [task = std::string(body), process = process_, answer = answer_] {
    answer->end = process->run(task);
  };
  return reaction;
}

std::vector<Outgoing> Executor::finish(const Reaction& reaction, std::string_view) {
  undone_ = died_ = false;
  if (!answer_->end.failure.empty()) return after_death(reaction.body);
  const Json result = parse_message(answer_->end.output);
  if (!is_code_task(result) || !result.contains("result")) {
    answer_->end.failure = "gave no result";
    return after_death(reaction.body);
  }
  deaths_.erase(describe_task(reaction.body));
  remark_ = "process " + std::to_string(answer_->end.pid) + ": " + describe_result(result);
  return {{output_, "", print_message(result)}};
}

std::vector<Outgoing> Executor::after_death(const Json& task) {
  died_ = true;
  const std::string name = describe_task(task);
  const unsigned deaths = ++deaths_[name];
  remark_ = "process " + std::to_string(answer_->end.pid) + " " + answer_->end.failure + " (death " +
            std::to_string(++all_deaths_) + " here): " + name;
  if (acknowledged_on_taking_) {
    undone_ = true;
    deaths_.erase(name);
    remark_ += " is lost, for it was acknowledged when it was taken";
    return {};
  }
  if (deaths < kMostDeaths) {
    undone_ = true;
    remark_ += " goes back to its queue";
    return {};
  }
  deaths_.erase(name);
  remark_ += " is given up";
  Json failed = task;
  failed["state"] = "failed";
  failed["result"] = "its process " + answer_->end.failure + ", as " + std::to_string(deaths) + " did";
  return {{output_, "", print_message(failed)}};
}

}  // namespace brokerlab
