#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "broker/simulated_broker.h"
#include "core/json.h"

namespace brokerlab {

inline constexpr Nanoseconds kMs = 1'000'000;

inline Topology topology(const char* text) { return Topology::from_json(parse_json(text, "test")); }
inline Topology one_queue() { return topology(R"({"queues": [{"name": "q"}]})"); }

// Works on one message at a time; the others that came wait.
class Worker final : public SimulatedClient {
 public:
  struct Done {
    std::uint64_t id;
    Nanoseconds received_ns, started_ns;
    bool redelivered;
  };
  using EffortOf = std::function<Nanoseconds(std::uint64_t)>;

  Worker(SimulatedBroker& broker, VirtualTime& time, std::uint32_t prefetch, bool auto_ack, EffortOf effort)
      : broker_(broker), time_(time), auto_ack_(auto_ack), effort_(std::move(effort)) {
    id_ = broker.consume("q", prefetch, auto_ack, *this);
  }

  void on_delivery(std::uint64_t tag, const SimulatedMessage& message) override {
    ++received;
    waiting_.push_back({tag, {message.id, time_.now(), 0, message.redelivered}});
    pump();
  }

  void crash() {
    alive_ = false;
    broker_.crash(id_);
  }

  std::vector<Done> done;
  std::size_t received = 0;
  Nanoseconds busy_ns = 0, ended_ns = 0;

 private:
  void pump() {
    if (busy_ || waiting_.empty()) return;
    busy_ = true;
    auto [tag, work] = waiting_.front();
    waiting_.pop_front();
    work.started_ns = time_.now();
    const Nanoseconds effort_ns = effort_(work.id);
    time_.at(time_.now() + effort_ns, [this, tag = tag, work = work, effort_ns] {
      if (!alive_) return;
      busy_ns += effort_ns;
      ended_ns = time_.now();
      done.push_back(work);
      busy_ = false;
      if (!auto_ack_) broker_.ack(id_, tag);
      pump();
    });
  }

  SimulatedBroker& broker_;
  VirtualTime& time_;
  bool auto_ack_;
  EffortOf effort_;
  SimulatedBroker::ConsumerId id_ = 0;
  std::deque<std::pair<SimulatedBroker::Tag, Done>> waiting_;
  bool busy_ = false, alive_ = true;
};

// Publishes and counts what it hears.
class Source final : public SimulatedClient {
 public:
  explicit Source(SimulatedBroker& broker) : broker_(broker), id_(broker.add_publisher(*this)) {}

  void publish(std::uint64_t id, const std::string& exchange = "", const std::string& key = "q",
               std::uint32_t bytes = 0, const Json& headers = Json::object()) {
    broker_.publish(id_, {id, bytes, broker_.route(exchange, key, headers)});
  }
  void on_confirm(std::uint64_t, bool there) override {
    ++confirmed;
    routed += there;
    if (told) told();
  }

  int confirmed = 0, routed = 0;
  std::function<void()> told;

 private:
  SimulatedBroker& broker_;
  SimulatedBroker::PublisherId id_;
};

// Does with each delivery what it is told.
class Reader final : public SimulatedClient {
 public:
  using Act = std::function<void(Reader&, SimulatedBroker::Tag, const SimulatedMessage&)>;
  Reader(SimulatedBroker& broker, const std::string& queue, std::uint32_t prefetch, Act act)
      : act_(std::move(act)), id(broker.consume(queue, prefetch, false, *this)) {}
  void on_delivery(std::uint64_t tag, const SimulatedMessage& message) override {
    seen.push_back(message);
    act_(*this, tag, message);
  }
  std::vector<std::uint64_t> ids() const {
    std::vector<std::uint64_t> all;
    for (const SimulatedMessage& message : seen) all.push_back(message.id);
    return all;
  }

  std::vector<SimulatedMessage> seen;

 private:
  Act act_;

 public:
  SimulatedBroker::ConsumerId id;
};

}  // namespace brokerlab
