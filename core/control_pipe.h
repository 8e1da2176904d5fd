#pragma once

#include <uv.h>

#include <cstddef>
#include <functional>
#include <string>

#include "core/error.h"
#include "core/json.h"

namespace brokerlab {

// A child's end of the control protocol: lines of JSON over two file descriptors, without blocking the loop.
// One loop, which it does not own. close() it and run the loop until closed() before it is destroyed.
class ControlPipe {
 public:
  static constexpr std::size_t kLongestLine = std::size_t{64} << 20;

  // Takes over the descriptors, which must be pipes or local sockets. Throws Error otherwise.
  ControlPipe(uv_loop_t* loop, int input, int output);
  ~ControlPipe();
  ControlPipe(const ControlPipe&) = delete;
  ControlPipe& operator=(const ControlPipe&) = delete;

  uv_loop_t* loop() const;

  // Called for every line, those included that came before.
  void on_line(std::function<void(const Json&)> handler);
  // Called once when the input ends, or when a line is too long or no JSON object: then nothing that comes
  // can be trusted.
  void on_end(std::function<void()> handler);
  // Runs the loop until the first line is there, takes and returns it. Throws Error when the input ends
  // before.
  Json read_first_line();
  // A `stop` line has come: the end of the input is in order then.
  bool stop_seen() const;

  void send(const Json& line);
  void notice(const std::string& text, bool warning = false);
  void error(const Error& error);
  // Bytes sent that the controller has not read yet: a reason to leave out what can be left out.
  std::size_t backlog_bytes() const;

  // Lines sent before are still written.
  void close();
  bool closed() const;

 private:
  struct State;
  State* state_;
};

// The frame of a child process: makes a ControlPipe of standard input and output, ignores SIGINT and SIGHUP
// (the controller handles them and tells its children), dies with its parent, reads the assignment and runs
// `body` with it. Returns the exit status. An exception that leaves `body` is sent to the controller, and 1
// is returned. When the input ends without `stop`, the controller is dead: the process ends at once, without
// unwinding.
int child_process_main(const std::function<int(ControlPipe&, const Json& assignment)>& body);

}  // namespace brokerlab
