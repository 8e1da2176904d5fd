#include "loadgen/load_process.h"

#include <algorithm>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

#include "amqp/recorded_connections.h"
#include "core/child_run.h"
#include "core/next_turn.h"
#include "core/precise_timer.h"
#include "loadgen/load_spec.h"
#include "loadgen/publisher.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kLate = 1'000'000;
// Publishing more without returning to the loop would keep confirms and finished writes waiting.
constexpr int kMostPerTurn = 1024;

RoutingKey::Routes routes_of(const Json& assignment) {
  RoutingKey::Routes routes;
  for (const Json& route : assignment.value("routes", Json::array())) {
    routes.emplace_back(route.at("exchange").get<std::string>(), route.at("routing_key").get<std::string>());
  }
  return routes;
}

// One process per host measures hiccups; of a load, the one that holds its first instance.
bool holds_first_instance(const Json& assignment) {
  const Json& instances = assignment.at("instances");
  return !instances.empty() && instances.at(0).at("index") == 0;
}

// All publishers of one process on one loop. A timer wakes it when the earliest message of any of them is
// due; what is due goes at once, the earliest first, however late it is.
class LoadProcess {
 public:
  LoadProcess(ControlPipe& pipe, const Json& assignment);
  int run();

 private:
  struct Turn {
    Nanoseconds due_ns;
    Publisher* publisher;
    bool operator>(const Turn& other) const { return due_ns > other.due_ns; }
  };

  void make_publishers(const Json& assignment);
  void make_connections(const Json& assignment);
  void on_line(const Json& line);
  void on_publisher_ready();
  void start(Nanoseconds t0_ns);
  void stop();
  void enqueue(Publisher& publisher);
  void drive();
  void publish_due();
  void check_finished();
  Json progress();

  ChildRun run_;
  LoadSpec spec_;
  RoutingKey::Routes routes_;
  PublishCounts counts_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  amqp::RecordedConnections connections_;  // destroyed before what listens to them
  PreciseTimer timer_;
  NextTurn next_turn_;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_;
  std::size_t ready_ = 0;
  bool started_ = false;
  bool driving_ = false;
  bool hangs_ = false;  // by a fault
  bool load_done_ = false;
  bool stopping_ = false;
};

LoadProcess::LoadProcess(ControlPipe& pipe, const Json& assignment)
    : run_(pipe, assignment, holds_first_instance(assignment)),
      spec_(LoadSpec::from_json(assignment.at("spec"), assignment.value("directory", ""))),
      routes_(routes_of(assignment)),
      timer_(pipe.loop(), [this] { drive(); }),
      next_turn_(pipe.loop(), [this] { drive(); }) {
  make_publishers(assignment);
  make_connections(assignment);
}

void LoadProcess::make_publishers(const Json& assignment) {
  // The payload and the pacer share the work out over all instances of the entry, not only those of this
  // process.
  spec_.instances = assignment.value("instances_total", spec_.instances);
  std::uint16_t position = 0;
  for (const Json& instance : assignment.at("instances")) {
    const Publisher::Setup setup{spec_,
                                 instance,
                                 position++,
                                 assignment.at("run").get<std::uint64_t>(),
                                 assignment.at("seed").get<std::uint64_t>(),
                                 routes_,
                                 assignment.at("load_ns").get<Nanoseconds>()};
    publishers_.push_back(std::make_unique<Publisher>(run_, setup, counts_, [this](Publisher& publisher) {
      enqueue(publisher);
      drive();
    }));
  }
}

void LoadProcess::make_connections(const Json& assignment) {
  const auto name = assignment.at("process").get<std::string>();
  for (std::size_t first = 0; first < publishers_.size(); first += spec_.channels_per_connection) {
    const std::size_t end = std::min(first + spec_.channels_per_connection, publishers_.size());
    auto connection = std::make_unique<amqp::RecordedConnection>(run_, assignment.at("broker"), name,
                                                                 static_cast<std::uint32_t>(first));
    connection->on_open = [this, first, end, opened = connection.get()] {
      for (std::size_t i = first; i < end; ++i) {
        publishers_[i]->open(*opened, [this] { on_publisher_ready(); });
      }
    };
    connection->on_restored = [this, first, end] {
      for (std::size_t i = first; i < end; ++i) publishers_[i]->restored();
    };
    connections_.add(std::move(connection));
  }
}

int LoadProcess::run() {
  connections_.serve(
      run_, [this] { return progress(); }, [this](const Json& line) { on_line(line); });
  timer_.close();
  next_turn_.close();
  connections_.clear();
  return run_.end();
}

void LoadProcess::on_line(const Json& line) {
  if (line.contains("start")) start(line.at("start").get<Nanoseconds>());
  if (line.contains("hang")) {
    hangs_ = line.at("hang").get<bool>();
    if (!hangs_) drive();  // what has been due meanwhile goes now, with its intended times
  }
  if (line.contains("stop")) stop();
}

void LoadProcess::on_publisher_ready() {
  if (++ready_ == publishers_.size()) run_.pipe().send({{"ready", true}});
}

void LoadProcess::start(Nanoseconds t0_ns) {
  if (std::exchange(started_, true) || stopping_) return;
  for (const auto& publisher : publishers_) {
    publisher->start(t0_ns);
    enqueue(*publisher);
  }
  drive();
}

void LoadProcess::stop() {
  if (std::exchange(stopping_, true)) return;
  timer_.cancel();
  next_turn_.cancel();
  turns_ = {};
  for (const auto& publisher : publishers_) publisher->stop();
  check_finished();
}

void LoadProcess::enqueue(Publisher& publisher) {
  if (const auto due = publisher.due()) turns_.push({*due, &publisher});
}

void LoadProcess::drive() {
  if (driving_ || run_.ended()) return;
  driving_ = true;
  run_.guard([this] { publish_due(); });
  driving_ = false;
  check_finished();
}

void LoadProcess::publish_due() {
  Nanoseconds now = run_.clock().now();
  int published = 0;
  std::int64_t late = 0;
  while (!hangs_ && !turns_.empty() && published < kMostPerTurn) {
    const Turn turn = turns_.top();
    if (turn.due_ns > now && turn.due_ns > (now = run_.clock().now())) break;
    turns_.pop();
    if (!turn.publisher->publish_next()) continue;  // it comes back by itself
    ++published;
    late += now - turn.due_ns > kLate;
    now = turn.publisher->last_sent();
    enqueue(*turn.publisher);
  }
  if (late > 0 && !spec_.closed_loop()) run_.events().worst(EventKind::kLateCatchUp, 0, now, late);
  if (hangs_ || turns_.empty()) return;
  if (turns_.top().due_ns <= now) {
    next_turn_.ask();
  } else {
    timer_.set(turns_.top().due_ns);
  }
}

void LoadProcess::check_finished() {
  if (!started_ && !stopping_) return;
  const auto finished = [](const auto& publisher) { return publisher->finished(); };
  if (!std::all_of(publishers_.begin(), publishers_.end(), finished)) return;
  if (!std::exchange(load_done_, true)) run_.pipe().send({{"load_done", true}});
  if (stopping_) connections_.close([this] { run_.finish(); });
}

Json LoadProcess::progress() {
  RecordingCounters& counters = run_.recording().counters();
  const auto [blocked, connected] = connections_.note_traffic(counters);
  const Nanoseconds now = run_.clock().now();
  counters.scheduled = 0;
  for (const auto& publisher : publishers_) {
    counters.scheduled += static_cast<std::int64_t>(publisher->scheduled(now));
  }
  return {{"scheduled", counters.scheduled},
          {"published", counts_.published},
          {"confirmed", counts_.confirmed},
          {"returned", counts_.returned},
          {"nacked", counts_.nacked},
          {"unsettled", counts_.unsettled},
          {"blocked", blocked},
          {"connected", connected}};
}

}  // namespace

int load_process_main(ControlPipe& pipe, const Json& assignment) {
  return LoadProcess(pipe, assignment).run();
}

}  // namespace brokerlab
