#include "roles/project_client.h"

#include <fstream>
#include <utility>

#include "core/error.h"
#include "roles/code_task.h"
#include "roles/code_worker.h"

namespace brokerlab {
namespace {

std::filesystem::path file_of(const Json& settings) {
  const Json file = settings.value("file", Json(""));
  if (file.is_string()) return file.get<std::string>();
  throw Error("the name of a file is needed here", "settings.file", "", ExitStatus::kUsage);
}

std::string standing_text(const std::string& id, const Projects::Standing& standing) {
  return id + ": " + std::to_string(standing.done) + "/" + std::to_string(standing.total) + " done";
}

std::vector<Json> read_tasks(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw Error("the tasks cannot be read", path.string(), "", ExitStatus::kUsage);
  std::vector<Json> tasks;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty()) continue;
    tasks.push_back(parse_message(line));
    if (!is_code_task(tasks.back())) {
      throw Error("this line is no task", path.string() + ":" + std::to_string(number),
                  "give an object with id_projet and id_task", ExitStatus::kUsage);
    }
  }
  return tasks;
}

}  // namespace

ProjectClient::ProjectClient(const BehaviourSetting& setting) : file_(file_of(setting.spec.settings)) {
  const Json& settings = setting.spec.settings;
  if (const auto ordered = settings.find("project"); ordered != settings.end() && !ordered->is_null()) {
    order_ = ProjectOrder::from_json(*ordered);
    output_ = setting.spec.output("");
  }
  if (const auto tasks = settings.find("tasks"); tasks != settings.end() && !tasks->is_null()) {
    awaited_ = read_tasks(setting.directory / tasks->get<std::string>());
  }
}

std::string ProjectClient::begin() {
  projects_ = std::make_unique<Projects>(file_);
  if (!awaited_.empty()) projects_->order(awaited_, true);
  return order_ ? order() : "";
}

std::string ProjectClient::order() {
  ProjectOrder order = *order_;
  // Started again in mid-project without a name for another: it is to go on, not to begin anew.
  if (order.id.empty() && projects_->unfinished()) {
    return "goes on with what is unfinished, " + std::to_string(projects_->to_do().size()) + " tasks to send";
  }
  if (order.id.empty()) order.id = projects_->fresh_id(order.cmd);
  if (projects_->order(order.make_tasks())) {
    return "ordered " + order.id + ", " + std::to_string(order.tasks) + " tasks";
  }
  if (const auto whole = projects_->finished(order.id)) {
    return order.id + " is finished already: " + show_result(whole->at("result"));
  }
  return "goes on: " + standing_text(order.id, projects_->standing(order.id));
}

std::vector<Outgoing> ProjectClient::opening() {
  std::vector<Outgoing> messages;
  for (const Json& task : projects_->to_do()) {
    messages.push_back({output_, "", print_message(task)});
  }
  return messages;
}

void ProjectClient::settled(const Outgoing& message, bool reached_a_queue) {
  if (reached_a_queue) projects_->sent(parse_message(message.body));
}

Reaction ProjectClient::receive(std::string_view body, std::string_view) {
  Reaction reaction;
  reaction.body = parse_message(body);
  switch (projects_->fit(reaction.body)) {
    case Projects::Fit::kAwaited:
      break;
    case Projects::Fit::kAgain:
    case Projects::Fit::kForeign:
      reaction.verdict = Reaction::Verdict::kIgnore;
      break;
    case Projects::Fit::kUnusable:
      reaction.verdict = Reaction::Verdict::kUnreadable;
      break;
  }
  return reaction;
}

std::vector<Outgoing> ProjectClient::finish(const Reaction& reaction, std::string_view) {
  const auto whole = projects_->take(reaction.body);
  const std::string id = task_name(reaction.body.at("id_projet"));
  remark_ = describe_result(reaction.body) + "; " + standing_text(id, projects_->standing(id));
  news_.clear();
  if (whole) {
    const auto not_done = whole->at("not_done").get<std::size_t>();
    news_ =
        id + " is finished: " +
        (not_done > 0 ? std::to_string(not_done) + " tasks were not done" : show_result(whole->at("result")));
    remark_ += "; " + news_;
  }
  return {};
}

}  // namespace brokerlab
