#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// What a client orders: a project of tasks of one kind. A value.
struct ProjectOrder {
  static constexpr std::size_t kMostTasks = 2'000;

  std::string id;  // `id_projet`; empty: the client thinks of one
  std::string cmd;
  std::size_t tasks = 0;  // echo: so many phrases
  unsigned n = 0;         // n_queens: the board,
  unsigned depth = 1;     // split by the positions of so many first queens
  std::string url;        // in every task, for whoever wants it; nothing is fetched from there

  // {"cmd": "echo", "tasks": 5} or {"cmd": "n_queens", "n": 10, "depth": 1}, with "id_projet" and "url" if
  // wanted. Throws Error (kUsage), also for more than kMostTasks tasks.
  static ProjectOrder from_json(const Json& order);
  // The messages for queue TODO, numbered from 1.
  std::vector<Json> make_tasks() const;
};

// The projects of one client, in three lists: tasks to do, tasks in progress (each with its state and result)
// and projects finished (each with its result, rebuilt from all its tasks in order). Written to a file after
// every change, before the call returns, so that a client that was killed goes on where it was. One thread;
// one object per file, which others are kept from meanwhile.
class Projects {
 public:
  // Goes on with what `file` holds; empty: kept in memory only. Throws Error when the file holds something
  // else, cannot be written, or is in use.
  explicit Projects(std::filesystem::path file);

  // A name that no project has yet: "n_queens-3".
  std::string fresh_id(const std::string& cmd) const;
  // Adds a project's tasks to those to do, or to those in progress where somebody else sends them. False:
  // there is a project of this name already.
  bool order(const std::vector<Json>& tasks, bool sent_elsewhere = false);
  const Json& to_do() const { return lists_.at("to_do"); }
  bool unfinished() const;

  // A task has reached its queue.
  void sent(const Json& task);

  enum class Fit {
    kAwaited,
    kAgain,     // its task is done, or its project finished
    kForeign,   // of no project of ours
    kUnusable,  // no result, or none of this kind of task
  };
  Fit fit(const Json& result) const;
  // Takes a result in that is awaited. The entry of `finished` if it was the last of its project.
  std::optional<Json> take(const Json& result);

  struct Standing {
    std::size_t done = 0, total = 0;
  };
  Standing standing(const std::string& id) const;
  // The entry of a finished project.
  std::optional<Json> finished(const std::string& id) const;

 private:
  const Json* entry(const std::string& project, const std::string& task) const;  // of those in progress
  const Json* still_to_do(const std::string& project, const std::string& task) const;
  void to_progress(const std::string& project, const std::string& task);
  std::optional<Json> finish(const std::string& project);
  void save() const;

  // On a file beside the lists, because those are replaced at every change. Goes with its process, however
  // that ends.
  class Lock {
   public:
    explicit Lock(const std::filesystem::path& file);  // empty: locks nothing
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    int descriptor_ = -1;
  };

  const std::filesystem::path file_;
  const Lock lock_;
  Json lists_;
};

}  // namespace brokerlab
