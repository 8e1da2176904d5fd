#pragma once

#include <filesystem>
#include <string>

namespace brokerlab {

// What a node that could not start said about it: its first errors, without time stamps and without the crash
// report that follows them; else its last lines. For an error message: each line indented, after a line
// break.
std::string reason_in_output(const std::filesystem::path& output);

}  // namespace brokerlab
