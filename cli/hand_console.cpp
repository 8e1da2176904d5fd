#include "cli/hand_console.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/terminal.h"

namespace brokerlab {
namespace {

void put(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

std::string work_bar(const std::string& who, Nanoseconds elapsed_ns, Nanoseconds for_ns, int width) {
  const double share = std::clamp(static_cast<double>(elapsed_ns) / static_cast<double>(for_ns), 0.0, 1.0);
  const std::string tail =
      fmt::format(" {:3.0f} %  {:.1f} of {:.1f} s", share * 100, static_cast<double>(elapsed_ns) / 1e9,
                  static_cast<double>(for_ns) / 1e9);
  const int room = std::clamp(width - static_cast<int>(who.size() + tail.size()) - 6, 4, 40);
  const auto full = std::lround(share * room);
  std::string bar;
  for (int i = 0; i < room; ++i) bar += i < full ? "━" : "─";
  return "  " + who + "  " + bar + tail;
}

HandConsole::HandConsole(const Clock& clock, bool terminal, RunObserver* watcher)
    : clock_(clock), terminal_(terminal), watcher_(watcher) {}

HandConsole::~HandConsole() { erase(); }

void HandConsole::step(const std::string& line) {
  erase();
  put(printable(line) + "\n");
  tick();
}

void HandConsole::working(const std::string& who, Nanoseconds for_ns) {
  if (!terminal_ || for_ns <= 0) return;
  worker_ = who;
  since_ns_ = clock_.now();
  for_ns_ = for_ns;
  tick();
}

void HandConsole::done_working(const std::string& who) {
  if (who != worker_) return;
  erase();
  worker_.clear();
}

void HandConsole::tick() {
  if (worker_.empty()) return;
  erase();
  put(work_bar(printable(worker_), std::min(clock_.now() - since_ns_, for_ns_), for_ns_, terminal_width()));
  drawn_ = true;
}

void HandConsole::begin(const RunIdentity& identity) {
  if (watcher_ != nullptr) watcher_->begin_run(identity);
}

void HandConsole::progress(const RunProgress& progress) {
  if (watcher_ != nullptr) watcher_->progress(progress);
}

void HandConsole::erase() {
  if (drawn_) put("\r\x1b[0K");
  drawn_ = false;
}

}  // namespace brokerlab
