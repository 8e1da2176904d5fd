#include "amqp/recorded_connection.h"

#include <cmath>
#include <span>
#include <utility>

#include "amqp/declaration.h"

namespace brokerlab::amqp {
namespace {

// A private node takes some 11 s to come back; this also bounds how long its return can go unnoticed.
constexpr int kReconnectTries = 120;
constexpr double kReconnectDelay_s = 0.5;

}  // namespace

Topology RecordedConnection::topology_of(const Json& json) {
  Topology topology;
  for (const Json& one : json.at("exchanges")) {
    ExchangeDeclaration exchange;
    exchange.name = one.at("name").get<std::string>();
    exchange.type = one.at("type").get<std::string>();
    exchange.durable = one.at("durable").get<bool>();
    exchange.auto_delete = one.at("auto_delete").get<bool>();
    exchange.internal = one.at("internal").get<bool>();
    exchange.arguments = one.at("arguments");
    topology.exchanges.push_back(std::move(exchange));
  }
  for (const Json& one : json.at("queues")) {
    QueueDeclaration queue;
    queue.name = one.at("name").get<std::string>();
    queue.durable = one.at("durable").get<bool>();
    queue.exclusive = one.value("exclusive", false);
    queue.auto_delete = one.at("auto_delete").get<bool>();
    queue.arguments = one.at("arguments");
    topology.queues.push_back(std::move(queue));
  }
  for (const Json& one : json.at("bindings")) {
    const bool to_queue = one.contains("queue");
    topology.bindings.push_back(
        {one.at("exchange").get<std::string>(),
         to_queue ? BindingDeclaration::To::kQueue : BindingDeclaration::To::kExchange,
         one.at(to_queue ? "queue" : "destination_exchange").get<std::string>(),
         one.at("routing_key").get<std::string>(), one.at("arguments")});
  }
  return topology;
}

ConnectionOptions RecordedConnection::options_of(const Json& broker, const std::string& name,
                                                 Nanoseconds read_coalescing_ns) {
  const Json reconnect = broker.value("reconnect", Json::object());
  ConnectionOptions options;
  options.uri = Uri::parse(broker.at("uri").get<std::string>());
  for (const Json& other : broker.value("other_uris", Json::array())) {
    options.other_uris.push_back(Uri::parse(other.get<std::string>()));
  }
  options.tls.insecure = broker.value("tls_insecure", false);
  options.heartbeat_s = broker.value("heartbeat_s", 10);
  options.client_name = name;
  options.read_coalescing_ns = read_coalescing_ns;
  options.reconnect.tries = reconnect.value("tries", kReconnectTries);
  options.reconnect.delay_ns = std::llround(reconnect.value("delay_s", kReconnectDelay_s) * 1e9);
  return options;
}

RecordedConnection::RecordedConnection(ChildRun& run, const Json& broker, const std::string& name,
                                       std::uint32_t instance, Nanoseconds read_coalescing_ns)
    : run_(run),
      instance_(instance),
      connection_(run.loop(), run.clock(), options_of(broker, name, read_coalescing_ns)) {
  listen();
  if (broker.contains("topology")) connection_.restore_topology(topology_of(broker.at("topology")));
}

void RecordedConnection::listen() {
  ConnectionEvents& events = connection_.events();
  events.on_blocked = [this](std::string_view reason) { run_.guard([&] { note_blocked(reason); }); };
  events.on_unblocked = [this] { run_.guard([&] { note_unblocked(); }); };
  events.on_lost = [this](const AmqpError& reason) { run_.guard([&] { note_lost(reason); }); };
  events.on_restored = [this] { run_.guard([&] { note_restored(); }); };
  events.on_ended = [this](const AmqpError& reason) {
    if (!closing_) run_.fail(reason.to_error(where()));
  };
  events.on_retry = [this](int attempt, int of, const AmqpError& reason) {
    // The first tells what is wrong, and now and then one that it still is.
    constexpr int kFew = 10;
    if (of <= kFew || attempt == 1 || attempt % 20 == 0) {
      run_.pipe().notice("no connection to " + where() + ", try " + std::to_string(attempt) + " of " +
                             std::to_string(of) + ": " + reason.describe(),
                         true);
    }
  };
  events.on_block_taken = [this](std::uint64_t block) { note_taken(block); };
  events.on_write_blocked = [this](Nanoseconds start, Nanoseconds end) {
    run_.guard([&] { run_.events().interval(EventKind::kWriteBlocked, instance_, start, end, end - start); });
  };
}

std::string RecordedConnection::where() const { return connection_.uri().safe(); }

void RecordedConnection::open() {
  connection_.open(
      [this] {
        run_.guard([&] {
          run_.say("connected to " + where());
          if (on_open) on_open();
        });
      },
      [this](const AmqpError& error) { run_.fail(error.to_error(where())); });
}

void RecordedConnection::close(std::function<void()> on_closed) {
  closing_ = true;
  end_event(lost_event_);
  end_event(blocked_event_);
  connection_.close(std::move(on_closed));
}

void RecordedConnection::end_event(EventRecord*& open) {
  if (open != nullptr) open->ended_ns = run_.clock().now();
  open = nullptr;
}

void RecordedConnection::note_blocked(std::string_view reason) {
  blocked_event_ = &run_.events().begin(EventKind::kConnectionBlocked, instance_, run_.clock().now());
  run_.pipe().notice("the broker blocks a connection: " + std::string(reason), true);
}

void RecordedConnection::note_unblocked() {
  end_event(blocked_event_);
  run_.pipe().notice("the broker has unblocked a connection");
}

void RecordedConnection::note_lost(const AmqpError& reason) {
  const Nanoseconds now = run_.clock().now();
  end_event(blocked_event_);
  unwritten_.clear();  // nobody will tell what of them had gone
  if (reason.kind == ErrorKind::kHeartbeat) run_.events().moment(EventKind::kHeartbeatClose, instance_, now);
  lost_event_ = &run_.events().begin(EventKind::kReconnect, instance_, now);
  run_.pipe().notice("lost the connection to " + where() + ": " + reason.describe(), true);
  if (on_lost) on_lost();
}

void RecordedConnection::note_restored() {
  end_event(lost_event_);
  run_.pipe().notice("connected to " + where() + " again");
  if (on_restored) on_restored();
}

std::uint64_t RecordedConnection::publish(Channel& channel, PublishTemplate& message,
                                          const PublishStamp& stamp, std::string_view body,
                                          PublishRecord& record) {
  // Beforehand, since a large message leaves from within the call.
  unwritten_.emplace_back(connection_.output_block(), &record);
  const std::uint64_t number = channel.publish(message, stamp, std::as_bytes(std::span(body)));
  if (number == 0) unwritten_.pop_back();
  return number;
}

void RecordedConnection::note_taken(std::uint64_t block) {
  if (unwritten_.empty() || unwritten_.front().first > block) return;
  const Nanoseconds now = run_.clock().now();
  while (!unwritten_.empty() && unwritten_.front().first <= block) {
    unwritten_.front().second->written_ns = now;
    unwritten_.pop_front();
  }
}

void RecordedConnection::add_to(RecordingCounters& counters) const {
  const ConnectionCounters& counted = connection_.counters();
  counters.bytes_out += counted.bytes_out;
  counters.bytes_in += counted.bytes_in;
  counters.frames_out += counted.frames_out;
  counters.frames_in += counted.frames_in;
  counters.messages_out += counted.messages_out;
  counters.messages_in += counted.messages_in;
  counters.writes += counted.writes;
  counters.reads += counted.reads;
}

void RecordedConnection::store(const RecordingCounters& traffic, RecordingCounters& counters) {
  counters.bytes_out = traffic.bytes_out;
  counters.bytes_in = traffic.bytes_in;
  counters.frames_out = traffic.frames_out;
  counters.frames_in = traffic.frames_in;
  counters.messages_out = traffic.messages_out;
  counters.messages_in = traffic.messages_in;
  counters.writes = traffic.writes;
  counters.reads = traffic.reads;
}

}  // namespace brokerlab::amqp
