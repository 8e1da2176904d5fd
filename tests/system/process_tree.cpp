#include "tests/system/process_tree.h"

#include <fstream>

#include "broker/journal.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<pid_t> processes_in(const fs::path& folder) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code gone;
    if (fs::read_symlink(entry.path() / "cwd", gone) != folder || gone) continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    const auto process = ProcessIdentity::of(pid);
    if (process && process->alive()) found.push_back(pid);
  }
  return found;
}

pid_t process_with_open_file(const fs::path& folder, const std::string& name) {
  for (const pid_t pid : processes_in(folder)) {
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", gone)) {
      if (fs::read_symlink(entry.path(), gone).filename() == name) return pid;
    }
  }
  return 0;
}

std::string public_words_of(pid_t pid) {
  const fs::path folder = "/proc/" + std::to_string(pid);
  return text_of(folder / "cmdline") + "\n" + text_of(folder / "environ");
}

}  // namespace brokerlab
