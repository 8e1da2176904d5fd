#include "loadgen/pacer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/random.h"

namespace brokerlab {
namespace {

constexpr double kNs = 1e9;

class IndexCursor final : public Pacer::Cursor {
 public:
  explicit IndexCursor(const Pacer& pacer) : pacer_(pacer) {}
  std::optional<Nanoseconds> next() override { return pacer_.at(i_++); }

 private:
  const Pacer& pacer_;
  std::uint64_t i_ = 0;
};

// A rate that changes linearly within each piece. L(t) is its integral: message i is due where L(t) = i +
// offset.
class RatePacer final : public Pacer {
 public:
  struct Piece {
    double from_per_s, to_per_s;
    double for_s;  // infinite for the last piece of an endless schedule
  };

  RatePacer(const std::vector<Piece>& pieces, double offset) : offset_(offset) {
    double start_s = 0;
    double before = 0;
    for (const Piece& piece : pieces) {
      pieces_.push_back({piece, start_s, before});
      start_s += piece.for_s;
      before += (piece.from_per_s + piece.to_per_s) / 2 * piece.for_s;
    }
    end_ns_ = std::isfinite(start_s) ? std::llround(start_s * kNs) : kEndless;
    // i < L(T) up to the rounding of L: a sum like 0.1 * 30 must not make one message more.
    end_level_ = before - 1e-9 * std::max(1.0, before);
  }

  std::optional<Nanoseconds> at(std::uint64_t i) const override {
    const double level = static_cast<double>(i) + offset_;
    if (level >= end_level_) return std::nullopt;
    auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), level,
                                  [](double value, const Placed& placed) { return value < placed.before; });
    const Nanoseconds time = std::llround((piece - 1)->time_of(level) * kNs);
    return time < end_ns_ ? std::optional(time) : std::nullopt;
  }

  // Estimated from L(horizon), then corrected by at(): rounding must never make two answers of one question.
  std::uint64_t count_within(Nanoseconds horizon) const override {
    const auto due = [&](std::uint64_t i) {
      const auto time = at(i);
      return time && *time < horizon;
    };
    auto count = static_cast<std::uint64_t>(std::max(0.0, level_at(std::min(horizon, end_ns_)) - offset_));
    while (count > 0 && !due(count - 1)) --count;
    while (due(count)) ++count;
    return count;
  }

 private:
  static constexpr Nanoseconds kEndless = INT64_MAX;

  struct Placed : Piece {
    Placed(const Piece& piece, double start, double level) : Piece(piece), start_s(start), before(level) {}
    double start_s;
    double before;  // L(start_s)

    double slope() const { return std::isfinite(for_s) && for_s > 0 ? (to_per_s - from_per_s) / for_s : 0; }
    // The root of before + from x + slope x^2 / 2 = level, in the form that does not cancel and allows slope
    // 0.
    double time_of(double level) const {
      const double above = level - before;
      if (above <= 0) return start_s;
      const double root = std::sqrt(std::max(0.0, from_per_s * from_per_s + 2 * slope() * above));
      return start_s + std::min(2 * above / (from_per_s + root), for_s);
    }
  };

  double level_at(Nanoseconds time) const {
    const double seconds = static_cast<double>(time) / kNs;
    double level = 0;
    for (const Placed& piece : pieces_) {
      if (seconds <= piece.start_s) break;
      const double x = std::min(seconds - piece.start_s, piece.for_s);
      level = piece.before + (piece.from_per_s + piece.slope() * x / 2) * x;
    }
    return level;
  }

  std::vector<Placed> pieces_;
  double offset_;
  Nanoseconds end_ns_;
  double end_level_;
};

class BurstPacer final : public Pacer {
 public:
  explicit BurstPacer(const BurstArrivals& burst) : burst_(burst) {}
  std::optional<Nanoseconds> at(std::uint64_t i) const override {
    return static_cast<Nanoseconds>(i / burst_.size) * burst_.every_ns;
  }
  std::uint64_t count_within(Nanoseconds horizon) const override {
    return horizon <= 0 ? 0 : static_cast<std::uint64_t>((horizon - 1) / burst_.every_ns + 1) * burst_.size;
  }

 private:
  BurstArrivals burst_;
};

class ReplayPacer final : public Pacer {
 public:
  explicit ReplayPacer(std::shared_ptr<const std::vector<Nanoseconds>> times) : times_(std::move(times)) {}
  std::optional<Nanoseconds> at(std::uint64_t i) const override {
    return i < times_->size() ? std::optional((*times_)[i]) : std::nullopt;
  }
  std::uint64_t count_within(Nanoseconds horizon) const override {
    return static_cast<std::uint64_t>(std::lower_bound(times_->begin(), times_->end(), horizon) -
                                      times_->begin());
  }

 private:
  std::shared_ptr<const std::vector<Nanoseconds>> times_;
};

// Sums of independent gaps. Every walk starts from the same seed, so all walks are the same.
class RenewalPacer final : public Pacer {
 public:
  RenewalPacer(std::shared_ptr<const Distribution> gap_s, Random random)
      : gap_s_(std::move(gap_s)), random_(random) {}

  std::unique_ptr<Cursor> cursor() const override { return std::make_unique<Walk>(*this); }
  std::optional<Nanoseconds> at(std::uint64_t i) const override {
    Walk walk(*this);
    while (i-- > 0) walk.next();
    return walk.next();
  }
  std::uint64_t count_within(Nanoseconds horizon) const override {
    Walk walk(*this);
    std::uint64_t count = 0;
    while (*walk.next() < horizon) ++count;
    return count;
  }

 private:
  class Walk final : public Cursor {
   public:
    explicit Walk(const RenewalPacer& pacer) : pacer_(pacer), random_(pacer.random_) {}
    std::optional<Nanoseconds> next() override {
      time_ns_ += pacer_.gap_s_->draw(random_, i_++) * kNs;
      return std::llround(time_ns_);
    }

   private:
    const RenewalPacer& pacer_;
    Random random_;
    double time_ns_ = 0;
    std::uint64_t i_ = 0;
  };

  std::shared_ptr<const Distribution> gap_s_;
  Random random_;
};

// The whole schedule, so much later.
class DelayedPacer final : public Pacer {
 public:
  DelayedPacer(std::unique_ptr<Pacer> pacer, Nanoseconds delay) : pacer_(std::move(pacer)), delay_(delay) {}
  std::optional<Nanoseconds> at(std::uint64_t i) const override { return later(pacer_->at(i)); }
  std::uint64_t count_within(Nanoseconds horizon) const override {
    return horizon <= delay_ ? 0 : pacer_->count_within(horizon - delay_);
  }
  std::unique_ptr<Cursor> cursor() const override { return std::make_unique<Walk>(*this, pacer_->cursor()); }

 private:
  class Walk final : public Cursor {
   public:
    Walk(const DelayedPacer& pacer, std::unique_ptr<Cursor> cursor)
        : pacer_(pacer), cursor_(std::move(cursor)) {}
    std::optional<Nanoseconds> next() override { return pacer_.later(cursor_->next()); }

   private:
    const DelayedPacer& pacer_;
    std::unique_ptr<Cursor> cursor_;
  };
  std::optional<Nanoseconds> later(std::optional<Nanoseconds> at) const {
    return at ? std::optional(*at + delay_) : std::nullopt;
  }

  std::unique_ptr<Pacer> pacer_;
  Nanoseconds delay_;
};

class Exponential final : public Distribution {
 public:
  explicit Exponential(double mean) : mean_(mean) {}
  double draw(Random& random, std::uint64_t) const override { return random.exponential(mean_); }
  double mean() const override { return mean_; }
  double second_moment() const override { return 2 * mean_ * mean_; }

 private:
  double mean_;
};

constexpr double kForever = HUGE_VAL;

struct Maker {
  const LoadSpec& spec;
  std::uint64_t seed;
  std::uint32_t instance;

  double offset() const { return static_cast<double>(instance) / spec.instances; }
  Random random() const { return Random(seed, "arrivals of " + spec.name, instance); }

  using Made = std::unique_ptr<Pacer>;
  Made operator()(const ConstantArrivals& constant) const {
    return std::make_unique<RatePacer>(
        std::vector<RatePacer::Piece>{{constant.rate_per_s, constant.rate_per_s, kForever}}, offset());
  }
  Made operator()(const RampArrivals& ramp) const {
    const double seconds = static_cast<double>(ramp.over_ns) / kNs;
    return std::make_unique<RatePacer>(
        std::vector<RatePacer::Piece>{{ramp.from_per_s, ramp.to_per_s, seconds}}, offset());
  }
  Made operator()(const StepsArrivals& steps) const {
    std::vector<RatePacer::Piece> pieces;
    for (const auto& step : steps.steps) {
      pieces.push_back({step.rate_per_s, step.rate_per_s, static_cast<double>(step.for_ns) / kNs});
    }
    return std::make_unique<RatePacer>(pieces, offset());
  }
  Made operator()(const PoissonArrivals& poisson) const {
    return std::make_unique<RenewalPacer>(std::make_shared<Exponential>(1 / poisson.rate_per_s), random());
  }
  Made operator()(const RenewalArrivals& renewal) const {
    return std::make_unique<RenewalPacer>(renewal.gap_s, random());
  }
  Made operator()(const BurstArrivals& burst) const { return std::make_unique<BurstPacer>(burst); }
  Made operator()(const ReplayArrivals& replay) const {
    return std::make_unique<ReplayPacer>(replay.times_ns);
  }
  Made operator()(const ClosedArrivals&) const { return nullptr; }
};

}  // namespace

std::unique_ptr<Pacer::Cursor> Pacer::cursor() const { return std::make_unique<IndexCursor>(*this); }

std::unique_ptr<Pacer> Pacer::make(const LoadSpec& spec, std::uint64_t seed, std::uint32_t instance) {
  std::unique_ptr<Pacer> pacer = std::visit(Maker{spec, seed, instance}, spec.arrivals);
  const Nanoseconds delay = spec.start_delay_ns(seed, instance);
  if (!pacer || delay == 0) return pacer;
  return std::make_unique<DelayedPacer>(std::move(pacer), delay);
}

}  // namespace brokerlab
