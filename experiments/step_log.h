#pragma once

#include <filesystem>
#include <string>

namespace brokerlab {

// The log file of one process that is run by hand: a line per step, each with a timestamp. Lines are added to
// what an earlier run left. A file that another running process writes to is not shared: then it is
// NAME.2.log, and so on.
class StepLog {
 public:
  // Makes the folder. Throws Error when it or the file cannot be written.
  StepLog(const std::filesystem::path& folder, const std::string& name);
  ~StepLog();
  StepLog(const StepLog&) = delete;
  StepLog& operator=(const StepLog&) = delete;

  void write(const std::string& line);
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace brokerlab
