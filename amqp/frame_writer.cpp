#include "amqp/frame_writer.h"

#include <algorithm>

#include "amqp/method_codec.h"
#include "core/error.h"

namespace brokerlab::amqp {

void FrameWriter::protocol_header() { output_.append(kProtocolHeader); }

void FrameWriter::heartbeat() {
  std::byte* out = output_.reserve(kFrameOverhead);
  FrameHeader{static_cast<std::uint8_t>(FrameType::kHeartbeat), 0, 0}.store(out);
  out[kFrameHeaderBytes] = kFrameEnd;
  output_.commit(kFrameOverhead);
  ++counters_.frames_out;
}

void FrameWriter::method(std::uint16_t channel, std::uint32_t id, void* fields) {
  // Nearly all methods are short; only a declaration with huge arguments needs a whole frame's room.
  for (std::size_t room : {std::size_t{2048}, std::size_t{frame_max_}}) {
    room = std::min<std::size_t>(room, frame_max_);
    std::byte* out = output_.reserve(room);
    const std::size_t payload = encode_method(id, fields, {out + kFrameHeaderBytes, room - kFrameOverhead});
    if (payload == 0) continue;
    FrameHeader{static_cast<std::uint8_t>(FrameType::kMethod), channel, static_cast<std::uint32_t>(payload)}
        .store(out);
    out[kFrameHeaderBytes + payload] = kFrameEnd;
    output_.commit(payload + kFrameOverhead);
    ++counters_.frames_out;
    return;
  }
  throw Error(method_name(id) + " does not fit into one frame", "its arguments", "make them smaller",
              ExitStatus::kUsage);
}

void FrameWriter::settle(std::uint16_t channel, std::uint32_t id, std::uint64_t delivery_tag,
                         std::uint8_t bits) {
  constexpr std::size_t kPayload = 4 + 8 + 1;
  std::byte* out = output_.reserve(kPayload + kFrameOverhead);
  FrameHeader{static_cast<std::uint8_t>(FrameType::kMethod), channel, kPayload}.store(out);
  store_big_endian(out + kFrameHeaderBytes, id);
  store_big_endian(out + kFrameHeaderBytes + 4, delivery_tag);
  out[kFrameHeaderBytes + 12] = static_cast<std::byte>(bits);
  out[kFrameHeaderBytes + kPayload] = kFrameEnd;
  output_.commit(kPayload + kFrameOverhead);
  ++counters_.frames_out;
}

}  // namespace brokerlab::amqp
