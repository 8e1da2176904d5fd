// The test program plays three parts: tests, the guard of the brokers they start ("guard"), and a controller
// to be killed ("hold": starts a broker, prints one line of JSON about it, and sleeps until a signal ends it).
#include <gtest/gtest.h>
#include <unistd.h>

#include <iostream>
#include <string_view>

#include "broker/guard.h"
#include "broker/private_broker.h"
#include "core/json.h"

namespace {

int hold() {
  brokerlab::MonotonicClock clock;
  brokerlab::PrivateBrokerSpec spec;
  auto broker = brokerlab::PrivateBroker::start(spec, clock);
  brokerlab::Json about{{"id", broker->id()},
                        {"directory", broker->directory().string()},
                        {"uri", broker->uri()},
                        {"guard", broker->guard_pid()},
                        {"beam", broker->nodes()[0].pid}};
  std::cout << about.dump() << std::endl;
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view part = argc > 1 ? argv[1] : "";
  if (part == "guard") return brokerlab::guard_main();
  if (part == "hold") return hold();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
