#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "broker/toxic.h"
#include "core/clock.h"
#include "core/random.h"

namespace brokerlab {

// One direction of a disturbed connection: when each byte that goes in comes out, which ones are altered, and
// when the connection is cut. Pure: it is told the time and touches no socket. Order is kept whatever toxics
// come and go.
class Lane {
 public:
  explicit Lane(std::uint64_t seed) : random_(seed, "lane", 0) {}

  // These hold from `now` on, in place of those before.
  void set_toxics(std::vector<Toxic> toxics, Nanoseconds now);

  struct Slice {
    std::size_t bytes = 0;
    Nanoseconds due_ns = 0;
  };
  // `bytes` went in. The slices come out in this order; they are fewer bytes where a toxic drops some.
  std::vector<Slice> accept(std::size_t bytes, Nanoseconds now);
  // Which of the `bytes` that go in next come out altered; before accept().
  std::vector<std::size_t> altered(std::size_t bytes);
  // The sender has ended: when its end comes out.
  Nanoseconds end_due(Nanoseconds now);

  // The connection is closed at this instant (once what is under way has come out), or reset.
  std::optional<Nanoseconds> close_at() const { return close_at_; }
  std::optional<Nanoseconds> reset_at() const { return reset_at_; }
  // Bytes of the stream were dropped: nothing that follows could be understood.
  bool broken() const { return broken_; }

 private:
  const Toxic* find(Toxic::Kind kind) const;
  std::size_t next_size(std::size_t left);
  Nanoseconds late_by();
  std::uint64_t gap(const Toxic& corrupt);

  Random random_;
  std::vector<Toxic> toxics_;
  Nanoseconds busy_until_ns_ = 0;  // of the bandwidth
  Nanoseconds last_due_ns_ = 0;
  std::uint64_t passed_ = 0;         // bytes, since limit_data holds
  std::uint64_t until_altered_ = 0;  // bytes that pass unharmed before the next one that does not
  bool broken_ = false;
  std::optional<Nanoseconds> close_at_, reset_at_;
};

}  // namespace brokerlab
