#include <gtest/gtest.h>

#include <csignal>
#include <string_view>

#include "roles/task_process.h"
#include "tests/amqp/live/live_broker.h"

namespace {

class BrokerForAll : public testing::Environment {
 public:
  void SetUp() override { brokerlab::amqp::LiveBroker::instance(); }
};

}  // namespace

// The program is also what an executor under test starts for each task.
int main(int count, char** arguments) {
  if (count == 2 && std::string_view(arguments[1]) == "task") return brokerlab::task_process_main();
  std::signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleTest(&count, arguments);
  testing::AddGlobalTestEnvironment(new BrokerForAll);
  return RUN_ALL_TESTS();
}
