#include "cli/live_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"

namespace brokerlab {
namespace {

// What the words of a command line come to, behind those that name experiments.
LiveOptions parsed(std::vector<std::string> words, std::vector<std::string>* names = nullptr) {
  LiveOptions options;
  std::vector<std::string> ignored;
  CLI::App app;
  app.add_option("NAMES", names != nullptr ? *names : ignored);
  add_live_options(app, options);
  add_prometheus_options(app, options);
  std::reverse(words.begin(), words.end());
  app.parse(words);
  return options;
}

TEST(LiveOptions, NothingIsServedUnlessAskedFor) { EXPECT_FALSE(wanted_of(parsed({})).anything()); }

TEST(LiveOptions, AddressesStayOnThisMachineUnlessSaidOtherwise) {
  for (const char* text : {"9100", ":9100", "127.0.0.1:9100"})
    EXPECT_EQ(wanted_of(parsed({"--metrics", text})).metrics->text(), "127.0.0.1:9100") << text;
  EXPECT_EQ(wanted_of(parsed({"--metrics", "0.0.0.0:0"})).metrics->text(), "0.0.0.0:0");
  EXPECT_EQ(wanted_of(parsed({"--ui=[::1]:80"})).page->text(), "[::1]:80");
}

TEST(LiveOptions, APageTakesAnyPortUnlessOneIsNamed) {
  const live::Wanted anywhere = wanted_of(parsed({"--ui"}));
  ASSERT_TRUE(anywhere.page);
  EXPECT_TRUE(anywhere.page_anywhere);
  EXPECT_FALSE(wanted_of(parsed({"--ui", "9000"})).page_anywhere);
}

TEST(LiveOptions, WhatIsNoAddressBehindUiIsGivenBack) {
  std::vector<std::string> names;
  LiveOptions options = parsed({"--ui", "work-queue", "churn"}, &names);
  give_back_words(options, names);
  EXPECT_THAT(names, testing::ElementsAre("work-queue", "churn"));
  EXPECT_TRUE(wanted_of(options).page_anywhere);
  options = parsed({"--ui", "127.0.0.1:99", "churn"}, &names);
  give_back_words(options, names);
  EXPECT_THAT(names, testing::ElementsAre("churn"));
}

TEST(LiveOptions, WrongAddressesAndTagsAreRefusedByName) {
  const auto refused = [](const std::vector<std::string>& words) -> std::string {
    try {
      wanted_of(parsed(words));
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      return error.what();
    }
    return "taken";
  };
  EXPECT_THAT(refused({"--metrics", "nonsense"}), testing::HasSubstr("--metrics"));
  EXPECT_THAT(refused({"--metrics", "host:99999"}), testing::HasSubstr("--metrics"));
  EXPECT_THAT(refused({"--ui", "host:"}), testing::HasSubstr("--ui"));
  EXPECT_THAT(refused({"--tag", "branch"}), testing::HasSubstr("KEY=VALUE"));
  EXPECT_THAT(refused({"--tag", "a-b=c"}), testing::HasSubstr("--tag"));
  EXPECT_THAT(refused({"--tag", "variant=x"}), testing::HasSubstr("our own"));
  EXPECT_THAT(refused({"--tag", "a=1", "--tag", "a=2"}), testing::HasSubstr("twice"));
}

TEST(LiveOptions, TagsAreKeptInTheResult) {
  EXPECT_EQ(tags_json(wanted_of(parsed({"--tag", "branch=main", "--metrics-tags", "a=1,b=x=y"}))),
            (Json{{"branch", "main"}, {"a", "1"}, {"b", "x=y"}}));
}

TEST(LiveOptions, PerfTestsNamesMeanTheSame) {
  EXPECT_EQ(wanted_of(parsed({"--metrics-prometheus"})).metrics->text(), "127.0.0.1:8080");
  EXPECT_EQ(wanted_of(parsed({"--metrics-prometheus", "--metrics-prometheus-port", "9"})).metrics->text(),
            "127.0.0.1:9");
}

}  // namespace
}  // namespace brokerlab
