#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "amqp/frame_writer.h"
#include "amqp/method_codec.h"

namespace brokerlab::amqp {

// What a channel sees of its connection. The hot path (publish, ack) touches only plain members.
class Link {
 public:
  Link(ConnectionCounters& counters, std::size_t output_limit_bytes)
      : writer(counters), counters(counters), output_limit_bytes_(output_limit_bytes) {}
  virtual ~Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  FrameWriter writer;
  ConnectionCounters& counters;
  MethodDecoder decoder;  // one for all channels: what it decoded is done with before the next frame
  bool up = false;        // channels may send
  bool blocked = false;   // by an alarm of the broker

  // Something was written: it leaves at the end of this turn of the loop, or now if there is much.
  void wrote() {
    if (!dirty_) {
      dirty_ = true;
      want_turn_end();
    }
    if (writer.output().filling_bytes() >= kFlushBytes) flush_output();
  }
  bool has_room() const { return writer.output().pending_bytes() < output_limit_bytes_; }
  // The peer makes us answer, and does not read the answers: nothing else bounds what they take.
  bool answers_pile_up() const {
    return writer.output().pending_bytes() > output_limit_bytes_ + kMostAnswerBytes;
  }
  // Output leaves in blocks: what is written now belongs to this one. ConnectionEvents::on_block_taken names
  // those that are gone.
  std::uint64_t output_block() const { return output_block_; }
  // A channel was told that it may not write; its listener hears when that ends.
  void expect_room() { room_expected_ = true; }

  // Runs `task` at the end of this turn of the loop: answers never come from within the call that asked.
  virtual void defer(std::function<void()> task) = 0;

 protected:
  static constexpr std::size_t kFlushBytes = 64 * 1024;  // smaller writes cost more per byte
  static constexpr std::size_t kMostAnswerBytes = std::size_t{4} << 20;

  virtual void want_turn_end() = 0;
  virtual void flush_output() = 0;

  std::uint64_t output_block_ = 1;
  bool dirty_ = false;
  bool room_expected_ = false;

 private:
  std::size_t output_limit_bytes_;
};

}  // namespace brokerlab::amqp
