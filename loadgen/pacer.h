#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/clock.h"
#include "loadgen/load_spec.h"

namespace brokerlab {

// The schedule of one instance: when its message i is due, in nanoseconds from the start of the load. A pure
// function of specification, seed and instance; it never sleeps, reads a clock or touches a socket. Times
// never fall with i.
//
//   constant, ramp, steps  the inverse of the cumulative rate L(t) at i + k/n, k being the number of the
//   instance among n:
//                          the instances of one load are spread evenly over the first interval
//   poisson, renewal       sums of seeded gaps; the first message comes after the first gap
//   burst                  message i at floor(i / size) * every, at the same instants for all instances
//   replay                 the listed times, for every instance
class Pacer {
 public:
  virtual ~Pacer() = default;

  // Nothing once the schedule has ended. For poisson and renewal this walks from the start: use a cursor in
  // loops.
  virtual std::optional<Nanoseconds> at(std::uint64_t i) const = 0;
  // Messages with at(i) < horizon.
  virtual std::uint64_t count_within(Nanoseconds horizon) const = 0;

  // Walks the schedule in order: the i-th call returns at(i). Must not outlive its pacer.
  class Cursor {
   public:
    virtual ~Cursor() = default;
    virtual std::optional<Nanoseconds> next() = 0;
  };
  virtual std::unique_ptr<Cursor> cursor() const;

  // The pacer of instance `instance` (0 …) of `spec`; null for a closed loop, which has no schedule.
  static std::unique_ptr<Pacer> make(const LoadSpec& spec, std::uint64_t seed, std::uint32_t instance);
};

}  // namespace brokerlab
