#include <amqp.h>
#include <amqp_tcp_socket.h>

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/stamp.h"
#include "peer.h"

namespace brokerlab::bench {
namespace {

void check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("librabbitmq: ") + what);
}

amqp_bytes_t bytes_of(const std::string& text) { return {text.size(), const_cast<char*>(text.data())}; }

class Client {
 public:
  explicit Client(const Task& task) : task_(task), state_(amqp_new_connection()) {
    auto* socket = amqp_tcp_socket_new(state_);
    check(amqp_socket_open(socket, task.uri.host.c_str(), task.uri.port) == AMQP_STATUS_OK, "connect");
    const auto login = amqp_login(state_, task.uri.vhost.c_str(), 0, 131072, 0, AMQP_SASL_METHOD_PLAIN,
                                  task.uri.user.c_str(), task.uri.password.c_str());
    check(login.reply_type == AMQP_RESPONSE_NORMAL, "login");
    check(amqp_channel_open(state_, 1) != nullptr, "channel");
  }
  ~Client() {
    amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(state_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void publish() {
    const MonotonicClock clock{};
    const std::string body(task_.body_bytes, 'b'), key = "key";
    std::array<std::byte, Stamp::kMostBytes> value{};
    amqp_table_entry_t entry{};
    entry.key = amqp_cstring_bytes(Stamp::kHeaderName);
    entry.value.kind = AMQP_FIELD_KIND_BYTES;
    entry.value.value.bytes = {Stamp::kBytes, value.data()};
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_HEADERS_FLAG;
    properties.headers = {1, &entry};
    Stamp stamp;
    for (std::int64_t i = 0; i < task_.messages; ++i) {
      if (i % 1000 == 0) stamp.sent_ns = stamp.intended_ns = clock.now();
      stamp.sequence = static_cast<std::uint64_t>(i);
      stamp.encode(value);
      check(amqp_basic_publish(state_, 1, bytes_of(task_.name), bytes_of(key), 0, 0, &properties,
                               bytes_of(body)) == AMQP_STATUS_OK,
            "publish");
    }
    // Answered after the last message was taken.
    amqp_exchange_declare(state_, 1, bytes_of(task_.name), amqp_cstring_bytes("fanout"), 1, 0, 0, 0,
                          amqp_empty_table);
  }

  void consume() {
    const bool acks = task_.kind == Task::Kind::kConsumeAndAck;
    amqp_basic_qos(state_, 1, 0, Task::kPrefetch, 0);
    check(amqp_basic_consume(state_, 1, bytes_of(task_.name), amqp_empty_bytes, 0, !acks, 0,
                             amqp_empty_table) != nullptr,
          "consume");
    std::uint64_t sum = 0;
    for (std::int64_t received = 1; received <= task_.messages; ++received) {
      amqp_maybe_release_buffers(state_);
      amqp_envelope_t envelope;
      check(amqp_consume_message(state_, &envelope, nullptr, 0).reply_type == AMQP_RESPONSE_NORMAL,
            "consume");
      sum += sequence_in(envelope.message.properties);
      if (acks && received % Task::kAckEvery == 0) amqp_basic_ack(state_, 1, envelope.delivery_tag, 1);
      amqp_destroy_envelope(&envelope);
    }
    check(sum > 0 || task_.messages < 2, "stamps");
  }

 private:
  static std::uint64_t sequence_in(const amqp_basic_properties_t& properties) {
    for (int i = 0; i < properties.headers.num_entries; ++i) {
      const auto& entry = properties.headers.entries[i];
      if (std::string_view(static_cast<const char*>(entry.key.bytes), entry.key.len) != Stamp::kHeaderName)
        continue;
      const auto value = entry.value.value.bytes;
      const auto stamp = Stamp::decode({static_cast<const std::byte*>(value.bytes), value.len});
      return stamp ? stamp->sequence : 0;
    }
    return 0;
  }

  const Task& task_;
  amqp_connection_state_t state_;
};

}  // namespace

void run_librabbitmq(const Task& task, Stopwatch& watch) {
  Client client(task);
  watch.start();
  if (task.kind == Task::Kind::kPublish) {
    client.publish();
  } else {
    client.consume();
  }
  watch.stop();
}

}  // namespace brokerlab::bench
