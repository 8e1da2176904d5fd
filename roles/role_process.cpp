#include "roles/role_process.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "amqp/declaration.h"
#include "amqp/recorded_connections.h"
#include "core/child_run.h"
#include "core/precise_timer.h"
#include "roles/consumer.h"

namespace brokerlab {
namespace {

// Enough for any pipeline; see `hop_limit` in docs/experiment-file.md.
constexpr std::uint32_t kDefaultHopLimit = 16;

std::uint16_t queue_of(const Json& instance, const Json& assignment) {
  const Json& queues = assignment.at("queues");
  const auto found = std::find(queues.begin(), queues.end(), instance.at("queue"));
  if (found == queues.end()) {
    throw Error("the assignment does not list the queue of an instance",
                instance.at("queue").get<std::string>(), "");
  }
  return static_cast<std::uint16_t>(found - queues.begin());
}

// Of what the process declares itself, the exclusive queues of its consumers, the part of those from `first`
// to before `end`, who share a connection; null when they have none.
Json own_topology(const Json& assignment, std::size_t first, std::size_t end) {
  if (!assignment.contains("declares")) return nullptr;
  const Json& instances = assignment.at("instances");
  const auto consumed = [&](const Json& name) {
    return std::any_of(instances.begin() + static_cast<std::ptrdiff_t>(first),
                       instances.begin() + static_cast<std::ptrdiff_t>(end),
                       [&](const Json& instance) { return instance.at("queue") == name; });
  };
  const Json& all = assignment.at("declares");
  Json own = {{"exchanges", Json::array()}, {"queues", Json::array()}, {"bindings", Json::array()}};
  for (const Json& queue : all.at("queues")) {
    if (consumed(queue.at("name"))) own["queues"].push_back(queue);
  }
  for (const Json& binding : all.at("bindings")) {
    if (consumed(binding.at("queue"))) own["bindings"].push_back(binding);
  }
  return own.at("queues").empty() ? Json(nullptr) : own;
}

// What is declared again when the connection is back.
void add_to_restored(Json& broker, const Json& own) {
  if (!broker.contains("topology")) {
    broker["topology"] = own;
    return;
  }
  for (const char* list : {"queues", "bindings"}) {
    for (const Json& one : own.at(list)) broker["topology"][list].push_back(one);
  }
}

// All consumers of one process on one loop.
class RoleProcess {
 public:
  RoleProcess(ControlPipe& pipe, const Json& assignment);
  int run();

 private:
  void make_consumers(const Json& assignment);
  void make_connections(const Json& assignment);
  void declare_own(amqp::Connection& connection, const amqp::Topology& own,
                   const std::function<void()>& done);
  void on_line(const Json& line);
  void on_consumer_open(Consumer& consumer);
  void on_consumer_ready();
  void subscribe_from(std::size_t next);
  void start(Nanoseconds t0_ns);
  void subscribe_due();
  void stop();
  void on_consumer_drained();
  Json progress();

  ChildRun run_;
  RoleSpec spec_;
  EffortLength length_;
  Refusal refusal_;
  Hindrance hindrance_;
  RouteNumbers routes_;
  OnwardCounts onward_;
  std::vector<std::unique_ptr<Consumer>> consumers_;
  amqp::RecordedConnections connections_;  // destroyed before what listens to them
  std::vector<std::uint32_t> indices_;     // of the consumers among all instances of the role
  PreciseTimer start_timer_;               // of those that start late
  Nanoseconds t0_ns_ = 0;
  std::size_t late_started_ = 0;
  std::size_t ready_ = 0;
  std::size_t drained_ = 0;
  bool subscribing_ = false;
  bool stopping_ = false;
};

RoleProcess::RoleProcess(ControlPipe& pipe, const Json& assignment)
    : run_(pipe, assignment, false),
      spec_(RoleSpec::from_json(assignment.at("spec"))),
      length_(spec_.effort, assignment.at("seed").get<std::uint64_t>(), spec_.role),
      refusal_(spec_, assignment.at("seed").get<std::uint64_t>()),
      routes_(assignment),
      start_timer_(pipe.loop(), [this] { run_.guard([this] { subscribe_due(); }); }) {
  if (assignment.value("record_keys", false)) spec_.record_keys = true;
  make_consumers(assignment);
  make_connections(assignment);
}

void RoleProcess::make_consumers(const Json& assignment) {
  std::uint16_t position = 0;
  for (const Json& instance : assignment.at("instances")) {
    const Consumer::Setup setup{spec_,
                                length_,
                                refusal_,
                                hindrance_,
                                routes_,
                                instance,
                                position++,
                                queue_of(instance, assignment),
                                assignment.at("run").get<std::uint64_t>(),
                                assignment.value("directory", "."),
                                assignment.value("hop_limit", kDefaultHopLimit)};
    indices_.push_back(instance.at("index").get<std::uint32_t>());
    consumers_.push_back(std::make_unique<Consumer>(run_, setup, onward_, [this] { on_consumer_drained(); }));
  }
}

void RoleProcess::make_connections(const Json& assignment) {
  const auto name = assignment.at("process").get<std::string>();
  for (std::size_t first = 0; first < consumers_.size(); first += spec_.channels_per_connection) {
    const std::size_t end = std::min(first + spec_.channels_per_connection, consumers_.size());
    Json broker = assignment.at("broker");
    const Json own = own_topology(assignment, first, end);
    if (!own.is_null()) add_to_restored(broker, own);
    auto connection = std::make_unique<amqp::RecordedConnection>(
        run_, broker, name, static_cast<std::uint32_t>(first), spec_.consume.read_coalescing_ns);
    const auto each = [this, first, end](const std::function<void(Consumer&)>& act) {
      for (std::size_t i = first; i < end; ++i) act(*consumers_[i]);
    };
    const auto open_all = [this, each, opened = connection.get()] {
      each([&](Consumer& consumer) {
        consumer.open(*opened, [this, &consumer] { on_consumer_open(consumer); });
      });
    };
    connection->on_open = [this, open_all, own, opened = connection.get()] {
      if (own.is_null()) return open_all();
      declare_own(opened->connection(), amqp::RecordedConnection::topology_of(own), open_all);
    };
    connection->on_lost = [each] { each([](Consumer& consumer) { consumer.connection_lost(); }); };
    connection->on_restored = [each] { each([](Consumer& consumer) { consumer.restored(); }); };
    connections_.add(std::move(connection));
  }
}

// Everything is answered in order: with the last answer all of it is there.
void RoleProcess::declare_own(amqp::Connection& connection, const amqp::Topology& own,
                              const std::function<void()>& done) {
  amqp::Channel& channel = connection.open_channel(nullptr);
  auto left = std::make_shared<std::size_t>(own.queues.size() + own.bindings.size());
  const auto answered = [this, left, done](const amqp::Outcome& outcome) {
    run_.guard([&] {
      if (!outcome) return run_.fail(outcome.error().to_error("role " + spec_.role));
      if (--*left == 0) done();
    });
  };
  for (const amqp::QueueDeclaration& queue : own.queues) {
    channel.declare(
        queue, [answered](const amqp::Outcome& outcome, const amqp::QueueStatus&) { answered(outcome); });
  }
  for (const amqp::BindingDeclaration& binding : own.bindings) channel.bind(binding, answered);
}

int RoleProcess::run() {
  connections_.serve(
      run_, [this] { return progress(); }, [this](const Json& line) { on_line(line); });
  connections_.clear();
  start_timer_.close();
  for (const auto& consumer : consumers_) consumer->close();
  return run_.end();
}

void RoleProcess::on_line(const Json& line) {
  if (line.contains("start")) start(line.at("start").get<Nanoseconds>());
  if (line.contains("hang")) hindrance_.hangs = line.at("hang").get<bool>();
  if (line.contains("slow")) {
    hindrance_.factor = line.at("slow").at("factor").get<double>();
    hindrance_.add_ns = line.at("slow").at("add_ns").get<Nanoseconds>();
  }
  if (line.contains("hang")) {
    for (const auto& consumer : consumers_) consumer->go_on();
  }
  if (line.contains("subscribe") && !std::exchange(subscribing_, true)) subscribe_from(0);
  if (line.contains("stop")) stop();
}

void RoleProcess::on_consumer_open(Consumer& consumer) {
  if (spec_.consume.subscribe_after_load || spec_.consume.starts_late()) return on_consumer_ready();
  consumer.subscribe([this] { on_consumer_ready(); });
}

void RoleProcess::on_consumer_ready() {
  if (++ready_ == consumers_.size()) run_.pipe().send({{"ready", true}});
}

// One after the other: the first one is to have its consume-ok before the second asks.
void RoleProcess::subscribe_from(std::size_t next) {
  if (!spec_.consume.subscribe_after_load) next = consumers_.size();
  if (next >= consumers_.size()) return run_.pipe().send({{"subscribed", true}});
  consumers_[next]->subscribe([this, next] { subscribe_from(next + 1); });
}

void RoleProcess::start(Nanoseconds t0_ns) {
  length_.start(t0_ns);
  t0_ns_ = t0_ns;
  if (spec_.consume.starts_late()) subscribe_due();
}

// Those whose time has come, in the order of their instances.
void RoleProcess::subscribe_due() {
  const Nanoseconds now = run_.clock().now();
  for (; late_started_ < consumers_.size() && !stopping_; ++late_started_) {
    const Nanoseconds due = t0_ns_ + spec_.consume.start_after_ns.value_or(0) +
                            spec_.consume.start_every_ns.value_or(0) * indices_[late_started_];
    if (due > now) return start_timer_.set(due);
    consumers_[late_started_]->subscribe([] {});
  }
}

void RoleProcess::stop() {
  if (std::exchange(stopping_, true)) return;
  start_timer_.cancel();
  for (const auto& consumer : consumers_) consumer->stop();
  if (consumers_.empty()) run_.finish();
}

void RoleProcess::on_consumer_drained() {
  if (++drained_ < consumers_.size()) return;
  connections_.close([this] { run_.finish(); });
}

Json RoleProcess::progress() {
  const auto [blocked, connected] = connections_.note_traffic(run_.recording().counters());
  ConsumerCounts sum;
  std::uint64_t in_hand = 0;
  Json per_instance = Json::array();
  for (const auto& consumer : consumers_) {
    const ConsumerCounts& counts = consumer->counts();
    sum.received += counts.received;
    sum.done += counts.done;
    sum.redelivered += counts.redelivered;
    sum.ignored += counts.ignored;
    sum.unreadable += counts.unreadable;
    sum.corrupted += counts.corrupted;
    sum.busy_ns += counts.busy_ns;
    in_hand += consumer->in_hand();
    per_instance.push_back({counts.received, counts.done, counts.busy_ns});
  }
  return {{"received", sum.received},
          {"done", sum.done},
          {"in_hand", in_hand},
          {"redelivered", sum.redelivered},
          {"ignored", sum.ignored},
          {"unreadable", sum.unreadable},
          {"corrupted", sum.corrupted},
          {"busy_ns", sum.busy_ns},
          {"published", onward_.published},
          {"confirmed", onward_.confirmed},
          {"returned", onward_.returned},
          {"unsettled", onward_.unsettled},
          {"per_instance", std::move(per_instance)},
          {"blocked", blocked},
          {"connected", connected}};
}

}  // namespace

int role_process_main(ControlPipe& pipe, const Json& assignment) {
  // Consumers that compute do so side by side; the pool must be large enough before its first use.
  const std::size_t threads = std::clamp<std::size_t>(assignment.at("instances").size() + 4, 4, 1024);
  ::setenv("UV_THREADPOOL_SIZE", std::to_string(threads).c_str(), 0);
  return RoleProcess(pipe, assignment).run();
}

}  // namespace brokerlab
