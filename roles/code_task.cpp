#include "roles/code_task.h"

#include <array>
#include <utility>

#include "core/error.h"
#include "roles/n_queens.h"

namespace brokerlab {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& remedy) {
  throw Error(what, where, remedy, ExitStatus::kUsage);
}

bool names_something(const Json& message, const char* key) {
  const auto found = message.find(key);
  return found != message.end() && (found->is_number_integer() ||
                                    (found->is_string() && !found->get_ref<const std::string&>().empty()));
}

// A whole number from 0 to `most`; JSON may hold anything.
unsigned small_number(const Json& value, unsigned most, const std::string& where) {
  if (!value.is_number_integer() || value < 0 || value > most) {
    refuse("no whole number from 0 to " + std::to_string(most), where, "");
  }
  return value.get<unsigned>();
}

Json echo(const Json& task) {
  const auto phrase = task.find("phrase");
  if (phrase == task.end() || !phrase->is_string()) refuse("an echo task without a text", "phrase", "");
  return *phrase;
}

Json n_queens(const Json& task) {
  const auto arguments = task.find("arguments");
  if (arguments == task.end() || !arguments->is_object() || !arguments->contains("n")) {
    refuse("an n_queens task without its board", "arguments", "for example {\"n\": 10, \"first\": [0]}");
  }
  const unsigned n = small_number(arguments->at("n"), kMostQueens, "arguments.n");
  QueensPlaced first;
  if (const auto given = arguments->find("first"); given != arguments->end()) {
    if (!given->is_array() || given->size() > n) refuse("no list of columns", "arguments.first", "");
    for (const Json& column : *given) first.push_back(small_number(column, n, "arguments.first"));
  }
  return count_queens(n, first);
}

struct Kind {
  std::string_view cmd;
  Json (*carry_out)(const Json& task);
};
constexpr std::array<Kind, 2> kKinds{{{"echo", echo}, {"n_queens", n_queens}}};

Json result_of(const Json& task) {
  const auto cmd = task.find("cmd");
  if (cmd == task.end() || !cmd->is_string()) refuse("a task without a cmd", "cmd", "");
  for (const Kind& kind : kKinds) {
    if (*cmd == kind.cmd) return kind.carry_out(task);
  }
  refuse("cmd \"" + cmd->get<std::string>().substr(0, 40) + "\" is not known", "cmd",
         "this worker carries out echo and n_queens only");
}

}  // namespace

bool is_code_task(const Json& message) {
  return message.is_object() && names_something(message, "id_projet") && names_something(message, "id_task");
}

Json carry_out(const Json& task) {
  Json answer = task.is_object() ? task : Json::object();
  try {
    Json result = result_of(answer);
    answer["state"] = "done";
    answer["result"] = std::move(result);
  } catch (const Error& error) {
    answer["state"] = "refused";
    answer["result"] = error.summary() + (error.where().empty() ? "" : " (" + error.where() + ")") +
                       (error.remedy().empty() ? "" : ": " + error.remedy());
  }
  return answer;
}

std::string task_name(const Json& id) { return id.is_string() ? id.get<std::string>() : id.dump(); }

}  // namespace brokerlab
