#include "roles/project.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/clock.h"
#include "core/error.h"
#include "roles/code_task.h"

namespace brokerlab {
namespace {

constexpr const char* kLists[] = {"to_do", "in_progress", "finished"};

std::string project_of(const Json& task) { return task_name(task.at("id_projet")); }
std::string name_of(const Json& task) { return task_name(task.at("id_task")); }

bool is(const Json& task, const std::string& project, const std::string& name) {
  return name_of(task) == name && project_of(task) == project;
}

bool settled(const Json& entry) { return entry.at("state") != "sent"; }

bool well_formed(const Json& lists) {
  if (!lists.is_object()) return false;
  for (const char* list : kLists) {
    if (!lists.contains(list) || !lists.at(list).is_array()) return false;
  }
  const auto entry = [](const Json& each) {
    return each.is_object() && each.contains("task") && is_code_task(each.at("task")) &&
           each.contains("state") && (each.at("state") == "sent" || each.contains("result"));
  };
  const auto project = [](const Json& each) {
    return each.is_object() && each.contains("id_projet") && each.contains("tasks") &&
           each.at("tasks").is_number_unsigned();
  };
  const Json& to_do = lists.at("to_do");
  const Json& in_progress = lists.at("in_progress");
  const Json& finished = lists.at("finished");
  return std::all_of(to_do.begin(), to_do.end(), is_code_task) &&
         std::all_of(in_progress.begin(), in_progress.end(), entry) &&
         std::all_of(finished.begin(), finished.end(), project);
}

// What the results of all tasks are together: a sum of numbers, or texts line by line.
Json rebuilt(const Json& results) {
  const bool numbers =
      std::all_of(results.begin(), results.end(), [](const Json& each) { return each.is_number_unsigned(); });
  if (numbers) {
    std::uint64_t sum = 0;
    for (const Json& each : results) sum += each.get<std::uint64_t>();
    return sum;
  }
  std::string lines;
  for (const Json& each : results) {
    lines += (lines.empty() ? "" : "\n") + (each.is_string() ? each.get<std::string>() : each.dump());
  }
  return lines;
}

}  // namespace

Projects::Lock::Lock(const std::filesystem::path& file) {
  if (file.empty()) return;
  const std::string path = file.string() + ".lock";
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) {
    throw Error("the projects cannot be kept here", file.string(),
                "give a file in a folder that can be written");
  }
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    close(descriptor_);
    throw Error("another client keeps its projects in this file", file.string(),
                "end it, or give this one a file of its own");
  }
}

Projects::Lock::~Lock() {
  if (descriptor_ >= 0) close(descriptor_);
}

Projects::Projects(std::filesystem::path file)
    : file_(std::move(file)),
      lock_(file_),
      lists_({{"to_do", Json::array()}, {"in_progress", Json::array()}, {"finished", Json::array()}}) {
  if (file_.empty() || !std::filesystem::exists(file_)) return;
  lists_ = read_json_file(file_);
  if (!well_formed(lists_)) {
    throw Error("this file holds no lists of projects", file_.string(), "move it away, or give another file");
  }
}

void Projects::save() const {
  if (!file_.empty()) write_json_file(file_, lists_);
}

std::string Projects::fresh_id(const std::string& cmd) const {
  for (std::size_t number = lists_.at("finished").size() + 1;; ++number) {
    std::string id = cmd + "-" + std::to_string(number);
    if (standing(id).total == 0) return id;
  }
}

bool Projects::order(const std::vector<Json>& tasks, bool sent_elsewhere) {
  for (const Json& task : tasks) {
    if (standing(project_of(task)).total > 0) return false;
  }
  for (const Json& task : tasks) {
    if (sent_elsewhere) {
      lists_["in_progress"].push_back({{"task", task}, {"state", "sent"}});
    } else {
      lists_["to_do"].push_back(task);
    }
  }
  save();
  return true;
}

bool Projects::unfinished() const { return !to_do().empty() || !lists_.at("in_progress").empty(); }

const Json* Projects::entry(const std::string& project, const std::string& task) const {
  for (const Json& each : lists_.at("in_progress")) {
    if (is(each.at("task"), project, task)) return &each;
  }
  return nullptr;
}

const Json* Projects::still_to_do(const std::string& project, const std::string& task) const {
  for (const Json& each : to_do()) {
    if (is(each, project, task)) return &each;
  }
  return nullptr;
}

void Projects::to_progress(const std::string& project, const std::string& task) {
  Json& to_do = lists_["to_do"];
  for (std::size_t i = 0; i < to_do.size(); ++i) {
    if (!is(to_do[i], project, task)) continue;
    lists_["in_progress"].push_back({{"task", to_do[i]}, {"state", "sent"}});
    to_do.erase(i);
    return;
  }
}

void Projects::sent(const Json& task) {
  to_progress(project_of(task), name_of(task));
  save();
}

Projects::Fit Projects::fit(const Json& result) const {
  if (!is_code_task(result) || !result.contains("result")) return Fit::kUnusable;
  const std::string project = project_of(result), task = name_of(result);
  if (finished(project)) return Fit::kAgain;
  const Json* open = entry(project, task);
  if (open != nullptr && settled(*open)) return Fit::kAgain;
  const Json* ordered = open != nullptr ? &open->at("task") : still_to_do(project, task);
  if (ordered == nullptr) return Fit::kForeign;
  // A worker that is not ours may leave `state` out.
  const Json state = result.value("state", Json("done"));
  if (state == "refused" || state == "failed") return Fit::kAwaited;
  const Json& value = result.at("result");
  const bool queens = ordered->value("cmd", Json()) == "n_queens";
  const bool fits = queens ? value.is_number_unsigned() : value.is_string() || value.is_number();
  return state == "done" && fits ? Fit::kAwaited : Fit::kUnusable;
}

std::optional<Json> Projects::take(const Json& result) {
  const std::string project = project_of(result), task = name_of(result);
  // A client killed between a publish and its note finds the result of a task that it has still to send.
  to_progress(project, task);
  for (Json& entry : lists_["in_progress"]) {
    if (!is(entry.at("task"), project, task)) continue;
    entry["state"] = result.value("state", Json("done"));
    entry["result"] = result.at("result");
  }
  std::optional<Json> last = finish(project);
  save();
  return last;
}

std::optional<Json> Projects::finish(const std::string& project) {
  const Standing now = standing(project);
  if (now.done < now.total) return {};
  std::vector<Json> entries;
  Json others = Json::array();
  for (Json& entry : lists_["in_progress"]) {
    if (project_of(entry.at("task")) == project) {
      entries.push_back(std::move(entry));
    } else {
      others.push_back(std::move(entry));
    }
  }
  lists_["in_progress"] = std::move(others);
  // In the order of their numbers; tasks with other names stay in the order in which they were sent.
  std::stable_sort(entries.begin(), entries.end(), [](const Json& a, const Json& b) {
    const Json &left = a.at("task").at("id_task"), &right = b.at("task").at("id_task");
    return left.is_number() && right.is_number() && left < right;
  });
  Json results = Json::array();
  std::size_t not_done = 0;
  for (Json& entry : entries) {
    not_done += entry.at("state") != "done";
    results.push_back(std::move(entry.at("result")));
  }
  char now_text[32];
  Json whole = {{"id_projet", project},          {"tasks", now.total},
                {"not_done", not_done},          {"result", not_done > 0 ? Json() : rebuilt(results)},
                {"results", std::move(results)}, {"finished_at", WallClock::iso8601_now(now_text)}};
  lists_["finished"].push_back(whole);
  return whole;
}

Projects::Standing Projects::standing(const std::string& id) const {
  Standing standing;
  for (const Json& task : to_do()) standing.total += project_of(task) == id;
  for (const Json& entry : lists_.at("in_progress")) {
    if (project_of(entry.at("task")) != id) continue;
    ++standing.total;
    standing.done += settled(entry);
  }
  if (const auto whole = finished(id)) standing.done = standing.total = whole->at("tasks").get<std::size_t>();
  return standing;
}

std::optional<Json> Projects::finished(const std::string& id) const {
  for (const Json& whole : lists_.at("finished")) {
    if (whole.at("id_projet") == id) return whole;
  }
  return {};
}

}  // namespace brokerlab
