#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "analysis/summary_text.h"

namespace brokerlab::summary {

inline constexpr int kHeading = 11;            // columns before the figures of a line
inline constexpr std::size_t kMostLines = 23;  // of a terminal of 24, with the prompt below

// Names come from experiment files: no escape sequence may reach the terminal.
std::string plain(std::string_view text);
// In code points.
int width_of(std::string_view text);
// Cut to that many columns; cut or filled up to them; filled up on the left.
std::string fitted(std::string_view text, int columns);
std::string cell(std::string_view text, int columns);
std::string right(std::string_view text, int columns);

// Broken between words; what follows the first line stands below its beginning.
std::vector<std::string> wrapped(std::string_view heading, std::string_view text, int columns);

// The lines of a summary, cut to the terminal's width.
class Lines {
 public:
  explicit Lines(const SummaryTextOptions& options) : options_(options) {}

  enum class Tone { kPlain, kGood, kBad, kDoubtful, kHeading };
  void add(std::string_view text, Tone tone = Tone::kPlain) {
    std::string line = fitted(text, options_.columns);
    if (options_.colour && tone != Tone::kPlain) line = std::string(code(tone)) + line + "\x1b[0m";
    lines_.push_back(std::move(line));
  }
  void add(const Lines& others) { lines_.insert(lines_.end(), others.lines_.begin(), others.lines_.end()); }
  // Figures after a heading, as many to a line as fit; the next ones stand below them.
  void add_figures(std::string_view heading, const std::vector<std::string>& figures) {
    std::string line = cell(heading, kHeading);
    bool first = true;
    for (const std::string& figure : figures) {
      if (!first && width_of(line) + 3 + width_of(figure) > options_.columns) {
        add(line);
        line = cell("", kHeading);
        first = true;
      }
      line += (first ? "" : "   ") + figure;
      first = false;
    }
    if (!first) add(line);
  }
  Lines empty_one() const { return Lines(options_); }
  std::size_t size() const { return lines_.size(); }
  std::size_t room() const { return lines_.size() < kMostLines ? kMostLines - lines_.size() : 0; }
  std::string text() const { return fmt::format("{}\n", fmt::join(lines_, "\n")); }

 private:
  static std::string_view code(Tone tone) {
    switch (tone) {
      case Tone::kGood:
        return "\x1b[32m";
      case Tone::kBad:
        return "\x1b[31m";
      case Tone::kDoubtful:
        return "\x1b[33m";
      default:
        return "\x1b[1m";
    }
  }

  SummaryTextOptions options_;
  std::vector<std::string> lines_;
};

// The variants of a comparison with their medians: beside each other where there is room, else below each
// other with the figures that tell them apart; and the speed-up where only the number of instances differs.
// Leaves room for `below` lines.
void add_comparison(const Json& comparison, int columns, std::size_t below, Lines& lines);

// What a search came to, and the rates that it tried.
void add_search(const Json& result, int columns, Lines& lines);

}  // namespace brokerlab::summary
