#include "amqp/frame_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>

namespace brokerlab::amqp {
namespace {

constexpr std::byte kTlsAlert{0x15};

AmqpError broken(std::string what) {
  return AmqpError::make(
      ErrorKind::kNotAmqp, "the peer broke the AMQP protocol: " + std::move(what),
      "check that the port belongs to a RabbitMQ node, and nothing between alters the bytes");
}

}  // namespace

FrameReader::FrameReader(Sink& sink, std::size_t buffer_bytes)
    : sink_(sink), buffer_(new std::byte[buffer_bytes]), capacity_(buffer_bytes) {}

std::span<std::byte> FrameReader::space() {
  // The tail is moved only here, right before the kernel writes behind it.
  if (begin_ != 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void FrameReader::reset() {
  begin_ = end_ = 0;
  frame_max_ = kFrameMaxDefault;
  first_ = true;
}

Outcome FrameReader::take(std::size_t bytes) {
  end_ += bytes;
  while (end_ - begin_ >= (first_ ? 1 : kFrameHeaderBytes)) {
    const std::span<const std::byte> rest(buffer_.get() + begin_, end_ - begin_);
    if (const auto whole = parse_whole_delivery(rest, frame_max_)) {
      begin_ += whole->bytes;
      if (!sink_.on_whole_delivery(*whole)) return {};
      continue;
    }
    if (first_ && rest[0] != std::byte{static_cast<std::uint8_t>(FrameType::kMethod)}) return foreign();
    if (rest.size() < kFrameHeaderBytes) return {};
    const auto header = FrameHeader::load(rest.data());
    if (auto checked = check(header); !checked.ok()) return checked;
    const std::size_t frame_bytes = header.payload_bytes + kFrameOverhead;
    if (rest.size() < frame_bytes) return {};
    if (rest[frame_bytes - 1] != kFrameEnd) return broken("a frame without its end octet");
    first_ = false;
    begin_ += frame_bytes;
    if (!sink_.on_frame(header, rest.subspan(kFrameHeaderBytes, header.payload_bytes))) return {};
  }
  return {};
}

Outcome FrameReader::check(const FrameHeader& header) const {
  if (header.type != static_cast<std::uint8_t>(FrameType::kMethod) &&
      header.type != static_cast<std::uint8_t>(FrameType::kHeader) &&
      header.type != static_cast<std::uint8_t>(FrameType::kBody) &&
      header.type != static_cast<std::uint8_t>(FrameType::kHeartbeat)) {
    return broken(fmt::format("a frame of unknown type {}", header.type));
  }
  if (header.payload_bytes > frame_max_ - kFrameOverhead) {
    return broken(fmt::format("a frame of {} bytes where {} were agreed", header.payload_bytes, frame_max_));
  }
  return {};
}

AmqpError FrameReader::foreign() const {
  std::string shown;
  for (std::size_t i = begin_; i < std::min(end_, begin_ + 16); ++i) {
    const auto letter = static_cast<unsigned char>(buffer_[i]);
    shown += std::isprint(letter) ? static_cast<char>(letter) : '.';
  }
  if (buffer_[begin_] == kTlsAlert) {
    return AmqpError::make(ErrorKind::kNotAmqp, "the peer speaks TLS, not plain AMQP",
                           "write amqps:// in the broker's URI");
  }
  if (shown.rfind("AMQP", 0) == 0) {
    return AmqpError::make(ErrorKind::kNotAmqp, "the peer speaks another version of AMQP",
                           "use a broker with AMQP 0-9-1");
  }
  return AmqpError::make(
      ErrorKind::kNotAmqp,
      fmt::format("the peer answers, but not with AMQP 0-9-1: its first bytes are \"{}\"", shown),
      "check the port: RabbitMQ's AMQP port is 5672 unless configured otherwise");
}

}  // namespace brokerlab::amqp
