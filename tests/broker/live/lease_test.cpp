#include "broker/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "amqp/session.h"
#include "broker/cleanup.h"
#include "broker/journal.h"
#include "broker/ports.h"
#include "core/error.h"
#include "tests/broker/live/shared_broker.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;

const MonotonicClock kClock;

// The shared broker, seen from outside, with something of other people in it.
class LeaseTest : public testing::Test {
 protected:
  LeaseTest() : session_(amqp::Uri::parse(SharedBroker::get().uri())) {
    session_.declare(amqp::QueueDeclaration{.name = "theirs", .durable = true});
    session_.declare(amqp::ExchangeDeclaration{.name = "their-exchange", .type = "fanout"});
    session_.publish("", "theirs", {}, "precious");
  }
  ~LeaseTest() override {
    session_.remove_queue("theirs");
    session_.remove_exchange("their-exchange");
  }

  LeaseRequest request(const std::string& run_id) const {
    LeaseRequest request;
    request.run_id = run_id;
    request.uri = SharedBroker::get().uri();
    request.management_uri = SharedBroker::get().management_uri();
    return request;
  }

  // As somebody who may use the vhost, but not the management API.
  LeaseRequest request_of_ordinary_user(const std::string& run_id) const {
    const auto management = SharedBroker::management();
    management->create_user("ordinary", "secret", {});
    management->permit("ordinary", "/", ".*", ".*", ".*");
    LeaseRequest ordinary = request(run_id);
    amqp::Uri uri = amqp::Uri::parse(*ordinary.uri);
    uri.user = "ordinary";
    uri.password = "secret";
    ordinary.uri = uri.full();
    return ordinary;
  }

  void expect_theirs_untouched() {
    const auto queue = session_.queue("theirs");
    ASSERT_TRUE(queue.has_value());
    EXPECT_EQ(queue->messages, 1U);
    EXPECT_TRUE(session_.exchange_exists("their-exchange"));
  }

  static Topology topology(const char* text) { return Topology::from_json(parse_json(text, "test")); }
  static Topology small() {
    return topology(
        R"({"exchanges": [{"name": "e", "type": "direct"}], "queues": [{"name": "q{i}", "copies": 2}],
                        "bindings": [{"exchange": "e", "queue": "q{i}", "routing_key": "k{i}"}]})");
  }

  amqp::Session session_;
};

TEST_F(LeaseTest, AnAdministratorGetsAVhostOfItsOwnAndItGoesAgain) {
  const auto management = SharedBroker::management();
  const auto lease = Lease::open(request("own"), kClock);
  EXPECT_EQ(lease->kind(), Lease::Kind::kOwnVhost);
  EXPECT_EQ(lease->prefix(), "");
  const auto vhost = management->vhost("lab-own");
  ASSERT_TRUE(vhost.has_value());
  EXPECT_THAT(vhost->tags, testing::UnorderedElementsAre("brokerlab", "own"));
  lease->declare(small());
  EXPECT_TRUE(amqp::Session(amqp::Uri::parse(lease->uri())).publish("e", "k1", {}, "x"));
  EXPECT_FALSE(session_.queue("q1").has_value());
  lease->remove(small());
  EXPECT_FALSE(amqp::Session(amqp::Uri::parse(lease->uri())).queue("q1").has_value());
  lease->close();
  lease->close();
  EXPECT_FALSE(management->vhost("lab-own").has_value());
  EXPECT_FALSE(management->user("lab-own").has_value());
  EXPECT_THROW(amqp::Session(amqp::Uri::parse(lease->uri()), {}), Error);
  EXPECT_TRUE(Journal::leases().empty());
  expect_theirs_untouched();
}

TEST_F(LeaseTest, APrivateBrokerKeepsATopologyUntilTheNextOneIsDeclared) {
  LeaseRequest wanted;
  wanted.run_id = "private";
  const auto lease = Lease::open(wanted, kClock);
  ASSERT_EQ(lease->kind(), Lease::Kind::kPrivateBroker);
  const auto has = [&](const char* queue) {
    return amqp::Session(amqp::Uri::parse(lease->uri())).queue(queue).has_value();
  };
  lease->declare(small());
  lease->remove(small());
  EXPECT_TRUE(has("q1"));
  std::vector<Lease::Step> steps;
  // "q0" is not what it was: the broker would refuse to declare it over the old one.
  lease->declare(topology(R"({"queues": [{"name": "q0", "durable": true}]})"),
                 [&](Lease::Step step, std::size_t, std::size_t) { steps.push_back(step); });
  EXPECT_TRUE(has("q0"));
  EXPECT_FALSE(has("q1"));
  ASSERT_FALSE(steps.empty());
  EXPECT_EQ(steps.front(), Lease::Step::kRemove);
  EXPECT_EQ(steps.back(), Lease::Step::kDeclare);
}

TEST_F(LeaseTest, ALongRemovalCanBeEnded) {
  const auto lease = Lease::open(request("ended"), kClock);
  lease->declare(small());
  EXPECT_THROW(lease->remove(small(),
                             [](Lease::Step step, std::size_t, std::size_t of) {
                               EXPECT_EQ(step, Lease::Step::kRemove);
                               EXPECT_EQ(of, 2U);
                               throw Error("interrupted", "", "", ExitStatus::kInterrupted);
                             }),
               Error);
}

TEST_F(LeaseTest, EnvironmentHasVersionsAndNoSecret) {
  const auto lease = Lease::open(request("environment"), kClock);
  const Json environment = lease->environment();
  EXPECT_EQ(environment["kind"], "own_vhost");
  EXPECT_THAT(environment["rabbitmq"].get<std::string>(), testing::StartsWith("3."));
  EXPECT_FALSE(environment["erlang"].get<std::string>().empty());
  for (const std::string& secret :
       {amqp::Uri::parse(lease->uri()).password, SharedBroker::get().password()}) {
    EXPECT_THAT(environment.dump(), testing::Not(HasSubstr(secret)));
    EXPECT_THAT(Journal::leases()[0].to_json().dump(), testing::Not(HasSubstr(secret)));
    EXPECT_THAT(lease->display_uri(), testing::Not(HasSubstr(secret)));
  }
}

TEST_F(LeaseTest, AVhostOfThatNameThatIsNotOursIsNeverTouched) {
  const auto management = SharedBroker::management();
  management->create_vhost({"lab-taken", "somebody else's", {}});
  EXPECT_THROW(Lease::open(request("taken"), kClock), Error);
  EXPECT_TRUE(management->vhost("lab-taken").has_value());
  management->delete_vhost("lab-taken");
  management->create_user("lab-taken", "secret", {});
  EXPECT_THROW(Lease::open(request("taken"), kClock), Error);
  EXPECT_TRUE(management->user("lab-taken").has_value());
  management->delete_user("lab-taken");

  // Replaced while we ran: the name is right, the tag is not.
  const auto lease = Lease::open(request("replaced"), kClock);
  management->delete_vhost("lab-replaced");
  management->create_vhost({"lab-replaced", "somebody else's", {"brokerlab"}});
  try {
    lease->close();
    FAIL() << "closed";
  } catch (const Error& error) {
    EXPECT_THAT(error.summary(), HasSubstr("left alone"));
  }
  EXPECT_TRUE(management->vhost("lab-replaced").has_value());
  management->delete_vhost("lab-replaced");
  EXPECT_NO_THROW(lease->close());
}

TEST_F(LeaseTest, WithoutManagementRightsNamesGetAPrefixAndOnlyTheyGo) {
  const auto lease = Lease::open(request_of_ordinary_user("pre"), kClock);
  EXPECT_EQ(lease->kind(), Lease::Kind::kPrefix);
  EXPECT_EQ(lease->prefix(), "lab-pre.");
  lease->declare(small());
  EXPECT_TRUE(session_.queue("lab-pre.q1").has_value());
  EXPECT_TRUE(session_.publish("lab-pre.e", "k1", {}, "x"));
  ASSERT_EQ(Journal::leases().size(), 1U);
  EXPECT_THAT(Journal::leases()[0].queues, testing::ElementsAre("lab-pre.q0", "lab-pre.q1"));
  lease->close();
  EXPECT_FALSE(session_.queue("lab-pre.q1").has_value());
  EXPECT_FALSE(session_.exchange_exists("lab-pre.e"));
  EXPECT_TRUE(Journal::leases().empty());
  expect_theirs_untouched();
  SharedBroker::management()->delete_user("ordinary");
}

TEST_F(LeaseTest, PredeclaredObjectsAreUsedInPlaceAndStay) {
  LeaseRequest wanted = request("shared");
  wanted.predeclared_objects = true;
  const auto lease = Lease::open(wanted, kClock);
  EXPECT_EQ(lease->kind(), Lease::Kind::kPrefix);
  const Topology mixed =
      topology(R"({"exchanges": [{"name": "their-exchange", "type": "fanout", "predeclared": true}],
      "queues": [{"name": "theirs", "predeclared": true}, {"name": "mine"}],
      "bindings": [{"exchange": "their-exchange", "queue": "mine"}]})");
  lease->declare(mixed);
  EXPECT_TRUE(session_.publish("their-exchange", "", {}, "x"));
  EXPECT_EQ(session_.queue("lab-shared.mine")->messages, 1U);
  lease->remove(mixed);
  lease->close();
  EXPECT_FALSE(session_.queue("lab-shared.mine").has_value());
  expect_theirs_untouched();
}

TEST_F(LeaseTest, CleanupRemovesOnTheBrokerWhatAKilledRunLeft) {
  const auto management = SharedBroker::management();
  const LeaseRequest own = request("dead-vhost"), prefixed = request_of_ordinary_user("dead-prefix");
  const pid_t child = ::fork();
  if (child == 0) {
    const auto first = Lease::open(own, kClock), second = Lease::open(prefixed, kClock);
    second->declare(small());
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  ASSERT_EQ(Journal::leases().size(), 2U);
  EXPECT_TRUE(management->vhost("lab-dead-vhost").has_value());
  EXPECT_TRUE(session_.queue("lab-dead-prefix.q0").has_value());

  EXPECT_THAT(cleanup("", kClock), testing::Each(testing::StartsWith("left: ")));
  EXPECT_THAT(cleanup(*own.uri, kClock),
              testing::ElementsAre(testing::StartsWith("removed "), testing::StartsWith("removed ")));
  EXPECT_FALSE(management->vhost("lab-dead-vhost").has_value());
  EXPECT_FALSE(session_.queue("lab-dead-prefix.q0").has_value());
  EXPECT_FALSE(session_.exchange_exists("lab-dead-prefix.e"));
  EXPECT_TRUE(Journal::leases().empty());
  expect_theirs_untouched();
  management->delete_user("ordinary");
}

TEST_F(LeaseTest, WhatCannotBeOpenedIsTold) {
  LeaseRequest wrong_port = request("nowhere");
  amqp::Uri uri = amqp::Uri::parse(*wrong_port.uri);
  uri.port = free_ports(1)[0];
  wrong_port.uri = uri.full();
  EXPECT_THROW(Lease::open(wrong_port, kClock), Error);
  LeaseRequest wrong_password = request("password");
  uri = amqp::Uri::parse(*wrong_password.uri);
  uri.password = "canary";
  wrong_password.uri = uri.full();
  try {
    Lease::open(wrong_password, kClock);
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_THAT(error.summary(), HasSubstr("wrong user name or password"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("canary")));
  }
  EXPECT_TRUE(Journal::leases().empty());
}

std::string refusal(Lease& lease, const Topology& topology) {
  try {
    lease.declare(topology);
  } catch (const Error& error) {
    return error.what();
  }
  return "declared";
}

TEST_F(LeaseTest, DeclarationsTheBrokerRefusesAreExplained) {
  const auto lease = Lease::open(request("refused"), kClock);
  EXPECT_THAT(refusal(*lease, topology(R"({"exchanges": [{"name": "x", "type": "x-jms-topic"}]})")),
              HasSubstr("rabbitmq_jms_topic_exchange"));
  EXPECT_THAT(refusal(*lease, topology(R"({"exchanges": [{"name": "x", "type": "x-nonsense"}]})")),
              HasSubstr("x-nonsense"));
  lease->declare(topology(R"({"queues": [{"name": "q", "durable": true}]})"));
  const std::string other = refusal(
      *lease, topology(R"({"queues": [{"name": "q", "durable": true, "arguments": {"x-max-length": 5}}]})"));
  EXPECT_THAT(other, HasSubstr("queue 'q'"));
  EXPECT_THAT(other, HasSubstr("exists already"));
  EXPECT_THAT(refusal(*lease, topology(R"({"queues": [{"name": "absent", "predeclared": true}]})")),
              HasSubstr("\"absent\" does not exist"));
}

}  // namespace
}  // namespace brokerlab
