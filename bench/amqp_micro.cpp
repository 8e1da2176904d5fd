// The client's hot paths without a broker: what a publish and a delivery cost before any system call.
#include <benchmark/benchmark.h>

#include <vector>

#include "amqp/byte_buffer.h"
#include "amqp/delivery_parser.h"
#include "amqp/frame.h"
#include "amqp/properties.h"
#include "amqp/publish_template.h"
#include "bench/counted.h"
#include "core/stamp.h"

namespace brokerlab::amqp {
namespace {

constexpr std::size_t kFlushBytes = 64 * 1024;

void publish_template(benchmark::State& state) {
  PublishTemplate message({"exchange", "routing.key", true}, {}, Stamp{});
  const std::vector<std::byte> body(static_cast<std::size_t>(state.range(0)), std::byte{'b'});
  ByteBuffer out;
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    const std::size_t bytes = message.wire_bytes(body.size(), kFrameMaxDefault);
    message.write(out.reserve(bytes), 1, {sequence, 1, 2}, body, kFrameMaxDefault);
    out.commit(bytes);
    ++sequence;
    if (out.size() >= kFlushBytes) out.clear();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(publish_template)->Arg(12)->Arg(100)->Arg(1024)->Apply(counted);

void publish_changing_key(benchmark::State& state) {
  PublishTemplate message({"exchange", "routing.key", true}, {}, Stamp{});
  const std::vector<std::byte> body(100, std::byte{'b'});
  const std::string keys[] = {"key.one", "another.key", "k"};
  ByteBuffer out;
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    message.set_routing_key(keys[sequence % 3]);
    const std::size_t bytes = message.wire_bytes(body.size(), kFrameMaxDefault);
    message.write(out.reserve(bytes), 1, {sequence, 1, 2}, body, kFrameMaxDefault);
    out.commit(bytes);
    ++sequence;
    if (out.size() >= kFlushBytes) out.clear();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(publish_changing_key)->Apply(counted);

// A delivery as the broker writes it: made from a publish, whose header and body frames are the same.
std::vector<std::byte> delivery(std::size_t body_bytes) {
  PublishTemplate message({"exchange", "routing.key", true}, {}, Stamp{});
  const std::vector<std::byte> body(body_bytes, std::byte{'b'});
  std::vector<std::byte> publish(message.wire_bytes(body_bytes, kFrameMaxDefault));
  message.write(publish.data(), 1, {7, 8, 9}, body, kFrameMaxDefault);
  const std::size_t method_bytes = FrameHeader::load(publish.data()).payload_bytes + kFrameOverhead;

  const std::string tag = "brokerlab-1-1", exchange = "exchange", key = "routing.key";
  std::vector<std::byte> payload(4);
  store_big_endian(payload.data(), kBasicDeliver);
  const auto text = [&payload](const std::string& value) {
    payload.push_back(static_cast<std::byte>(value.size()));
    for (const char letter : value) payload.push_back(static_cast<std::byte>(letter));
  };
  text(tag);
  payload.resize(payload.size() + 9);  // delivery tag and redelivered
  text(exchange);
  text(key);
  std::vector<std::byte> out(kFrameHeaderBytes);
  FrameHeader{static_cast<std::uint8_t>(FrameType::kMethod), 1, static_cast<std::uint32_t>(payload.size())}
      .store(out.data());
  out.insert(out.end(), payload.begin(), payload.end());
  out.push_back(kFrameEnd);
  out.insert(out.end(), publish.begin() + static_cast<std::ptrdiff_t>(method_bytes), publish.end());
  return out;
}

void parse_delivery(benchmark::State& state) {
  const auto wire = delivery(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const auto whole = parse_whole_delivery(wire);
    if (!whole) return state.SkipWithError("no delivery");
    benchmark::DoNotOptimize(Stamp::decode(whole->header.stamp_bytes));
  }
}
BENCHMARK(parse_delivery)->Arg(12)->Arg(100)->Arg(1024)->Apply(counted);

}  // namespace
}  // namespace brokerlab::amqp
