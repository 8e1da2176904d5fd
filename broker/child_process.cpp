#include "broker/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace brokerlab {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

// Between fork and exec in what may be a threaded process: only async-signal-safe calls, nothing allocated.
struct Prepared {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* folder;
  const char* output;
  int input, output_descriptor;
  bool dies_with_parent, own_session;
  pid_t parent;

  [[noreturn]] void run() const {
    if (own_session) ::setsid();
    if (dies_with_parent) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(127);  // it died before we could ask
    }
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    int in = input >= 0 ? input : ::open("/dev/null", O_RDONLY);
    int out = ::open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int said = output_descriptor >= 0 ? output_descriptor : out;
    if (in < 0 || out < 0 || ::dup2(out, 2) < 0 || ::dup2(said, 1) < 0 || ::dup2(in, 0) < 0) ::_exit(127);
    ::close_range(3, ~0U, 0);
    if (::chdir(folder) != 0) ::_exit(127);
    ::execve(program, arguments, environment);
    ::_exit(127);
  }
};

}  // namespace

pid_t ChildProcess::spawn() const {
  std::vector<char*> argument_list = pointers(arguments);
  std::vector<char*> environment_list = pointers(environment);
  std::string output_path = output.empty() ? "/dev/null" : output.string();
  Prepared prepared{
      program.c_str(), argument_list.data(), environment_list.data(), folder.c_str(), output_path.c_str(),
      input,           output_descriptor,    dies_with_parent,        own_session,    ::getpid()};
  pid_t pid = ::fork();
  if (pid == 0) prepared.run();
  if (pid < 0) {
    throw Error(std::string("cannot start a process: ") + std::strerror(errno), program,
                "raise the limit of processes or memory (ulimit -u)");
  }
  return pid;
}

std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (char** entry = environ; *entry; ++entry) all.emplace_back(*entry);
  return all;
}

}  // namespace brokerlab
