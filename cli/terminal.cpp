#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/clock.h"
#include "core/units.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kPlainInterval = kNanosecondsPerSecond;
constexpr int kNarrowest = 40;

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::string bar(double share, int width) {
  const int full = std::clamp(static_cast<int>(std::lround(share * width)), 0, width);
  std::string text;
  for (int i = 0; i < width; ++i) text += i < full ? "━" : "─";
  return text;
}

std::string remaining(const RunProgress& progress) {
  if (progress.stage != "load" || progress.done_share <= 0.02) return "";
  const double elapsed = static_cast<double>(progress.elapsed_ns);
  const double left = elapsed / progress.done_share - elapsed;
  return fmt::format("  {:.0f} s left", left / kNanosecondsPerSecond);
}

std::string cut(std::string text, std::size_t columns) {
  if (text.size() > columns) text = text.substr(0, columns - 1) + "~";
  return text;
}

std::string row_text(const ProgressRow& row) {
  const std::string alive =
      row.processes_alive == row.processes
          ? fmt::format("{}", row.instances)
          : fmt::format("{} ({}/{} alive)", row.instances, row.processes_alive, row.processes);
  return fmt::format("  {:<16} {:>5} {:>12} {:>11} {:>11} {:>8} {:>8} {:>5.0f}%{}",
                     cut(printable(row.name), 16), alive,
                     format_count(static_cast<std::uint64_t>(row.messages)), format_rate(row.per_second),
                     format_count(static_cast<std::uint64_t>(row.settled)),
                     format_count(static_cast<std::uint64_t>(row.waiting)),
                     format_count(static_cast<std::uint64_t>(row.trouble)), row.cpu_share * 100,
                     row.blocked ? "  blocked" : "");
}

constexpr char kLoadHeader[] =
    "  load                 n    published        rate   confirmed  waiting returned   cpu";
constexpr char kRoleHeader[] =
    "  role                 n         done        rate    received  in hand redeliv.   cpu";

// Redraws in place; every figure on it is a snapshot, so nothing is lost by overwriting.
class LiveView final : public RunObserver {
 public:
  ~LiveView() override { erase(); }

  void stage(const std::string& text) override { draw("  " + cut(printable(text), columns()) + "\n"); }

  void progress(const RunProgress& progress) override {
    draw(progress_table(progress, terminal_width(), colours_wanted(STDERR_FILENO)));
  }

  void notice(const std::string& text) override {
    const std::string drawn = drawn_;
    erase();
    put("  ! " + printable(text) + "\n");
    draw(drawn);
  }

 private:
  static std::size_t columns() {
    return static_cast<std::size_t>(std::max(kNarrowest, terminal_width() - 4));
  }

  void erase() {
    const auto lines = std::count(drawn_.begin(), drawn_.end(), '\n');
    if (lines > 0) put(fmt::format("\x1b[{}A\x1b[0J", lines));
    drawn_.clear();
  }

  void draw(const std::string& text) {
    erase();
    drawn_ = text;
    put(text);
  }

  std::string drawn_;
};

class PlainLines final : public RunObserver {
 public:
  void stage(const std::string& text) override {
    // Stages repeat with a running time; a log wants each once.
    const std::string name = text.substr(0, text.find(" ("));
    if (name == last_stage_) return;
    last_stage_ = name;
    put(printable(name) + "\n");
  }

  void progress(const RunProgress& progress) override {
    const Nanoseconds now = clock_.now();
    if (now - last_ns_ < kPlainInterval) return;
    last_ns_ = now;
    std::string line =
        fmt::format("{} {:.1f} s {}", progress.run,
                    static_cast<double>(progress.elapsed_ns) / kNanosecondsPerSecond, progress.stage);
    for (const ProgressRow& row : progress.rows) {
      const char* done = row.is_churn ? "opened" : row.is_load ? "published" : "done";
      const char* waiting = row.is_churn ? "open" : row.is_load ? "unconfirmed" : "in hand";
      line += fmt::format(" | {} {} {} ({}), {} {}", row.name, row.messages, done,
                          format_rate(row.per_second), row.waiting, waiting);
    }
    put(printable(line) + "\n");
  }

  void notice(const std::string& text) override { put("! " + printable(text) + "\n"); }

 private:
  MonotonicClock clock_;
  Nanoseconds last_ns_ = 0;
  std::string last_stage_;
};

class QuietView final : public RunObserver {
 public:
  void stage(const std::string&) override {}
  void progress(const RunProgress&) override {}
  void notice(const std::string& text) override { put("! " + printable(text) + "\n"); }
};

}  // namespace

ProgressStyle progress_style(bool quiet) {
  if (quiet) return ProgressStyle::kQuiet;
  return isatty(STDERR_FILENO) != 0 ? ProgressStyle::kLive : ProgressStyle::kPlain;
}

bool colours_wanted(int descriptor) {
  const char* refused = std::getenv("NO_COLOR");
  return isatty(descriptor) != 0 && (refused == nullptr || *refused == '\0');
}

int terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::unique_ptr<RunObserver> make_observer(ProgressStyle style) {
  switch (style) {
    case ProgressStyle::kLive:
      return std::make_unique<LiveView>();
    case ProgressStyle::kPlain:
      return std::make_unique<PlainLines>();
    case ProgressStyle::kQuiet:
      break;
  }
  return std::make_unique<QuietView>();
}

std::string progress_table(const RunProgress& progress, int width, bool colours) {
  const char* strong = colours ? "\x1b[1m" : "";
  const char* accent = colours ? "\x1b[36m" : "";
  const char* plain = colours ? "\x1b[0m" : "";
  const std::string tail =
      fmt::format("{:3.0f} %  {:.1f} s{}", progress.done_share * 100,
                  static_cast<double>(progress.elapsed_ns) / kNanosecondsPerSecond, remaining(progress));
  const int room = std::max(kNarrowest, width) - 6 - static_cast<int>(tail.size());
  const auto columns = static_cast<std::size_t>(std::max(kNarrowest, width) - 1);
  std::string text = fmt::format("  {}{}{}  {}\n", strong, cut(printable(progress.run), columns - 14), plain,
                                 progress.stage);
  text +=
      fmt::format("  {}{}{}  {}\n", accent, bar(progress.done_share, std::clamp(room, 8, 48)), plain, tail);
  for (const bool loads : {true, false}) {
    bool headed = false;
    for (const ProgressRow& row : progress.rows) {
      if (row.is_load != loads) continue;
      if (!headed)
        text += fmt::format("{}{}{}\n", strong, cut(loads ? kLoadHeader : kRoleHeader, columns), plain);
      headed = true;
      text += cut(row_text(row), columns) + "\n";
    }
  }
  return text;
}

std::string printable(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    safe += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return safe;
}

}  // namespace brokerlab
