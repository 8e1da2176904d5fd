#include "analysis/environment.h"

#include <gmock/gmock.h>

namespace brokerlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Environment, TakesCredentialsOutOfUris) {
  EXPECT_EQ(without_credentials("amqp://me:canary@host:5672/lab"), "amqp://host:5672/lab");
  EXPECT_EQ(without_credentials("amqps://canary@host/"), "amqps://host/");
  EXPECT_EQ(without_credentials("amqp://me:can@ary/x@host/lab"), "amqp://host/lab");
  EXPECT_EQ(without_credentials("amqp://host/lab?password=canary"), "amqp://host/lab");
  EXPECT_EQ(without_credentials("see amqp://a:b@c/d and amqp://e:f@g/h."), "see amqp://c/d and amqp://g/h.");
  EXPECT_EQ(without_credentials("nothing here"), "nothing here");
}

TEST(Environment, BlotsSecretsOutOfTheCommand) {
  EXPECT_THAT(
      blot_secrets({"brokerlab", "run", "x.json", "--broker", "amqp://u:canary@h/v", "--token", "canary",
                    "--password=canary", "--broker=amqp://u:canary@h/v", "--set", "broker.password=canary"}),
      ElementsAre("brokerlab", "run", "x.json", "--broker", "amqp://h/v", "--token", "***", "--password=***",
                  "--broker=amqp://h/v", "--set", "broker.password=***"));
}

TEST(Environment, HoldsNoSecretWhereverItStands) {
  EnvironmentInput input;
  input.command = {"brokerlab", "--broker", "amqp://u:canary@h/v"};
  input.broker = {{"kind", "external"},
                  {"uri", "amqp://u:canary@h/v"},
                  {"management_password", "canary"},
                  {"nodes", {{{"uri", "amqp://u:canary@i/v"}, {"cookie", "canary"}}}}};
  input.versions = {{"rabbitmq", "3.10.8"}};
  const Json environment = describe_environment(input);
  EXPECT_THAT(environment.dump(), Not(HasSubstr("canary")));
  EXPECT_EQ(environment.at("broker").at("uri"), "amqp://h/v");
  EXPECT_EQ(environment.at("versions").at("rabbitmq"), "3.10.8");
}

TEST(Environment, DescribesThisHost) {
  const Json host = describe_environment({}).at("host");
  EXPECT_GE(host.at("cores").get<int>(), 1);
  EXPECT_GT(host.at("memory_bytes").get<std::int64_t>(), 1 << 20);
  EXPECT_THAT(host.at("kernel").get<std::string>(), HasSubstr("Linux"));
}

}  // namespace
}  // namespace brokerlab
