#include "experiments/step_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace brokerlab {
namespace {

constexpr int kMostOfOneName = 1000;

}  // namespace

StepLog::StepLog(const std::filesystem::path& folder, const std::string& name) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  for (int number = 1; number <= kMostOfOneName; ++number) {
    path_ = std::filesystem::absolute(folder) /
            (name + (number == 1 ? "" : "." + std::to_string(number)) + ".log");
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
      throw Error(std::string("cannot write the log: ") + std::strerror(errno), path_.string(),
                  "choose a folder you may write to with --log-dir");
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(descriptor_);
    descriptor_ = -1;
  }
  throw Error("a thousand processes write logs of this name already", path_.string(),
              "give this one a name of its own with --id");
}

StepLog::~StepLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

// A full disk must not end a role; the console has the line.
void StepLog::write(const std::string& line) {
  const std::string whole = line + "\n";
  [[maybe_unused]] const ssize_t ignored = ::write(descriptor_, whole.data(), whole.size());
}

}  // namespace brokerlab
