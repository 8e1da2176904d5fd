#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace brokerlab {

// Processes as /proc shows them to this user; what has ended in between, zombies included, is left out.

// Those whose working directory is `folder`: a program that was started there, and whatever it started.
std::vector<pid_t> processes_in(const std::filesystem::path& folder);

// The one of them that has a file of this name open; 0 when there is none.
pid_t process_with_open_file(const std::filesystem::path& folder, const std::string& name);

// Command line and environment, as anybody, or as the same user, can read them.
std::string public_words_of(pid_t pid);

}  // namespace brokerlab
