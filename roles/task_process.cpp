#include "roles/task_process.h"

#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "core/json.h"
#include "core/units.h"
#include "roles/code_task.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;

// A program with one end of a socket pair as its standard input and output.
class Child {
 public:
  Child(const std::filesystem::path& program, std::vector<std::string> words) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail(program, errno);
    socket_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int refused = posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (refused != 0) {
      close(socket_);
      fail(program, refused);
    }
  }
  ~Child() {
    close(socket_);
    if (!ended_) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  // Writes what is left of `input` and reads on to `output`, both as far as possible within `wait_ms`. False
  // at the end of the output.
  bool exchange(std::string_view& input, std::string& output, int wait_ms) {
    pollfd look{socket_, static_cast<short>(POLLIN | (input.empty() ? 0 : POLLOUT)), 0};
    if (poll(&look, 1, wait_ms) <= 0) return true;
    if (!input.empty() && (look.revents & (POLLOUT | POLLHUP | POLLERR)) != 0) {
      const ssize_t written = send(socket_, input.data(), input.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (written > 0) input.remove_prefix(static_cast<std::size_t>(written));
      if (written < 0 && errno != EAGAIN && errno != EINTR) input = {};  // it no longer listens
      if (input.empty()) shutdown(socket_, SHUT_WR);
    }
    if ((look.revents & (POLLIN | POLLHUP | POLLERR)) == 0) return true;
    std::array<char, 65536> part{};
    const ssize_t size = recv(socket_, part.data(), part.size(), MSG_DONTWAIT);
    if (size > 0) output.append(part.data(), static_cast<std::size_t>(size));
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
  }

  bool ended(int& status) {
    ended_ = ended_ || waitpid(pid_, &status, WNOHANG) == pid_;
    return ended_;
  }

 private:
  [[noreturn]] static void fail(const std::filesystem::path& program, int error) {
    throw Error(std::string("no process could be started: ") + std::strerror(error), program.string(), "");
  }

  pid_t pid_ = -1;
  int socket_ = -1;
  bool ended_ = false;
};

std::string failure_of(int status) {
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "ended with status " + std::to_string(WEXITSTATUS(status));
  return "";
}

}  // namespace

TaskProcess::TaskProcess(std::filesystem::path program, std::vector<std::string> arguments,
                         const Clock& clock, Nanoseconds limit)
    : program_(std::move(program)), arguments_(std::move(arguments)), clock_(clock), limit_(limit) {}

TaskProcessEnd TaskProcess::run(std::string_view input) const try {
  std::vector<std::string> words = {program_.string()};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  Child child(program_, std::move(words));
  TaskProcessEnd end;
  end.pid = child.pid();
  const Nanoseconds deadline = clock_.now() + limit_;
  const auto left_ms = [&] {
    return static_cast<int>(std::max<Nanoseconds>(0, deadline - clock_.now()) / kMillisecond);
  };
  bool open = true;
  int status = 0;
  // The end of its output comes with its death, or shortly before it.
  constexpr int kShortly_ms = 5;
  while (left_ms() > 0) {
    if (open) {
      open = child.exchange(input, end.output, left_ms());
    } else if (child.ended(status)) {
      end.failure = failure_of(status);
      return end;
    } else {
      poll(nullptr, 0, std::min(kShortly_ms, left_ms()));
    }
  }
  end.failure = "was ended after " + format_duration(limit_);
  return end;
} catch (const Error& error) {
  return {"", error.summary(), -1};
}

int task_process_main() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  // Whoever started us may have died before we asked to be told: then nobody holds the other end any more.
  pollfd answer{STDOUT_FILENO, POLLOUT, 0};
  if (poll(&answer, 1, 0) == 1 && (answer.revents & (POLLHUP | POLLERR)) != 0) {
    return static_cast<int>(ExitStatus::kFailed);
  }
  const Json task = Json::parse(text, nullptr, false);
  if (!is_code_task(task)) {
    std::fputs("brokerlab task: no task on standard input\n", stderr);
    return static_cast<int>(ExitStatus::kUsage);
  }
  std::cout << carry_out(task).dump(-1, ' ', false, Json::error_handler_t::replace) << std::flush;
  return std::cout ? 0 : static_cast<int>(ExitStatus::kFailed);
}

}  // namespace brokerlab
