#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/plain_load.h"

namespace brokerlab {

// Declares the options of PerfTest on `command`, by their long and, where they have one letter, short names.
// Those that have no meaning here are taken, too, and a reason is printed when they are used.
void add_plain_load_options(CLI::App& command, PlainLoad& plain);
// Options of `command` that only a plain load has and that were given; for an error.
std::vector<std::string> given_plain_load_options(const CLI::App& command);
// What a person should know of options that are taken and not needed: a line each.
std::vector<std::string> notes_on_options(const CLI::App& command);

// PerfTest's short names of several letters ("-qp") become long ones ("--queue-pattern"): the words of a
// command line, changed only where they are the command `load`.
std::vector<std::string> with_long_names(std::vector<std::string> words);

// All of these, with the long name of each: "qp", "queue-pattern".
std::vector<std::pair<std::string, std::string>> perftest_names();

}  // namespace brokerlab
