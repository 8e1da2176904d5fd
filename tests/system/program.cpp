#include "tests/system/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "core/clock.h"

namespace brokerlab {
namespace {

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() { EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0); }
};

[[noreturn]] void become_program(const std::vector<std::string>& arguments,
                                 const std::filesystem::path& directory, const Pipe& out, const Pipe& err) {
  dup2(out.ends[1], STDOUT_FILENO);
  dup2(err.ends[1], STDERR_FILENO);
  std::vector<std::string> words = {BROKERLAB_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  if (chdir(directory.c_str()) == 0) execv(BROKERLAB_PROGRAM, argv.data());
  _exit(127);
}

bool drain(int fd, std::string& text) {
  std::array<char, 65536> buffer{};
  const ssize_t size = read(fd, buffer.data(), buffer.size());
  if (size > 0) text.append(buffer.data(), static_cast<std::size_t>(size));
  return size > 0;
}

class SharedBroker : public testing::Environment {
 public:
  static PrivateBroker& get() {
    if (!broker_) {
      static const MonotonicClock clock;
      PrivateBrokerSpec spec;
      spec.guard_program = BROKERLAB_PROGRAM;
      spec.plugins = {"rabbitmq_auth_mechanism_ssl"};
      broker_ = PrivateBroker::start(spec, clock);
    }
    return *broker_;
  }
  void TearDown() override { broker_.reset(); }

 private:
  static inline std::unique_ptr<PrivateBroker> broker_;
};

const testing::Environment* const kSharedBroker = testing::AddGlobalTestEnvironment(new SharedBroker);

}  // namespace

ProgramResult run_program(const std::vector<std::string>& arguments, const std::filesystem::path& directory,
                          const std::function<void(int pid)>& meanwhile, int limit_s) {
  Pipe out, err;
  const pid_t pid = fork();
  if (pid == 0) become_program(arguments, directory, out, err);
  close(out.ends[1]);
  close(err.ends[1]);

  ProgramResult result;
  const MonotonicClock clock;
  const Nanoseconds limit = clock.now() + limit_s * kNanosecondsPerSecond;
  std::array<pollfd, 2> polls{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
  while (polls[0].fd >= 0 || polls[1].fd >= 0) {
    poll(polls.data(), polls.size(), 50);
    if ((polls[0].revents != 0) && !drain(out.ends[0], result.out)) polls[0].fd = -1;
    if ((polls[1].revents != 0) && !drain(err.ends[0], result.err)) polls[1].fd = -1;
    if (meanwhile) meanwhile(pid);
    if (clock.now() > limit) {
      ADD_FAILURE() << "brokerlab ran longer than " << limit_s << " s";
      kill(pid, SIGKILL);
      break;
    }
  }
  int status = 0;
  waitpid(pid, &status, 0);
  close(out.ends[0]);
  close(err.ends[0]);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "brokerlab-test-XXXXXX").string();
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path ScratchFolder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path_ / name) << text;
  return path_ / name;
}

const std::string& shared_broker() {
  static const std::string uri = SharedBroker::get().uri();
  return uri;
}

PrivateBroker& shared_private_broker() { return SharedBroker::get(); }

std::string shared_management() { return SharedBroker::get().management_uri(); }

std::unique_ptr<Management> shared_management_client() {
  const PrivateBroker& broker = SharedBroker::get();
  return std::make_unique<Management>(broker.management_uri(), broker.user(), broker.password());
}

Json run_experiment_file(const std::string& experiment, const std::vector<std::string>& more) {
  const ScratchFolder folder;
  std::vector<std::string> arguments = {"run", experiment, "--broker", shared_broker(), "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const ProgramResult program = run_program(arguments, folder.path());
  EXPECT_EQ(program.status, 0) << program.err;
  Json result = Json::parse(program.out, nullptr, false);
  EXPECT_TRUE(result.is_object()) << program.out << program.err;
  return result;
}

Json run_of(const Json& result, const std::string& variant) {
  for (const Json& run : result.value("runs", Json::array())) {
    if (run["variant"] == variant && run["repetition"] == 0) return run;
  }
  ADD_FAILURE() << "no run of variant " << variant << " in " << result.dump().substr(0, 400);
  return Json::object();
}

}  // namespace brokerlab
