#include "loadgen/churn_process.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "amqp/recorded_connections.h"
#include "core/child_run.h"
#include "core/precise_timer.h"
#include "loadgen/churner.h"

namespace brokerlab {
namespace {

// All churners of one process on one loop. What lives on a channel has a connection and a channel per
// instance; connections are their own.
class ChurnProcess {
 public:
  ChurnProcess(ControlPipe& pipe, const Json& assignment);
  int run();

 private:
  // The broker closes a channel when an operation on it fails: it is opened again for those that follow.
  class SharedChannel final : public amqp::ChannelListener {
   public:
    void on_closed(const amqp::AmqpError&) override { channel->reopen(nullptr); }
    amqp::Channel* channel = nullptr;
  };

  void make_churners(const Json& assignment);
  void make_connection(const Json& assignment, std::size_t index, const std::string& name);
  void on_line(const Json& line);
  void on_ready();
  void drive();
  void check_finished();
  Json progress();

  ChildRun run_;
  ChurnSpec spec_;
  const Json broker_;
  ChurnCounts counts_;
  std::vector<std::unique_ptr<SharedChannel>> channels_;
  amqp::RecordedConnections connections_;
  std::vector<std::unique_ptr<Churner>> churners_;  // destroyed before what they use
  PreciseTimer timer_;
  std::size_t ready_ = 0;
  bool started_ = false;
  bool stopping_ = false;
  bool hangs_ = false;  // by a fault
  bool done_ = false;
};

ChurnProcess::ChurnProcess(ControlPipe& pipe, const Json& assignment)
    : run_(pipe, assignment, false),
      spec_(ChurnSpec::from_json(assignment.at("spec"), assignment.value("directory", ""))),
      broker_(assignment.at("broker")),
      timer_(pipe.loop(), [this] { drive(); }) {
  make_churners(assignment);
}

void ChurnProcess::make_churners(const Json& assignment) {
  spec_.pace.instances = assignment.value("instances_total", spec_.pace.instances);
  for (const Json& instance : assignment.at("instances")) {
    const auto name = instance.at("name").get<std::string>();
    const Churned::Setup setup{run_, spec_, broker_, name, nullptr, nullptr};
    const Churner::Instance number{instance.at("index").get<std::uint32_t>(),
                                   assignment.at("seed").get<std::uint64_t>(),
                                   assignment.at("load_ns").get<Nanoseconds>()};
    churners_.push_back(std::make_unique<Churner>(setup, number, counts_, [this] {
      timer_.set(run_.clock().now());  // not from within the callback of what has just ended
    }));
    if (spec_.kind != ChurnSpec::Kind::kConnection) make_connection(assignment, churners_.size() - 1, name);
  }
}

void ChurnProcess::make_connection(const Json& assignment, std::size_t index, const std::string& name) {
  auto connection = std::make_unique<amqp::RecordedConnection>(run_, assignment.at("broker"), name,
                                                               static_cast<std::uint32_t>(index));
  channels_.push_back(std::make_unique<SharedChannel>());
  connection->on_open = [this, index, opened = connection.get(), shared = channels_.back().get()] {
    shared->channel = &opened->connection().open_channel(shared, [this](const amqp::Outcome& outcome) {
      run_.guard([&] {
        if (!outcome) return run_.fail(outcome.error().to_error("churn " + spec_.pace.name));
        on_ready();
      });
    });
    churners_[index]->use(opened->connection(), shared->channel);
  };
  connections_.add(std::move(connection));
}

int ChurnProcess::run() {
  connections_.serve(
      run_, [this] { return progress(); }, [this](const Json& line) { on_line(line); });
  timer_.close();
  churners_.clear();
  connections_.clear();
  return run_.end();
}

void ChurnProcess::on_line(const Json& line) {
  if (line.contains("start") && !std::exchange(started_, true) && !stopping_) {
    for (const auto& churner : churners_) churner->start(line.at("start").get<Nanoseconds>());
    drive();
  }
  if (line.contains("hang")) {
    hangs_ = line.at("hang").get<bool>();
    drive();
  }
  if (line.contains("stop") && !std::exchange(stopping_, true)) {
    for (const auto& churner : churners_) churner->stop();
    drive();
  }
}

void ChurnProcess::on_ready() {
  if (++ready_ == connections_.size()) run_.pipe().send({{"ready", true}});
}

void ChurnProcess::drive() {
  if (run_.ended()) return;
  run_.guard([this] {
    std::optional<Nanoseconds> next;
    for (const auto& churner : churners_) {
      if (hangs_) break;
      churner->act(run_.clock().now());
      if (const auto due = churner->due()) next = std::min(next.value_or(*due), *due);
    }
    if (next) timer_.set(*next);
    check_finished();
  });
}

void ChurnProcess::check_finished() {
  if (!started_ && !stopping_) return;
  const auto finished = [](const auto& churner) { return churner->finished(); };
  if (!std::all_of(churners_.begin(), churners_.end(), finished)) return;
  if (!std::exchange(done_, true)) run_.pipe().send({{"load_done", true}});
  if (stopping_) connections_.close([this] { run_.finish(); });
}

Json ChurnProcess::progress() {
  const bool connected = connections_.note_traffic(run_.recording().counters()).connected;
  std::size_t open = 0;
  for (const auto& churner : churners_) open += churner->open();
  return {{"begun", counts_.begun},
          {"opened", counts_.opened},
          {"closed", counts_.closed},
          {"failed", counts_.failed},
          {"open", open},
          {"connected", connected}};
}

}  // namespace

int churn_process_main(ControlPipe& pipe, const Json& assignment) {
  return ChurnProcess(pipe, assignment).run();
}

}  // namespace brokerlab
