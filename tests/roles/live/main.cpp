#include <gtest/gtest.h>

#include <csignal>

#include "tests/amqp/live/live_broker.h"

namespace {

class BrokerForAll : public testing::Environment {
 public:
  void SetUp() override { brokerlab::amqp::LiveBroker::instance(); }
};

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleTest(&count, arguments);
  testing::AddGlobalTestEnvironment(new BrokerForAll);
  return RUN_ALL_TESTS();
}
