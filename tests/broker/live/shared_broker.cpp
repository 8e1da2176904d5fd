#include "tests/broker/live/shared_broker.h"

namespace brokerlab {

PrivateBroker& SharedBroker::get() {
  static const MonotonicClock clock;
  if (!broker_) broker_ = PrivateBroker::start({}, clock);
  return *broker_;
}

std::unique_ptr<Management> SharedBroker::management() {
  return std::make_unique<Management>(get().management_uri(), get().user(), get().password());
}

void SharedBroker::end() { broker_.reset(); }

}  // namespace brokerlab
