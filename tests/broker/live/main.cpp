// The test program plays three parts: tests, the guard of the brokers they start ("guard"), and a controller
// to be ended ("hold": starts a broker, prints one line of JSON about it, and sleeps until a signal ends it).
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "broker/guard.h"
#include "broker/private_broker.h"
#include "core/json.h"
#include "tests/broker/live/shared_broker.h"
#include "tests/broker/scratch_folder.h"

namespace {

int hold() {
  const brokerlab::MonotonicClock clock;
  const auto broker = brokerlab::PrivateBroker::start({}, clock);
  const brokerlab::Json about{{"id", broker->id()},
                              {"directory", broker->directory().string()},
                              {"password", broker->password()},
                              {"port", broker->nodes()[0].amqp_port},
                              {"guard", broker->guard_pid()},
                              {"beam", broker->nodes()[0].pid}};
  std::cout << about.dump() << std::endl;
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view part = argc > 1 ? argv[1] : "";
  if (part == "guard") return brokerlab::guard_main();
  if (part == "hold") return hold();
  testing::InitGoogleTest(&argc, argv);
  // A journal of our own: cleanup under test must not meet brokers of anybody else.
  const brokerlab::ScratchFolder scratch;
  ::setenv("TMPDIR", scratch.path.c_str(), 1);
  ::setenv("XDG_RUNTIME_DIR", scratch.path.c_str(), 1);
  const int status = RUN_ALL_TESTS();
  brokerlab::SharedBroker::end();
  return status;
}
