// What a project is made of: ProjectOrder of roles/project.h.
#include <algorithm>
#include <utility>

#include "core/error.h"
#include "roles/n_queens.h"
#include "roles/project.h"

namespace brokerlab {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& key, const std::string& remedy) {
  throw Error(what, "project." + key, remedy, ExitStatus::kUsage);
}

std::size_t number(const Json& order, const char* key, std::size_t least, std::size_t most,
                   std::optional<std::size_t> otherwise = {}) {
  const auto found = order.find(key);
  if (found == order.end() && otherwise) return *otherwise;
  if (found == order.end() || !found->is_number_integer() || *found < least || *found > most) {
    refuse("a project needs a whole number from " + std::to_string(least) + " to " + std::to_string(most),
           key, "");
  }
  return found->get<std::size_t>();
}

std::string text(const Json& order, const char* key) {
  const auto found = order.find(key);
  if (found == order.end()) return "";
  if (!found->is_string()) refuse("a text is needed here", key, "");
  return found->get<std::string>();
}

void refuse_unknown_keys(const Json& order, const std::vector<std::string>& known) {
  for (const auto& [key, value] : order.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string nearest = nearest_word(key, known);
    refuse("unknown key of a project of this kind", key,
           nearest.empty() ? "" : "is \"" + nearest + "\" meant?");
  }
}

std::string columns(const QueensPlaced& first) {
  std::string text;
  for (const unsigned column : first) text += (text.empty() ? "" : ", ") + std::to_string(column + 1);
  return text;
}

}  // namespace

ProjectOrder ProjectOrder::from_json(const Json& json) {
  if (!json.is_object()) refuse("a project is an object", "", R"(for example {"cmd": "n_queens", "n": 10})");
  ProjectOrder order;
  order.id = text(json, "id_projet");
  order.cmd = text(json, "cmd");
  order.url = text(json, "url");
  if (order.cmd == "echo") {
    refuse_unknown_keys(json, {"id_projet", "cmd", "url", "tasks"});
    order.tasks = number(json, "tasks", 1, kMostTasks);
  } else if (order.cmd == "n_queens") {
    refuse_unknown_keys(json, {"id_projet", "cmd", "url", "n", "depth"});
    order.n = static_cast<unsigned>(number(json, "n", 1, kMostQueens));
    order.depth =
        static_cast<unsigned>(number(json, "depth", 0, std::min(order.n, 4U), std::min(order.n, 1U)));
    order.tasks = split_queens(order.n, order.depth).size();
    if (order.tasks == 0)
      refuse("such a board has no safe placement, so there is nothing to do", "depth", "take less");
    if (order.tasks > kMostTasks) {
      refuse("this would be " + std::to_string(order.tasks) + " tasks", "depth",
             "split by fewer queens: " + std::to_string(kMostTasks) + " tasks are the most");
    }
  } else {
    refuse("unknown cmd \"" + order.cmd + "\"", "cmd", "use echo or n_queens");
  }
  return order;
}

std::vector<Json> ProjectOrder::make_tasks() const {
  const std::vector<QueensPlaced> boards =
      cmd == "n_queens" ? split_queens(n, depth) : std::vector<QueensPlaced>();
  std::vector<Json> all;
  for (std::size_t i = 0; i < tasks; ++i) {
    Json task = {{"cmd", cmd}, {"id_projet", id}, {"id_task", i + 1}, {"phrase", ""}, {"url", url}};
    if (boards.empty()) {
      task["phrase"] = "task " + std::to_string(i + 1) + " of project " + id;
    } else {
      task["phrase"] = std::to_string(n) + " queens, the first in column " + columns(boards[i]);
      task["arguments"] = {{"n", n}, {"first", boards[i]}};
    }
    all.push_back(std::move(task));
  }
  return all;
}

}  // namespace brokerlab
