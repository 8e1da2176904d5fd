// Roles by hand, and against clients that are not ours: the scripts of tests/interop on the shared broker.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "tests/system/program.h"

namespace brokerlab {
namespace {

// Debian's Python has Debian's pika; another one that comes first in the PATH has not.
void run_script(const std::string& name) {
  const ScratchFolder folder;
  setenv("BROKERLAB_TEST_PROGRAM", BROKERLAB_PROGRAM, 1);
  setenv("BROKERLAB_TEST_BROKER", shared_broker().c_str(), 1);
  setenv("BROKERLAB_TEST_SOURCE", BROKERLAB_SOURCE_DIR, 1);
  setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
  const std::string output = (folder.path() / "output.txt").string();
  const std::string command = std::string("/usr/bin/python3 '") + BROKERLAB_SOURCE_DIR + "/tests/interop/" +
                              name + "' >'" + output + "' 2>&1";
  const int status = std::system(command.c_str());
  std::ifstream file(output);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(status, 0) << text;
}

TEST(Hand, RolesAndLoads) { run_script("hand_test.py"); }

TEST(Hand, CodeOnDemand) { run_script("code_test.py"); }

TEST(Containers, CommandsOfTheComposeFile) { run_script("containers_test.py"); }

TEST(Interop, OtherClients) { run_script("clients_test.py"); }

TEST(Interop, Shopping) { run_script("shopping_test.py"); }

}  // namespace
}  // namespace brokerlab
