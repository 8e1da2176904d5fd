#include "experiments/step_log.h"

#include <gtest/gtest.h>

#include <optional>

#include "core/error.h"
#include "tests/experiments/scratch_folder.h"

namespace brokerlab {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(StepLog, AddsToWhatAnEarlierRunLeft) {
  const ScratchFolder folder;
  const std::filesystem::path logs = folder.path() / "deep" / "logs";
  StepLog(logs, "worker-0").write("one");
  StepLog(logs, "worker-0").write("two");
  EXPECT_EQ(text_of(logs / "worker-0.log"), "one\ntwo\n");
}

TEST(StepLog, AFileInUseIsLeftToItsProcess) {
  const ScratchFolder folder;
  std::optional<StepLog> first(std::in_place, folder.path(), "worker-0");
  StepLog second(folder.path(), "worker-0");
  EXPECT_EQ(first->path(), folder.path() / "worker-0.log");
  EXPECT_EQ(second.path(), folder.path() / "worker-0.2.log");
  first.reset();
  EXPECT_EQ(StepLog(folder.path(), "worker-0").path(), folder.path() / "worker-0.log");
}

TEST(StepLog, SaysWhereItCannotWrite) {
  try {
    const StepLog log("/proc/no-folder", "worker-0");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.where().find("/proc/no-folder"), std::string::npos);
    EXPECT_NE(error.remedy().find("--log-dir"), std::string::npos);
  }
}

}  // namespace
}  // namespace brokerlab
