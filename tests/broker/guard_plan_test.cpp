#include "broker/guard_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "broker/ports.h"
#include "core/error.h"
#include "tests/broker/scratch_folder.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

GuardPlan plan_in(const fs::path& scratch) {
  GuardPlan plan;
  plan.id = "abc";
  plan.directory = scratch / "broker";
  plan.installation.rabbitmq_home = scratch / "home";
  plan.installation.epmd = "/usr/bin/epmd";
  plan.user = "lab-user";
  plan.password = "canary-of-a-password";
  plan.epmd_port = 20001;
  plan.nodes = {{"lab1@localhost", 20002, 20003, 20004, 20005, -1}};
  plan.configuration = {{"channel_max", "100"}};
  fs::create_directories(plan.installation.rabbitmq_home / "sbin");
  fs::create_directories(plan.installation.rabbitmq_home / "plugins");
  return plan;
}

TEST(GuardPlan, SurvivesTheWayThroughJson) {
  const ScratchFolder scratch;
  const GuardPlan plan = plan_in(scratch.path);
  EXPECT_EQ(GuardPlan::from_json(plan.to_json()).to_json(), plan.to_json());
}

TEST(GuardPlan, FolderIsPrivateAndSecretsAreInNoEnvironment) {
  const ScratchFolder scratch;
  const GuardPlan plan = plan_in(scratch.path);
  write_broker_folder(plan);
  const auto mode = [](const fs::path& path) {
    struct stat found {};
    EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
    return found.st_mode & 0777;
  };
  EXPECT_EQ(mode(plan.directory), 0700U);
  EXPECT_EQ(mode(plan.directory / "home" / ".erlang.cookie"), 0400U);
  EXPECT_EQ(mode(plan.node_folder(0) / "etc" / "rabbitmq.conf"), 0600U);
  for (const std::string& entry : node_environment(plan, 0))
    EXPECT_THAT(entry, testing::Not(testing::HasSubstr(plan.password)));
  EXPECT_TRUE(remove_broker_folder(plan.directory, plan.id));
  EXPECT_FALSE(fs::exists(plan.directory));
}

TEST(GuardPlan, OnlyAFolderOfItsOwnIsWrittenOrRemoved) {
  const ScratchFolder scratch;
  const GuardPlan plan = plan_in(scratch.path);
  fs::create_directories(plan.directory);
  std::ofstream(plan.directory / "precious") << "text";
  EXPECT_THROW(write_broker_folder(plan), Error);
  EXPECT_TRUE(remove_broker_folder(plan.directory, plan.id));
  EXPECT_TRUE(fs::exists(plan.directory / "precious"));
  std::ofstream(plan.directory / ".brokerlab-broker") << "another";
  remove_broker_folder(plan.directory, plan.id);
  EXPECT_TRUE(fs::exists(plan.directory / "precious"));
}

TEST(CheckConfiguration, RefusesWhatBreaksTheFileOrIsOurs) {
  EXPECT_NO_THROW(
      check_configuration({{"vm_memory_high_watermark.absolute", "512MB"}, {"channel_max", "12"}}));
  EXPECT_THROW(check_configuration({{"a = b\nc", "1"}}), Error);
  EXPECT_THROW(check_configuration({{"channel_max", "1\ndefault_pass = x"}}), Error);
  EXPECT_THROW(check_configuration({{"listeners.tcp.2", "5672"}}), Error);
  EXPECT_THROW(check_configuration({{"default_pass", "guest"}}), Error);
}

TEST(FreePorts, AreDifferentFreeAndBelowTheRangeOfClients) {
  std::vector<std::uint16_t> ports = free_ports(20);
  std::sort(ports.begin(), ports.end());
  EXPECT_EQ(std::unique(ports.begin(), ports.end()), ports.end());
  for (const std::uint16_t port : ports) {
    EXPECT_GE(port, kLowestPort);
    EXPECT_LE(port, kHighestPort);
  }
}

}  // namespace
}  // namespace brokerlab
