// rabbitmq_c_client publish|consume URI NAME COUNT BYTES: as the other clients of bench/peers, with
// librabbitmq's blocking API.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "peer.h"

int main(int argc, char** argv) {
  using namespace brokerlab;
  if (argc != 6) return 2;
  class NoWatch final : public bench::Stopwatch {
    void start() override {}
    void stop() override {}
  } watch;
  bench::Task task;
  task.kind = std::string(argv[1]) == "publish" ? bench::Task::Kind::kPublish : bench::Task::Kind::kConsume;
  try {
    task.uri = amqp::Uri::parse(argv[2]);
    task.name = argv[3];
    task.messages = std::atoll(argv[4]);
    task.body_bytes = static_cast<std::size_t>(std::atoll(argv[5]));
    bench::run_librabbitmq(task, watch);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
