#include "core/json.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/json_walk.h"
#include "core/shown_text.h"

namespace brokerlab {
namespace {

[[noreturn]] void refuse_text(std::string_view text, const std::string& source, std::size_t offset,
                              const std::string& what, const std::string& remedy) {
  const TextPosition position = position_of(text, offset);
  throw Error(what, fmt::format("{}:{}:{}", source, position.line, position.column), remedy,
              ExitStatus::kUsage);
}

// The parser's own words behind its boilerplate: "…: syntax error while parsing value - unexpected end of
// input; …".
std::string reason_of(const nlohmann::json::parse_error& error) {
  const std::string_view full = error.what();
  const std::size_t at = full.find("syntax error ");
  std::string reason(at == std::string_view::npos ? full : full.substr(at));
  // What was last read can be a long string; its beginning is enough to find it.
  if (reason.size() > 300) {
    reason = reason.substr(0, 200) + " … " + reason.substr(reason.size() - 80);
  }
  return shown_words(reason);  // it quotes what was read, which may be no text at all
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void fail_to_write(const std::filesystem::path& path, int error) {
  throw Error(std::string("cannot write the file: ") + std::strerror(error), path.string(),
              error == ENOSPC || error == EDQUOT
                  ? "free space on that disk, or choose another folder with --out"
                  : "choose a folder that can be written with --out");
}

void write_whole(const std::filesystem::path& path, std::string_view text) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.number() < 0) {
    fail_to_write(path, errno);
  }
  while (!text.empty()) {
    const ssize_t written = ::write(file.number(), text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      fail_to_write(path, errno);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.number()) != 0) {
    fail_to_write(path, errno);
  }
}

// Levenshtein's distance with a swap of neighbours as one edit, letters without their case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto same = [&](std::size_t i, std::size_t j) {
    return std::tolower(static_cast<unsigned char>(a[i])) == std::tolower(static_cast<unsigned char>(b[j]));
  };
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  std::iota(cost[0].begin(), cost[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    cost[i][0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      cost[i][j] =
          std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + !same(i - 1, j - 1)});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

bool is_index(std::string_view text) {
  return !text.empty() && text.size() <= 9 &&
         text.find_first_not_of("0123456789") == std::string_view::npos && (text == "0" || text[0] != '0');
}

bool addresses_entries(const Json& target, const Json& patch) {
  if (!target.is_array() || patch.empty()) {
    return false;
  }
  return std::all_of(patch.items().begin(), patch.items().end(),
                     [](const auto& entry) { return is_index(entry.key()); });
}

void patch_entries(Json& target, const Json& patch) {
  std::vector<std::pair<std::size_t, const Json*>> entries;
  for (const auto& [key, value] : patch.items()) {
    entries.emplace_back(std::stoul(key), &value);
  }
  std::sort(entries.begin(), entries.end());
  std::vector<std::size_t> removed;
  for (const auto& [index, value] : entries) {
    if (index > target.size()) {
      throw Error(fmt::format("a patch addresses entry {} of a list of {}", index, target.size()), "",
                  fmt::format("use an index from 0 to {}", target.size()), ExitStatus::kUsage);
    }
    if (value->is_null()) {
      removed.push_back(index);
      continue;
    }
    if (index == target.size()) {
      target.push_back(nullptr);
    }
    merge_patch(target[index], *value);
  }
  for (auto index = removed.rbegin(); index != removed.rend(); ++index) {
    if (*index < target.size()) {
      target.erase(*index);
    }
  }
}

}  // namespace

Json parse_json(std::string_view text, const std::string& source) {
  Json value;
  try {
    value = Json::parse(text, nullptr, true, true);
  } catch (const nlohmann::json::parse_error& error) {
    // `byte` counts from 1 and names the last character read.
    refuse_text(text, source, error.byte == 0 ? 0 : error.byte - 1, reason_of(error),
                "correct the JSON there");
  } catch (const nlohmann::json::exception& error) {
    throw Error(error.what(), source, "correct the JSON there", ExitStatus::kUsage);  // a number out of range
  }
  JsonWalk(text).run(
      [&](const std::vector<std::string>& path, std::size_t offset) {
        if (path.size() > kDeepestNesting) {
          refuse_text(text, source, offset, fmt::format("nested deeper than {} levels", kDeepestNesting),
                      "flatten it");
        }
      },
      [&](const std::vector<std::string>& path, std::size_t offset) {
        refuse_text(text, source, offset, "the key \"" + path.back() + "\" stands twice in one object",
                    "remove one of the two");
      });
  return value;
}

Json read_json_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) {
    throw Error(std::string("cannot read the file: ") + std::strerror(errno), path.string(), "check the path",
                ExitStatus::kUsage);
  }
  if (S_ISDIR(status.st_mode)) {
    throw Error("this is a folder, not a file", path.string(), "name the file in it", ExitStatus::kUsage);
  }
  std::string text;
  std::string block(std::size_t{1} << 16, '\0');
  while (true) {
    const ssize_t got = ::read(file.number(), block.data(), block.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      throw Error(std::string("cannot read the file: ") + std::strerror(errno), path.string(),
                  "check the file", ExitStatus::kUsage);
    }
    if (got == 0) {
      return parse_json(text, path.string());
    }
    text.append(block, 0, static_cast<std::size_t>(got));
    if (text.size() > limit_bytes) {
      throw Error(fmt::format("the file is larger than {} bytes", limit_bytes), path.string(),
                  "split it, or name another file", ExitStatus::kUsage);
    }
  }
}

void write_json_file(const std::filesystem::path& path, const Json& value) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const std::filesystem::path draft =
      folder / fmt::format(".{}.{}.draft", path.filename().string(), ::getpid());
  try {
    write_whole(draft, value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    if (::rename(draft.c_str(), path.c_str()) != 0) {
      fail_to_write(path, errno);
    }
  } catch (...) {
    ::unlink(draft.c_str());
    throw;
  }
  // The new name, too, must outlast a power cut; file systems that cannot sync a folder keep it anyway.
  const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ::fsync(opened.number());
}

int line_of(std::string_view text, const JsonPointer& pointer) {
  std::vector<std::string> wanted;
  for (JsonPointer rest = pointer; !rest.empty(); rest.pop_back()) {
    wanted.insert(wanted.begin(), rest.back());
  }
  std::size_t nearest = 0;
  std::size_t matched = 0;
  bool any = false;
  JsonWalk(text).run(
      [&](const std::vector<std::string>& path, std::size_t offset) {
        const bool ancestor =
            path.size() <= wanted.size() && std::equal(path.begin(), path.end(), wanted.begin());
        if (ancestor && (!any || path.size() > matched)) {
          any = true;
          matched = path.size();
          nearest = offset;
        }
      },
      [](const std::vector<std::string>&, std::size_t) {});
  return position_of(text, nearest).line;
}

std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > 100) {
    return "";
  }
  std::string nearest;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    // A third of the letters may be wrong; beyond that another word is meant.
    if (distance <= std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3) &&
        distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

void merge_patch(Json& target, const Json& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (addresses_entries(target, patch)) {
    patch_entries(target, patch);
    return;
  }
  if (!target.is_object()) {
    target = Json::object();
  }
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null()) {
      target.erase(key);
    } else {
      merge_patch(target[key], value);
    }
  }
}

}  // namespace brokerlab
