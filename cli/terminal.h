#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "experiments/run_observer.h"

namespace brokerlab {

// How a run is shown while it lasts, on standard error: standard output belongs to what was asked for.
enum class ProgressStyle {
  kLive,   // a table redrawn in place, for a terminal
  kPlain,  // lines, one a second at most, for a pipe or a log
  kQuiet,  // only what a person must know
};

// kLive when standard error is a terminal, unless `quiet`.
ProgressStyle progress_style(bool quiet);
// Standard error takes colours: a terminal, and NO_COLOR is not set (no-color.org).
bool colours_wanted(int descriptor);
int terminal_width();

std::unique_ptr<RunObserver> make_observer(ProgressStyle style);

// The live table as text, without cursor movements; pure, for tests. At most `width` columns.
std::string progress_table(const RunProgress& progress, int width, bool colours);

// Replaces control characters, so that a name from a file cannot move the cursor or change the title.
std::string printable(std::string_view text);

}  // namespace brokerlab
