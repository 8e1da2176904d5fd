#include "core/json_walk.h"

#include <algorithm>
#include <set>

#include "core/json.h"

namespace brokerlab {
namespace {

// One array or object that the walk is inside of.
struct Level {
  bool object;
  std::size_t index = 0;
  std::set<std::string> keys;
};

}  // namespace

void JsonWalk::skip_blanks_and_comments() {
  while (at_ < text_.size()) {
    if (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r') {
      ++at_;
    } else if (text_.substr(at_, 2) == "//") {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (text_.substr(at_, 2) == "/*") {
      const std::size_t end = text_.find("*/", at_ + 2);
      at_ = end == std::string_view::npos ? text_.size() : end + 2;
    } else {
      return;
    }
  }
}

std::string JsonWalk::take_string() {
  const std::size_t begin = at_++;
  while (at_ < text_.size() && text_[at_] != '"') {
    at_ += text_[at_] == '\\' ? 2 : 1;
  }
  at_ = std::min(at_ + 1, text_.size());
  const std::string_view quoted = text_.substr(begin, at_ - begin);
  if (quoted.find('\\') == std::string_view::npos) {
    return std::string(quoted.substr(1, quoted.size() >= 2 ? quoted.size() - 2 : 0));
  }
  const Json parsed = Json::parse(quoted, nullptr, false);
  return parsed.is_string() ? parsed.get<std::string>() : std::string(quoted);
}

void JsonWalk::skip_scalar() {
  if (text_[at_] == '"') {
    take_string();
  } else {
    // Always one step on: a stray '/' is no comment and must not hold the walk up for ever.
    at_ = std::min(text_.find_first_of(",]} \t\r\n/", at_ + 1), text_.size());
  }
}

void JsonWalk::run(const OnValue& on_value, const OnDuplicate& on_duplicate) {
  std::vector<Level> levels;
  std::vector<std::string> path;
  bool value_expected = true;
  while (true) {
    skip_blanks_and_comments();
    if (at_ >= text_.size()) {
      return;
    }
    const char c = text_[at_];
    if (c == '}' || c == ']') {
      ++at_;
      if (levels.empty()) {
        return;
      }
      // An empty array or object has pushed no step of its own.
      path.resize(levels.size() - 1);
      levels.pop_back();
      value_expected = false;
    } else if (c == ',' || c == ':') {
      ++at_;
      value_expected = c == ':' || levels.empty() || !levels.back().object;
    } else if (!levels.empty() && levels.back().object && !value_expected) {
      if (c != '"') {
        return;
      }
      const std::size_t begin = at_;
      path.resize(levels.size() - 1);
      path.push_back(take_string());
      if (!levels.back().keys.insert(path.back()).second) {
        on_duplicate(path, begin);
      }
    } else {
      if (!levels.empty() && !levels.back().object) {
        path.resize(levels.size() - 1);
        path.push_back(std::to_string(levels.back().index++));
      }
      on_value(path, at_);
      if (c == '{' || c == '[') {
        ++at_;
        levels.push_back(Level{.object = c == '{', .index = 0, .keys = {}});
        value_expected = c == '[';
      } else {
        skip_scalar();
        value_expected = false;
      }
    }
  }
}

TextPosition position_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const std::size_t last_break = before.rfind('\n');
  return {
      .line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
      .column = 1 + static_cast<int>(last_break == std::string_view::npos ? before.size()
                                                                          : before.size() - last_break - 1)};
}

}  // namespace brokerlab
