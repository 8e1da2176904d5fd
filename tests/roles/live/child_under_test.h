#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "amqp/uri.h"
#include "core/json.h"
#include "core/recording.h"

namespace brokerlab {

// A load or role process forked from the test, with pipes as its standard input and output: the test is its
// controller. Every wait is bounded, and a wait in vain throws. Ends the child by SIGKILL if the test has not
// ended it.
class ChildUnderTest {
 public:
  explicit ChildUnderTest(const Json& assignment);
  ~ChildUnderTest();
  ChildUnderTest(const ChildUnderTest&) = delete;
  ChildUnderTest& operator=(const ChildUnderTest&) = delete;

  void send(const Json& line);
  // Reads lines up to the first that has `key`, and returns its value; notices and the last progress are
  // kept.
  Json wait_for(const std::string& key);
  // Reads progress until `figure` has at least that value.
  void wait_for_progress(const std::string& figure, std::int64_t at_least);
  void end_input();
  void kill(int signal);
  // Waits for its end: the exit status, or minus the signal.
  int wait_for_end();
  // Sends `stop`, waits for `done` and for an exit with 0.
  void stop();

  const Json& progress() const { return progress_; }
  const std::string& notices() const { return notices_; }
  pid_t pid() const { return pid_; }

 private:
  Json next_line();

  pid_t pid_ = -1;
  int input_ = -1;   // its standard input
  int output_ = -1;  // its standard output
  std::string partial_;
  Json progress_ = Json::object();
  std::string notices_;
};

// Assignments as a controller makes them, for one run in a folder that is gone afterwards.
class RunUnderTest {
 public:
  static constexpr std::uint64_t kRun = 4711;

  explicit RunUnderTest(const amqp::Uri& uri);
  ~RunUnderTest();

  Json load(const Json& spec, std::uint32_t publisher = 0) const;
  Json churn(const Json& spec) const;
  // `publisher`: of the first instance; the others follow.
  Json role(const Json& spec, std::uint32_t publisher = 100) const;
  RecordingReader recording(const Json& assignment) const;

 private:
  Json assignment(const std::string& kind, const std::string& name, const Json& spec,
                  std::uint32_t publisher) const;

  std::string uri_;
  std::filesystem::path folder_;
};

}  // namespace brokerlab
