#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/management.h"
#include "broker/private_broker.h"
#include "core/json.h"

namespace brokerlab {

// What a run of the brokerlab binary left behind.
struct ProgramResult {
  int status = -1;  // exit status; 128 + signal when killed
  std::string out;
  std::string err;
};

// Runs the binary under test as a user would, in `directory`, bounded in time (killed after that, and the
// test fails). `meanwhile` is called with its pid every 50 ms while it runs.
ProgramResult run_program(const std::vector<std::string>& arguments, const std::filesystem::path& directory,
                          const std::function<void(int pid)>& meanwhile = {}, int limit_s = 120);

// A folder that is removed at the end of the test.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

// AMQP URI, with credentials, of one private broker that all tests of this program share.
const std::string& shared_broker();
// URI of its management API, without credentials, and a client of it.
PrivateBroker& shared_private_broker();
std::string shared_management();
std::unique_ptr<Management> shared_management_client();

// Runs an experiment on the shared broker and returns its result.json; fails the test when there is none.
Json run_experiment_file(const std::string& experiment, const std::vector<std::string>& more = {});
// The run of that variant, repetition 0.
Json run_of(const Json& result, const std::string& variant = "default");

}  // namespace brokerlab
