#include "cli/plain_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "cli/command.h"
#include "cli/json_bodies.h"
#include "cli/plain_load_options.h"
#include "core/error.h"
#include "experiments/experiment.h"
#include "experiments/plan.h"

namespace brokerlab {
namespace {

// What the words of a command line after `brokerlab load` describe.
Json experiment_from(std::vector<std::string> words) {
  words.insert(words.begin(), {"brokerlab", "load"});
  words = with_long_names(words);
  CLI::App command;
  command.set_help_flag("--help");
  PlainLoad plain;
  add_option(command, "-r,--rate", plain.rate, "");
  add_plain_load_options(command, plain);
  std::vector<std::string> reversed(words.rbegin(), words.rend() - 2);
  command.parse(reversed);
  return experiment_of(plain);
}

// As the experiment's own checks see it, with every default.
Json checked(const std::vector<std::string>& words) {
  const Experiment experiment = make_experiment(experiment_from(words), "the options");
  EXPECT_NO_THROW(make_plan(experiment));
  return experiment.variants.front().experiment;
}

TEST(PlainLoad, TheCommandOfEveryTutorial) {
  const Json experiment = checked({"-x", "2", "-y", "4", "-u", "queue", "-r", "1000", "-s", "1000", "-c",
                                   "200", "-q", "50", "-A", "10", "-z", "30"});
  const Json& load = experiment.at("load").at(0);
  EXPECT_EQ(load.at("instances"), 2);
  EXPECT_EQ(load.at("arrivals"), (Json{{"process", "constant"}, {"rate", 1000}}));
  EXPECT_EQ(load.at("publish").at("body"), (Json{{"size", 1000}}));
  EXPECT_EQ(load.at("publish").at("routing_key"), "queue");
  EXPECT_EQ(load.at("confirms").at("enabled"), true);
  EXPECT_EQ(load.at("confirms").at("window"), 200);
  const Json& role = experiment.at("roles").at(0);
  EXPECT_EQ(role.at("instances"), 4);
  EXPECT_EQ(role.at("consume").at("prefetch"), 50);
  EXPECT_EQ(role.at("consume").at("ack"), "multiple(10)");
  EXPECT_EQ(experiment.at("phases").at("measure"), "30s");
}

TEST(PlainLoad, WithoutARateItIsAClosedLoopAndWithoutConfirmsNobodyWaits) {
  const Json free = checked({}).at("load").at(0);
  EXPECT_EQ(free.at("arrivals").at("process"), "closed");
  EXPECT_EQ(free.at("confirms").at("enabled"), false);
  const Json confirmed = checked({"-c", "20"}).at("load").at(0);
  EXPECT_EQ(confirmed.at("arrivals").at("outstanding"), 20);
  EXPECT_EQ(confirmed.at("confirms").at("enabled"), true);
}

TEST(PlainLoad, ConnectionsTimesChannelsAreInstances) {
  const Json experiment = checked({"-x", "3", "-X", "4", "-y", "2", "-Y", "5"});
  EXPECT_EQ(experiment.at("load").at(0).at("instances"), 12);
  EXPECT_EQ(experiment.at("load").at(0).at("channels_per_connection"), 4);
  EXPECT_EQ(experiment.at("roles").at(0).at("instances"), 10);
  EXPECT_EQ(experiment.at("roles").at(0).at("channels_per_connection"), 5);
}

// Publishers and consumers go round the queues.
TEST(PlainLoad, APatternNamesQueues) {
  const Experiment experiment = make_experiment(
      experiment_from({"-x", "5", "-y", "4", "-r", "10", "-qp", "work-%d", "-qpf", "2", "-qpt", "4"}), "x");
  const Plan plan = make_plan(experiment);
  std::vector<std::string> consumed, published;
  for (const PlannedProcess& process : plan.runs.at(0).processes) {
    for (const PlannedInstance& instance : process.instances) {
      if (!instance.queue.empty()) consumed.push_back(instance.queue);
    }
    for (const PlannedRoute& route : process.routes) published.push_back(route.queues.at(0));
  }
  EXPECT_THAT(consumed, testing::ElementsAre("work-2", "work-3", "work-4", "work-2"));
  EXPECT_THAT(published, testing::ElementsAre("work-2", "work-3", "work-4"));
}

TEST(PlainLoad, QueueTypesAndArguments) {
  const Json quorum = checked({"-qq", "-qa", "x-max-length=10,x-overflow=reject-publish"});
  const Json& queue = quorum.at("topology").at("queues").at(0);
  EXPECT_EQ(queue.at("durable"), true);
  EXPECT_EQ(queue.at("arguments").at("x-queue-type"), "quorum");
  EXPECT_EQ(queue.at("arguments").at("x-max-length"), 10);
  EXPECT_EQ(queue.at("arguments").at("x-overflow"), "reject-publish");
  const Json stream = checked({"-sq", "-sco", "first", "-q", "10", "-ma", "1h", "-smssb", "1000000"});
  EXPECT_EQ(stream.at("roles").at(0).at("consume").at("arguments").at("x-stream-offset"), "first");
  EXPECT_EQ(checked({"-f", "persistent"}).at("topology").at("queues").at(0).at("durable"), true);
  EXPECT_EQ(checked({"-p"}).at("topology").at("queues").at(0).at("predeclared"), true);
}

TEST(PlainLoad, AnExchangeIsDeclaredAndBound) {
  const Json named = checked({"-e", "events", "-t", "topic", "-k", "news"}).at("topology");
  EXPECT_EQ(named.at("exchanges").at(0).at("type"), "topic");
  EXPECT_EQ(named.at("bindings").at(0).at("routing_key"), "news");
  EXPECT_TRUE(checked({}).at("topology").at("exchanges").empty());
  EXPECT_TRUE(checked({"-e", "amq.topic", "-k", "a"}).at("topology").at("exchanges").empty());
  EXPECT_TRUE(checked({"-e", "e", "-sb"}).at("topology").at("bindings").empty());
  const Json random = checked({"-K", "-rkcs", "7", "-e", "e", "-t", "fanout"});
  EXPECT_EQ(random.at("load").at(0).at("publish").at("routing_key"), (Json{{"random", 7}}));
}

TEST(PlainLoad, ChangesOverTimeGoRound) {
  const Json experiment = checked({"-vr", "100:1", "200:2", "-z", "5", "-vs", "10:1", "-vl", "50:2"});
  const Json& steps = experiment.at("load").at(0).at("arrivals").at("steps");
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_EQ(steps.at(2).at("rate"), 100);
  EXPECT_EQ(experiment.at("roles").at(0).at("effort").at("seconds").at("profile").at(0).at("value"), "50us");
  EXPECT_THROW(experiment_from({"-vr", "100"}), Error);
}

TEST(PlainLoad, SettlementStartAndPropertiesHaveKeys) {
  const Json experiment =
      checked({"-na", "-re", "false", "-R", "5", "-S",    "-csd", "2",   "-n",
               "4",   "-Q",  "9",     "-m", "3", "-prsd", "1",    "-mp", "priority=5,messageId=a,colour=red",
               "-r",  "1"});
  const Json& load = experiment.at("load").at(0);
  EXPECT_EQ(load.at("transaction"), 3);
  EXPECT_EQ(load.at("start").at("within"), "1s");
  EXPECT_EQ(load.at("publish").at("priority"), 5);
  EXPECT_EQ(load.at("publish").at("properties").at("message_id"), "a");
  EXPECT_EQ(load.at("publish").at("headers"), (Json{{"colour", "red"}}));
  const Json& role = experiment.at("roles").at(0);
  EXPECT_EQ(role.at("settle"), (Json{{"nack", 1}}));
  EXPECT_EQ(role.at("consume").at("rate"), 5);
  EXPECT_EQ(role.at("consume").at("channel_prefetch"), 9);
  EXPECT_EQ(role.at("consume").at("start"), (Json{{"after", "2s"}, {"every", "1s"}}));
}

// As many are published as the consumers are to take.
TEST(PlainLoad, ACountOfConsumersIsOneOfPublishers) {
  const auto count = [](const std::vector<std::string>& words) {
    return checked(words).at("load").at(0).at("stop").at("count").get<int>();
  };
  EXPECT_EQ(count({"-x", "4", "-y", "2", "-D", "100", "-r", "1"}), 50);
  EXPECT_EQ(count({"-x", "3", "-y", "2", "-D", "100", "-r", "1"}), 67) << "none too few";
  EXPECT_EQ(count({"-x", "1", "-y", "2", "-E", "-D", "100", "-r", "1"}), 100) << "each gets all of them";
  EXPECT_EQ(count({"-C", "7", "-D", "100", "-r", "1"}), 7);
  EXPECT_EQ(checked({"-D", "100"}).at("phases").at("measure"), "1h") << "it ends by its count";
  EXPECT_EQ(checked({"-D", "0"}).at("phases").at("measure"), "10s") << "0 is none";
  EXPECT_THROW(experiment_from({"-x", "0", "-D", "100"}), Error);
}

TEST(PlainLoad, JsonBodiesHaveTheirSizeAndAreJson) {
  const Json publish =
      checked({"-jb", "-s", "700", "-bc", "20", "-bfc", "5", "--verify"}).at("load").at(0).at("publish");
  EXPECT_EQ(publish.at("content_type"), "application/json");
  EXPECT_EQ(publish.at("verify"), true);
  ASSERT_EQ(publish.at("body").at("lines").size(), 20U);
  for (const Json& body : publish.at("body").at("lines")) EXPECT_EQ(body.get<std::string>().size(), 700U);
  for (const std::size_t bytes : {kLeastJsonBody, std::size_t{9}, std::size_t{50}, std::size_t{5000}}) {
    for (const std::string& body : random_json_bodies(30, bytes, 3)) {
      EXPECT_EQ(body.size(), bytes);
      const Json document = Json::parse(body, nullptr, false);
      ASSERT_TRUE(document.is_object()) << body;
      EXPECT_EQ(document.dump().size(), bytes) << "no name stands in it twice";
    }
  }
  EXPECT_THROW(experiment_from({"-jb", "-s", "7"}), Error);
}

// Read as one letter and a value, -dcr would name the experiment "cr".
TEST(PlainLoad, EveryNameOfPerfTestIsKnown) {
  EXPECT_THROW(experiment_from({"-dcr"}), Error);
  EXPECT_THROW(experiment_from({"-qf", "names.txt"}), Error);
  EXPECT_THROW(experiment_from({"-se"}), Error);
  EXPECT_NO_THROW(experiment_from({"-tnd", "true", "-ct", "30", "-ntyep"}));
  std::ifstream page(BROKERLAB_SOURCE_DIR "/docs/coming-from-perftest.md");
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  for (const auto& [letters, name] : perftest_names())
    EXPECT_NE(text.find("`-" + letters + "`"), std::string::npos) << letters << ", " << name;
}

TEST(PlainLoad, WhatContradictsItselfIsRefused) {
  EXPECT_THROW(experiment_from({"-x", "0", "-y", "0"}), Error);
  EXPECT_THROW(experiment_from({"-q", "5", "-A", "10"}), Error);
  EXPECT_THROW(experiment_from({"-m", "5", "-c", "10"}), Error);
  EXPECT_THROW(experiment_from({"-qq", "-sq"}), Error);
  EXPECT_THROW(experiment_from({"-qp", "work"}), Error);
  EXPECT_THROW(experiment_from({"-f", "fast"}), Error);
  EXPECT_THROW(experiment_from({"-qa", "x-max-length"}), Error);
}

TEST(PlainLoad, OnlyTheCommandLoadHasNamesOfSeveralLetters) {
  EXPECT_THAT(with_long_names({"brokerlab", "load", "-qp", "a", "-x", "1"}),
              testing::ElementsAre("brokerlab", "load", "--queue-pattern", "a", "-x", "1"));
  EXPECT_THAT(with_long_names({"brokerlab", "run", "-qp"}), testing::ElementsAre("brokerlab", "run", "-qp"));
}

}  // namespace
}  // namespace brokerlab
