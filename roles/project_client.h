#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "roles/behaviour.h"
#include "roles/project.h"

namespace brokerlab {

// Behaviour `project_client`: orders a project, publishes its tasks, takes the results in and puts them
// together. What it knows stands in a file, so that it goes on in mid-project after a kill. One instance per
// file.
//
// Settings: `file`, the lists, relative to the working folder (none: kept in memory only); `project`, what to
// order, as ProjectOrder reads it; or `tasks`, a file of tasks (a JSON object a line, relative to the role
// file) that somebody else publishes.
class ProjectClient final : public Behaviour {
 public:
  explicit ProjectClient(const BehaviourSetting& setting);

  // Opens the lists, and orders what is new.
  std::string begin() override;
  std::vector<Outgoing> opening() override;
  void settled(const Outgoing& message, bool reached_a_queue) override;
  Reaction receive(std::string_view body, std::string_view routing_key) override;
  std::vector<Outgoing> finish(const Reaction& reaction, std::string_view body) override;
  std::string news() const override { return news_; }
  std::string remark() const override { return remark_; }

 private:
  std::string order();

  const std::filesystem::path file_;
  std::optional<ProjectOrder> order_;
  std::vector<Json> awaited_;           // tasks that somebody else publishes
  std::size_t output_ = 0;              // for the tasks of `order_`
  std::unique_ptr<Projects> projects_;  // from begin() on
  std::string news_;
  std::string remark_;
};

}  // namespace brokerlab
