// CPU microseconds per message of this client and of librabbitmq's blocking API, on a running broker. Each
// measured client runs in a process of its own; rounds are interleaved; medians are printed side by side.
//
//   publish   to a fanout exchange without a queue, at full speed
//   consume   a filled classic queue, automatic acknowledgement
//   ack       the same with prefetch 1000 and multiple acks, one per 100 messages
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "amqp/declaration.h"
#include "amqp/session.h"
#include "core/clock.h"
#include "peer.h"

namespace brokerlab::bench {
namespace {

struct Measurement {
  double cpu_us = 0, wall_us = 0;
};

class CpuStopwatch final : public Stopwatch {
 public:
  void start() override { cpu_ = cpu_us(), wall_ = clock_.now(); }
  void stop() override { result_ = {cpu_us() - cpu_, static_cast<double>(clock_.now() - wall_) / 1e3}; }
  const Measurement& result() const { return result_; }

 private:
  static double cpu_us() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  }
  MonotonicClock clock_;
  double cpu_ = 0;
  Nanoseconds wall_ = 0;
  Measurement result_;
};

using Run = void (*)(const Task&, Stopwatch&);

Measurement in_own_process(const Task& task, Run run) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe");
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    try {
      CpuStopwatch watch;
      run(task, watch);
      const auto result = watch.result();
      _exit(write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    }
  }
  close(ends[1]);
  Measurement result;
  const bool whole = read(ends[0], &result, sizeof result) == sizeof result;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!whole || status != 0) throw std::runtime_error("a measured client failed");
  result.cpu_us /= static_cast<double>(task.messages);
  result.wall_us /= static_cast<double>(task.messages);
  return result;
}

class Bench {
 public:
  Bench(amqp::Uri uri, std::int64_t messages) : uri_(std::move(uri)), messages_(messages), session_(uri_) {
    const auto id = std::to_string(getpid());
    drop_.name = "brokerlab-bench-drop-" + id;
    drop_.type = "fanout";
    drop_.auto_delete = false;
    queue_.name = "brokerlab-bench-queue-" + id;
    fill_.name = "brokerlab-bench-fill-" + id;
    fill_.type = "fanout";
    session_.declare({{drop_, fill_},
                      {queue_},
                      {{fill_.name, amqp::BindingDeclaration::To::kQueue, queue_.name, "", Json::object()}}});
  }
  ~Bench() {
    session_.remove_queue(queue_.name);
    session_.remove_exchange(drop_.name);
    session_.remove_exchange(fill_.name);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void round(std::size_t body_bytes) {
    Task task{Task::Kind::kPublish, uri_, drop_.name, body_bytes, messages_, 0};
    note("publish", body_bytes, "ours", in_own_process(task, run_ours));
    note("publish", body_bytes, "librabbitmq", in_own_process(task, run_librabbitmq));
    for (const auto kind : {Task::Kind::kConsume, Task::Kind::kConsumeAndAck}) {
      const char* what = kind == Task::Kind::kConsume ? "consume" : "consume+ack";
      consume(kind, what, body_bytes, "ours", run_ours, 0);
      consume(kind, what, body_bytes, "ours, 1 ms", run_ours, 1'000'000);
      consume(kind, what, body_bytes, "librabbitmq", run_librabbitmq, 0);
    }
  }

  void print() const {
    std::printf("%-12s %7s  %-12s %10s %10s %8s\n", "what", "bytes", "client", "cpu us", "(lowest)",
                "k msg/s");
    for (const auto& [key, series] : results_) {
      const auto& [what, body, client] = key;
      std::printf("%-12s %7zu  %-12s %10.3f %10.3f %8.1f\n", what.c_str(), body, client.c_str(),
                  median(series, &Measurement::cpu_us), lowest(series),
                  1e3 / median(series, &Measurement::wall_us));
    }
  }

 private:
  void consume(Task::Kind kind, const char* what, std::size_t body_bytes, const char* client, Run run,
               std::int64_t coalescing_ns) {
    in_own_process({Task::Kind::kPublish, uri_, fill_.name, body_bytes, messages_, 0}, run_ours);
    note(what, body_bytes, client,
         in_own_process({kind, uri_, queue_.name, body_bytes, messages_, coalescing_ns}, run));
    session_.purge(queue_.name);
  }
  void note(const char* what, std::size_t body_bytes, const char* client, const Measurement& result) {
    results_[{what, body_bytes, client}].push_back(result);
  }
  static double median(const std::vector<Measurement>& series, double Measurement::*field) {
    std::vector<double> values;
    for (const auto& each : series) values.push_back(each.*field);
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
  static double lowest(const std::vector<Measurement>& series) {
    return std::min_element(series.begin(), series.end(),
                            [](auto& a, auto& b) { return a.cpu_us < b.cpu_us; })
        ->cpu_us;
  }

  amqp::Uri uri_;
  std::int64_t messages_;
  amqp::Session session_;
  amqp::ExchangeDeclaration drop_, fill_;
  amqp::QueueDeclaration queue_;
  std::map<std::tuple<std::string, std::size_t, std::string>, std::vector<Measurement>> results_;
};

}  // namespace
}  // namespace brokerlab::bench

int main(int count, char** arguments) {
  CLI::App app{"CPU per message of brokerlab's AMQP client and of librabbitmq, on a running broker"};
  std::string broker;
  std::int64_t messages = 200'000;
  int rounds = 3;
  std::vector<std::size_t> sizes{12, 100, 1024};
  app.add_option("--broker", broker, "amqp://user:password@host:port/vhost")->required();
  app.add_option("--messages", messages, "per measurement")->check(CLI::Range(1000, 10'000'000));
  app.add_option("--rounds", rounds, "interleaved")->check(CLI::Range(1, 100));
  app.add_option("--sizes", sizes, "of bodies, in bytes")->delimiter(',');
  CLI11_PARSE(app, count, arguments);
  std::signal(SIGPIPE, SIG_IGN);  // a lost broker is reported by the write
  try {
    brokerlab::bench::Bench bench(brokerlab::amqp::Uri::parse(broker), messages);
    for (int round = 0; round < rounds; ++round) {
      for (const auto size : sizes) bench.round(size);
    }
    bench.print();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
