#pragma once

#include <uv.h>

#include <functional>
#include <string>

#include "core/error.h"
#include "core/json.h"

namespace brokerlab {

// A child's end of the control protocol: lines of JSON over two file descriptors, without blocking the loop.
// One loop, which it does not own; close() it and run the loop out before it is destroyed.
class ControlPipe {
 public:
  // Takes over the descriptors, which must be pipes or local sockets. Throws Error otherwise.
  ControlPipe(uv_loop_t* loop, int input, int output);
  ~ControlPipe();
  ControlPipe(const ControlPipe&) = delete;
  ControlPipe& operator=(const ControlPipe&) = delete;

  uv_loop_t* loop() const { return loop_; }

  // Called for every line from now on; lines that came earlier are kept for it. A line that is no JSON object
  // ends the process like the end of the input: its controller is not to be trusted.
  void on_line(std::function<void(const Json&)> handler);
  // Runs the loop until the first line is there and returns it.
  Json read_first_line();

  void send(const Json& line);
  void notice(const std::string& text, bool warning = false);
  void error(const Error& error);
  // Lines sent before are still written; the loop can run out afterwards.
  void close();

 private:
  struct State;
  uv_loop_t* loop_;
  State* state_;
};

// The frame of a child process: puts standard input and output into a ControlPipe, ignores SIGINT and SIGHUP
// (the controller handles them and tells its children), dies with its parent, reads the assignment and runs
// `body` with it. Returns the exit status. An Error that leaves `body` is sent to the controller, and 1 is
// returned.
int child_process_main(const std::function<int(ControlPipe&, const Json& assignment)>& body);

}  // namespace brokerlab
