#include "analysis/chart_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/error.h"

namespace brokerlab {
namespace {

// Closes what it holds; the written file's name is taken back unless release() was called.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  }
  ~TemporaryFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    if (!released_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool open() const { return descriptor_ >= 0; }
  bool write(std::string_view content) const {
    while (!content.empty()) {
      const ssize_t written = ::write(descriptor_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      content.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::fsync(descriptor_) == 0;
  }
  bool rename_to(const std::string& path) {
    released_ = ::rename(path_.c_str(), path.c_str()) == 0;
    return released_;
  }

 private:
  std::string path_;
  int descriptor_ = -1;
  bool released_ = false;
};

}  // namespace

void write_text_file(const std::filesystem::path& path, std::string_view content) {
  TemporaryFile file(path.string() + ".part-" + std::to_string(::getpid()));
  if (file.open() && file.write(content) && file.rename_to(path.string())) return;
  const std::string reason = std::strerror(errno);
  throw Error("the file cannot be written: " + reason, path.string(),
              "choose another place with -o, or make room and give yourself the right to write there");
}

}  // namespace brokerlab
