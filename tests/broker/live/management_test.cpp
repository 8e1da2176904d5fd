#include "broker/management.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "amqp/session.h"
#include "broker/ports.h"
#include "core/error.h"
#include "tests/broker/live/shared_broker.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;

TEST(Management, TellsWhoAndWhat) {
  const auto management = SharedBroker::management();
  EXPECT_TRUE(management->reachable());
  EXPECT_TRUE(management->whoami().administrator());
  EXPECT_THAT(management->versions().rabbitmq, testing::StartsWith("3."));
  EXPECT_FALSE(management->versions().erlang.empty());
}

TEST(Management, VhostsWithAwkwardNamesComeAndGo) {
  const auto management = SharedBroker::management();
  const std::string name = "lab \"><script>/%2F+?ü";
  management->create_vhost({name, "a <b>description</b>", {"one", "two"}});
  const auto made = management->vhost(name);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->name, name);
  EXPECT_EQ(made->description, "a <b>description</b>");
  EXPECT_THAT(made->tags, testing::ElementsAre("one", "two"));
  management->delete_vhost(name);
  EXPECT_FALSE(management->vhost(name).has_value());
  EXPECT_NO_THROW(management->delete_vhost(name));
}

TEST(Management, AScopedUserMayEnterItsVhostOnly) {
  const auto management = SharedBroker::management();
  management->create_vhost({"scoped", "", {}});
  management->create_user("scoped", "secret", {});
  management->permit("scoped", "scoped", ".*", ".*", ".*");
  amqp::Uri uri = amqp::Uri::parse(SharedBroker::get().uri());
  uri.user = "scoped";
  uri.password = "secret";
  EXPECT_THROW(amqp::Session{uri}, Error);
  uri.vhost = "scoped";
  EXPECT_NO_THROW(amqp::Session{uri});
  Management without_tag(SharedBroker::get().management_uri(), "scoped", "secret");
  EXPECT_THROW(without_tag.overview(), Error);
  management->delete_user("scoped");
  management->delete_vhost("scoped");
  EXPECT_THROW(amqp::Session{uri}, Error);
}

TEST(Management, ShowsAndClosesConnections) {
  const auto management = SharedBroker::management();
  const amqp::Uri uri = amqp::Uri::parse(SharedBroker::get().uri());
  amqp::Session session(uri);
  // The list lags: for some seconds it shows connections of earlier tests, too, and does not show ours.
  std::string name;
  EXPECT_TRUE(eventually([&] {
    for (const Management::Connection& connection : management->connections()) {
      if (connection.client != "brokerlab controller" || connection.state != "running") continue;
      name = connection.name;
      management->close_connection(name, "test");
    }
    try {
      session.queue("any");
      return false;
    } catch (const Error&) {
      return true;
    }
  }));
  EXPECT_NO_THROW(management->close_connection(name, "test"));
}

TEST(Management, KnowsTheDepthOfQueues) {
  const auto management = SharedBroker::management();
  amqp::Session session(amqp::Uri::parse(SharedBroker::get().uri()));
  session.declare(amqp::QueueDeclaration{.name = "depth", .durable = true});
  for (int i = 0; i < 3; ++i) session.publish("", "depth", {}, "x");
  EXPECT_TRUE(eventually([&] {
    for (const Management::QueueDepth& queue : management->queue_depths("/")) {
      if (queue.name == "depth" && queue.ready == 3 && queue.unacked == 0) return true;
    }
    return false;
  }));
  session.remove_queue("depth");
}

TEST(Management, FailuresSayWhatToDoAndKeepThePassword) {
  Management wrong(SharedBroker::get().management_uri(), "nobody", "canary");
  try {
    wrong.overview();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.summary(), HasSubstr("refuses the login"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("canary")));
  }
  Management nobody("http://user:canary@127.0.0.1:" + std::to_string(free_ports(1)[0]), "", "");
  EXPECT_FALSE(nobody.reachable());
  EXPECT_THAT(nobody.uri(), testing::Not(HasSubstr("canary")));
  try {
    nobody.overview();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.remedy(), HasSubstr("rabbitmq_management"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("canary")));
  }
  EXPECT_THROW(Management("127.0.0.1:15672", "a", "b"), Error);
}

}  // namespace
}  // namespace brokerlab
