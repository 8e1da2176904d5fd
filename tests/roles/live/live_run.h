#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "amqp/session.h"
#include "core/clock.h"
#include "core/recording.h"
#include "tests/amqp/live/live_broker.h"
#include "tests/roles/live/child_under_test.h"

namespace brokerlab {

inline std::size_t with_outcome(const std::vector<PublishRecord>& records, std::uint8_t outcome) {
  return static_cast<std::size_t>(std::count_if(
      records.begin(), records.end(), [&](const auto& record) { return record.outcome == outcome; }));
}

// A run on the program's broker with a queue of its own.
class LiveRun : public testing::Test {
 protected:
  LiveRun() {
    amqp::QueueDeclaration declaration;
    declaration.name = queue_;
    broker_.declare(declaration);
  }
  ~LiveRun() override {
    amqp::Session last(amqp::LiveBroker::instance().uri());  // a test may have cost us the first one
    if (last.queue(queue_)) last.remove_queue(queue_);
  }

  Json load_spec(std::uint64_t count, double rate) const {
    return {{"name", "emitter"},
            {"arrivals", {{"process", "constant"}, {"rate", rate}}},
            {"publish", {{"routing_key", queue_}}},
            {"stop", {{"count", count}}}};
  }
  Json role_spec(const Json& consume = Json::object()) const {
    Json spec = {{"role", "worker"}, {"consume", consume}};
    spec["consume"]["queue"] = queue_;
    return spec;
  }
  void start(ChildUnderTest& child) const { child.send({{"start", clock_.now() + 100'000'000}}); }

  // Fills the queue by a load of its own, from start to end.
  std::vector<PublishRecord> publish_all(const Json& spec) const {
    const Json assignment = run_.load(spec);
    ChildUnderTest load(assignment);
    load.wait_for("ready");
    start(load);
    load.wait_for("load_done");
    load.stop();
    return publishes(assignment);
  }

  std::vector<PublishRecord> publishes(const Json& assignment) const {
    std::vector<PublishRecord> records;
    run_.recording(assignment).each_publish([&](auto some) {
      records.insert(records.end(), some.begin(), some.end());
    });
    return records;
  }
  std::vector<DeliveryRecord> deliveries(const Json& assignment) const {
    std::vector<DeliveryRecord> records;
    run_.recording(assignment).each_delivery([&](auto some) {
      records.insert(records.end(), some.begin(), some.end());
    });
    return records;
  }
  std::vector<EventRecord> events(const Json& assignment, EventKind kind) const {
    std::vector<EventRecord> records;
    run_.recording(assignment).each_event([&](auto some) {
      for (const EventRecord& record : some) {
        if (record.kind == static_cast<std::uint32_t>(kind)) records.push_back(record);
      }
    });
    return records;
  }
  std::uint32_t ready_messages() { return broker_.queue(queue_)->messages; }

  MonotonicClock clock_;
  const std::string queue_ = testing::UnitTest::GetInstance()->current_test_info()->name();
  amqp::Session broker_{amqp::LiveBroker::instance().uri()};
  RunUnderTest run_{amqp::LiveBroker::instance().uri()};
};

}  // namespace brokerlab
