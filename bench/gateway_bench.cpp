// What it costs to go through the gateway instead of speaking AMQP: one message sent (confirmed by the
// broker) or received, one after the other, by the same client on one machine. The two ways take turns, so
// that whatever else the machine does hits both.
//
//   gateway_bench --broker amqp://user:password@127.0.0.1:5672 --count 2000 --size 200
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "amqp/session.h"
#include "broker/gateway.h"
#include "broker/queue_desk.h"
#include "core/clock.h"
#include "core/histogram.h"
#include "roles/gateway_client.h"

namespace {

using namespace brokerlab;

constexpr int kBlock = 100;  // messages in a row before the other way has its turn

struct Way {
  const char* name;
  std::function<void()> send, receive;
  Histogram sent, received;
};

void time(const Clock& clock, Histogram& histogram, const std::function<void()>& act) {
  const Nanoseconds begun = clock.now();
  act();
  histogram.record(clock.now() - begun);
}

void print(const char* act, const Way& direct, const Way& gateway, Histogram Way::*which) {
  const auto us = [&](const Way& way, double quantile) {
    return static_cast<double>((way.*which).quantile(quantile)) / 1e3;
  };
  fmt::print("{:<8} {:>9.0f} {:>9.0f} {:>12.0f} {:>9.0f} {:>8.1f}\n", act, us(direct, 0.5), us(direct, 0.99),
             us(gateway, 0.5), us(gateway, 0.99), us(gateway, 0.5) / us(direct, 0.5));
}

int measure(const std::string& broker, int count, std::size_t size) {
  const MonotonicClock clock;
  const amqp::Uri uri = amqp::Uri::parse(broker);
  amqp::Session session(uri);
  QueueDesk desk(uri, {});
  const auto gateway = Gateway::start({ListenAddress::parse("127.0.0.1:0"), "", {}, {}}, desk);
  GatewayClient client("http://" + gateway->address().text());
  const std::string queue = "brokerlab.gateway_bench", body(size, 'x');
  client.create(queue);
  const auto want = [](bool there) {
    if (!there) throw std::runtime_error("a message is missing");
  };
  Way direct{"AMQP",
             [&] { session.publish("", queue, {}, body); },
             [&] { want(session.get(queue).has_value()); },
             {},
             {}};
  Way through{
      "gateway", [&] { client.send(queue, body); }, [&] { want(client.receive(queue).has_value()); }, {}, {}};
  for (int done = 0; done < count; done += kBlock) {
    for (Way* way : {&direct, &through}) {
      for (int i = 0; i < kBlock; ++i) time(clock, way->sent, way->send);
      for (int i = 0; i < kBlock; ++i) time(clock, way->received, way->receive);
    }
  }
  session.remove_queue(queue);
  fmt::print("us per message of {} B, {} messages each way, one at a time\n", size, direct.sent.count());
  fmt::print("{:<8} {:>9} {:>9} {:>12} {:>9} {:>8}\n", "", "AMQP p50", "p99", "gateway p50", "p99", "ratio");
  print("send", direct, through, &Way::sent);
  print("receive", direct, through, &Way::received);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The gateway against AMQP"};
  std::string broker = "amqp://127.0.0.1";
  int count = 2000;
  std::size_t size = 200;
  app.add_option("--broker", broker, "AMQP URI")->envname("BROKERLAB_BROKER");
  app.add_option("--count", count, "messages each way")->check(CLI::Range(kBlock, 1'000'000));
  app.add_option("--size", size, "bytes of a message");
  CLI11_PARSE(app, argc, argv);
  try {
    return measure(broker, count, size);
  } catch (const std::exception& error) {
    fmt::print(stderr, "gateway_bench: {}\n", error.what());
    return 1;
  }
}
