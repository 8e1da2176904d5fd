#pragma once

#include <uv.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// How a child process ended, as the kernel reported it.
struct ChildExit {
  int status = 0;
  int signal = 0;
};

// One load or role process, seen from its controller: spawned from our own binary, spoken to in lines of JSON
// over its standard input and output (ARCHITECTURE.md, "Processes"). Its standard error goes to a file, so
// that it cannot garble the live table. One loop. The loop must run until on_exit was called and close() has
// been processed before the Child is destroyed.
class Child {
 public:
  using OnLine = std::function<void(const Json&)>;
  using OnExit = std::function<void(ChildExit)>;

  // Throws Error when the program cannot be started.
  Child(uv_loop_t* loop, std::string name, const std::filesystem::path& executable,
        const std::vector<std::string>& arguments, const std::filesystem::path& error_log, OnLine on_line,
        OnExit on_exit);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void send(const Json& line);
  void signal(int number);  // nothing once it has ended
  // Ends its standard input: a child that gets no `stop` before takes this for the death of its controller.
  void close();

  const std::string& name() const { return name_; }
  int pid() const { return process_.pid; }
  bool running() const { return running_; }
  // The last lines of its standard error, for the message about its death.
  std::string last_words() const;

 private:
  static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer);
  void take(std::string_view bytes);
  static void close_handle(uv_handle_t* handle);

  std::string name_;
  std::filesystem::path error_log_;
  OnLine on_line_;
  OnExit on_exit_;
  uv_process_t process_{};
  uv_pipe_t in_{};
  uv_pipe_t out_{};
  std::string partial_line_;
  bool running_ = false;
  bool closed_ = false;
};

}  // namespace brokerlab
