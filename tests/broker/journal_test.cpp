#include "broker/journal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/cleanup.h"
#include "core/error.h"
#include "tests/broker/scratch_folder.h"

namespace brokerlab {
namespace {

// The journal of these tests stands in a folder of its own.
class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    ::setenv("XDG_RUNTIME_DIR", scratch_.path.c_str(), 1);
    ::setenv("TMPDIR", scratch_.path.c_str(), 1);
  }
  ~JournalTest() override {
    ::unsetenv("XDG_RUNTIME_DIR");
    ::unsetenv("TMPDIR");
  }
  ScratchFolder scratch_;
};

LeaseRecord lease(const std::string& run_id) {
  LeaseRecord record;
  record.run_id = run_id;
  record.broker = "amqp://127.0.0.1:5672/";
  record.queues = {"lab-1.q"};
  return record;
}

TEST_F(JournalTest, KeepsAndForgetsRecords) {
  LeaseRecord written = lease("one");
  Journal::write(written);
  written.queues.push_back("lab-1.r");
  Journal::write(written);
  ASSERT_EQ(Journal::leases().size(), 1U);
  EXPECT_EQ(Journal::leases()[0].to_json(), written.to_json());
  struct stat found {};
  ASSERT_EQ(::stat((Journal::state_directory() / "leases" / "one.json").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  Journal::remove_lease("one");
  EXPECT_TRUE(Journal::leases().empty());
}

TEST_F(JournalTest, AFolderOthersMayEnterIsRefused) {
  std::filesystem::create_directory(scratch_.path / "brokerlab");
  ::chmod((scratch_.path / "brokerlab").c_str(), 0755);
  EXPECT_THROW(Journal::state_directory(), Error);
}

TEST_F(JournalTest, LeasesOfLiveControllersAreLeftAlone) {
  MonotonicClock clock;
  LeaseRecord alive = lease("alive");
  alive.controller = *ProcessIdentity::of(::getpid());
  Journal::write(alive);
  EXPECT_TRUE(cleanup("", clock).empty());
  LeaseRecord dead = lease("dead");
  dead.controller = {::getpid(), alive.controller.start_ticks + 1};  // the pid was recycled: by us
  Journal::write(dead);
  const auto lines = cleanup("", clock);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("left: the queues and exchanges of run dead on amqp://127.0.0.1:5672/"),
            std::string::npos)
      << lines[0];
  EXPECT_EQ(Journal::leases().size(), 2U);
}

TEST(ProcessIdentity, TellsADeadProcessFromALiveOne) {
  EXPECT_TRUE(ProcessIdentity::of(::getpid())->alive());
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const auto identity = ProcessIdentity::of(child);
  ASSERT_TRUE(identity && identity->alive());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(identity->alive());
}

}  // namespace
}  // namespace brokerlab
