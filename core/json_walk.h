#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace brokerlab {

// Walks over the text of JSON with comments and tells where each value stands, which the parser does not
// keep. Does not check: on text that does not parse it stops somewhere. Iterative, so that no nesting can
// exhaust the stack.
class JsonWalk {
 public:
  // `path`: keys and indices from the root to the value; `offset`: of the value's first character.
  using OnValue = std::function<void(const std::vector<std::string>& path, std::size_t offset)>;
  // A key that its object already has; `offset`: of the second one.
  using OnDuplicate = std::function<void(const std::vector<std::string>& path, std::size_t offset)>;

  explicit JsonWalk(std::string_view text) : text_(text) {}
  void run(const OnValue& on_value, const OnDuplicate& on_duplicate);

 private:
  void skip_blanks_and_comments();
  std::string take_string();
  void skip_scalar();

  std::string_view text_;
  std::size_t at_ = 0;
};

// Line and column, both from 1, of a byte of `text`.
struct TextPosition {
  int line = 1;
  int column = 1;
};
TextPosition position_of(std::string_view text, std::size_t offset);

}  // namespace brokerlab
