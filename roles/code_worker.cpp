#include "roles/code_worker.h"

#include "roles/code_task.h"

namespace brokerlab {

CodeWorker::CodeWorker(const BehaviourSetting& setting) : output_(setting.spec.output("")) {}

Reaction CodeWorker::receive(std::string_view body, std::string_view) {
  Reaction reaction;
  reaction.body = parse_message(body);
  if (!is_code_task(reaction.body)) {
    reaction.verdict = Reaction::Verdict::kUnreadable;
    return reaction;
  }
  result_ = std::make_shared<Json>();
  reaction.compute = [task = reaction.body, result = result_] { *result = carry_out(task); };
  return reaction;
}

std::vector<Outgoing> CodeWorker::finish(const Reaction&, std::string_view) {
  return {{output_, "", print_message(*result_)}};
}

std::string CodeWorker::remark() const { return describe_result(*result_); }

std::string describe_task(const Json& task) {
  return "task " + task_name(task.at("id_task")) + " of " + task_name(task.at("id_projet"));
}

std::string describe_result(const Json& result) {
  return describe_task(result) + " " + task_name(result.value("state", Json("done"))) + ": " +
         show_result(result.at("result"));
}

std::string show_result(const Json& result) {
  constexpr std::size_t kLongest = 120;
  const std::string text = print_message(result);
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "…";
}

}  // namespace brokerlab
