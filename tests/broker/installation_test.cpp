#include "broker/installation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "tests/broker/scratch_folder.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

TEST(Installation, NotInstalledIsOneLineThatSaysWhatToInstall) {
  Installation::Search nowhere;
  nowhere.folders = {"/nonexistent"};
  nowhere.path = "/nonexistent";
  try {
    Installation::find(nowhere);
    FAIL() << "found something";
  } catch (const Error& error) {
    EXPECT_EQ(error.summary(), "rabbitmq-server is not installed");
    EXPECT_THAT(error.remedy(), testing::HasSubstr("apt-get install rabbitmq-server"));
    EXPECT_EQ(error.status(), ExitStatus::kFailed);
  }
}

TEST(Installation, AWrapperWithoutPluginsBesideItIsNotTaken) {
  const ScratchFolder scratch;
  std::ofstream(scratch.path / "rabbitmq-server") << "#!/bin/sh\n";
  std::ofstream(scratch.path / "epmd") << "#!/bin/sh\n";
  fs::permissions(scratch.path / "epmd", fs::perms::owner_all);
  Installation::Search search;
  search.folders = {};
  search.path = scratch.path;
  EXPECT_THROW(Installation::find(search), Error);
}

void add_app(const fs::path& plugins, const std::string& name, const std::string& text) {
  fs::create_directories(plugins / (name + "-1.0") / "ebin");
  std::ofstream(plugins / (name + "-1.0") / "ebin" / (name + ".app")) << text;
}

TEST(NeededPluginFolders, AreThePluginsAndWhatTheyDependOn) {
  const ScratchFolder scratch;
  add_app(scratch.path, "rabbit", "{application, rabbit, [{applications, [kernel,stdlib,\n ranch]}]}.");
  add_app(scratch.path, "ranch", "{application,ranch,[{applications,[]},{included_applications,[deep]}]}.");
  add_app(scratch.path, "deep", "{application,deep,[{applications, [rabbit, % unused\n kernel]}]}.");
  add_app(scratch.path, "wanted", "{application,wanted,[{applications,[rabbit]}]}.");
  add_app(scratch.path, "unused", "{application,unused,[{applications,[]}]}.");
  EXPECT_THAT(needed_plugin_folders(scratch.path, {"wanted"}),
              testing::ElementsAre("deep-1.0", "rabbit-1.0", "ranch-1.0", "wanted-1.0"));
  EXPECT_THROW(needed_plugin_folders(scratch.path, {"absent"}), Error);
}

}  // namespace
}  // namespace brokerlab
