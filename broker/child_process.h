#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace brokerlab {

// How a process is to be spawned. Every descriptor above 2 is closed in it, signals are as after login.
struct ChildProcess {
  std::vector<std::string> arguments;    // the first is the program's name
  std::filesystem::path program;         // absolute
  std::vector<std::string> environment;  // complete: "NAME=value"
  std::filesystem::path folder = "/";
  int input = -1;                 // descriptor that becomes standard input and is kept open; -1: /dev/null
  std::filesystem::path output;   // file for standard output and error, appended; empty: /dev/null
  int output_descriptor = -1;     // instead of a file; errors go to `output` all the same
  bool dies_with_parent = false;  // PR_SET_PDEATHSIG, SIGKILL
  bool own_session = false;

  // Returns the pid at once; a program that cannot be executed exits with 127. Throws Error when there can be
  // no process.
  pid_t spawn() const;
};

// This process's environment in the form spawn() takes.
std::vector<std::string> own_environment();

}  // namespace brokerlab
