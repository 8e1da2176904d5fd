#include "loadgen/csv.h"

#include "core/error.h"

namespace brokerlab {
namespace {

std::string_view trimmed(std::string_view cell) {
  const auto first = cell.find_first_not_of(" \t\r");
  return first == std::string_view::npos ? ""
                                         : cell.substr(first, cell.find_last_not_of(" \t\r") - first + 1);
}

// Reads one cell after the other; the place in the text is all its state.
class CsvScanner {
 public:
  CsvScanner(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  bool at_end() const { return place_ >= text_.size(); }

  // True when the row goes on after this cell.
  bool next_cell(std::string& cell) {
    cell.clear();
    skip_blanks();
    if (!at_end() && text_[place_] == '"') {
      read_quoted(cell);
    } else {
      const std::size_t end = std::min(text_.find_first_of(",\n", place_), text_.size());
      cell = trimmed(text_.substr(place_, end - place_));
      place_ = end;
    }
    return end_cell();
  }

 private:
  void skip_blanks() {
    while (!at_end() && (text_[place_] == ' ' || text_[place_] == '\t')) ++place_;
  }

  void read_quoted(std::string& cell) {
    const std::size_t opened = line_;
    for (++place_; !at_end(); ++place_) {
      const char c = text_[place_];
      if (c == '"') {
        if (place_ + 1 >= text_.size() || text_[place_ + 1] != '"') {
          ++place_;
          return;
        }
        ++place_;
      }
      line_ += c == '\n';
      cell += c;
    }
    throw Error("a quoted cell is never closed", source_ + ":" + std::to_string(opened),
                "close it with \", and double a quote within", ExitStatus::kUsage);
  }

  bool end_cell() {
    place_ = std::min(text_.find_first_of(",\n", place_), text_.size());
    if (at_end()) return false;
    const bool more = text_[place_++] == ',';
    line_ += !more;
    return more;
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t place_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<std::string> read_csv_rows(std::string_view text, const std::string& source) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string> rows;
  CsvScanner scanner(text, source);
  std::string cell;
  while (!scanner.at_end()) {
    std::string row;
    for (bool more = true, first = true; more; first = false) {
      more = scanner.next_cell(cell);
      if (!first) row += ' ';
      row += cell;
    }
    if (row.find_first_not_of(' ') != std::string::npos) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace brokerlab
