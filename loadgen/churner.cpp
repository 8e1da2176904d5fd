#include "loadgen/churner.h"

#include <algorithm>
#include <utility>

namespace brokerlab {
namespace {

// More without returning to the loop would keep the answers waiting.
constexpr int kMostPerTurn = 64;

}  // namespace

Churner::Churner(const Churned::Setup& setup, const Instance& instance, ChurnCounts& counts,
                 std::function<void()> on_change)
    : setup_(setup),
      instance_(instance),
      counts_(counts),
      on_change_(std::move(on_change)),
      pacer_(Pacer::make(setup.spec.pace, instance.seed, instance.index)),
      cursor_(pacer_ ? pacer_->cursor() : nullptr),
      horizon_ns_(setup.spec.pace.horizon_ns(instance.load_ns)) {}

void Churner::use(amqp::Connection& connection, amqp::Channel* channel) {
  setup_.connection = &connection;
  setup_.channel = channel;
}

void Churner::start(Nanoseconds t0_ns) {
  t0_ns_ = t0_ns;
  next_ns_ = 0;
  advance();
}

void Churner::advance() {
  next_ns_.reset();
  const auto most = setup_.spec.pace.stop_count;
  if (stopping_ || (most && number_ >= *most)) return;
  if (pacer_) {
    next_ns_ = cursor_->next();
  } else {
    next_ns_ = std::max<Nanoseconds>(0, setup_.run.clock().now() - t0_ns_);
  }
  if (next_ns_ && *next_ns_ >= horizon_ns_) next_ns_.reset();
}

void Churner::stop() {
  stopping_ = true;
  next_ns_.reset();
  for (const Position cycle : held_) cycle->close_due_ns = 0;
}

std::optional<Nanoseconds> Churner::due() const {
  std::optional<Nanoseconds> due;
  if (next_ns_ && !full()) due = t0_ns_ + *next_ns_;
  if (!held_.empty()) due = std::min(due.value_or(INT64_MAX), held_.front()->close_due_ns);
  return due;
}

void Churner::act(Nanoseconds now_ns) {
  ended_.clear();
  acting_ = true;
  for (int i = 0; i < kMostPerTurn && due() && *due() <= now_ns; ++i) {
    if (!held_.empty() && held_.front()->close_due_ns <= now_ns) {
      const Position cycle = held_.front();
      held_.pop_front();
      end(cycle, now_ns);
    } else {
      begin(now_ns);
    }
  }
  acting_ = false;
}

EventRecord& Churner::record(OperationKind kind, Nanoseconds intended_ns, Nanoseconds now_ns) {
  return setup_.run.recording().append_event(begun_operation(kind, instance_.index, intended_ns, now_ns));
}

void Churner::begin(Nanoseconds now_ns) {
  // A closed loop has waited for room meanwhile.
  if (!pacer_ && now_ns - t0_ns_ >= horizon_ns_) return next_ns_.reset();
  const Nanoseconds intended = pacer_ ? t0_ns_ + *next_ns_ : now_ns;
  live_.push_back({Churned::make(setup_, number_), nullptr, 0});
  const auto cycle = std::prev(live_.end());
  cycle->operation = &record(setup_.spec.opening(), intended, setup_.run.clock().now());
  ++number_;
  ++counts_.begun;
  advance();
  cycle->thing->open([this, cycle](bool ok) { setup_.run.guard([&] { on_opened(cycle, ok); }); });
}

void Churner::settle(Cycle& cycle, bool ok) {
  end_operation(*cycle.operation, setup_.run.clock().now(), ok);
  counts_.failed += ok ? 0 : 1;
}

void Churner::on_opened(Position cycle, bool ok) {
  settle(*cycle, ok);
  if (ok) {
    ++counts_.opened;
    cycle->close_due_ns = stopping_ ? 0 : cycle->operation->ended_ns + setup_.spec.hold_ns;
    held_.push_back(cycle);
  } else {
    ended_.splice(ended_.end(), live_, cycle);
  }
  if (!acting_) on_change_();
}

void Churner::end(Position cycle, Nanoseconds now_ns) {
  const Nanoseconds intended = cycle->close_due_ns == 0 ? now_ns : cycle->close_due_ns;
  cycle->operation = &record(setup_.spec.closing(), intended, setup_.run.clock().now());
  cycle->thing->close([this, cycle](bool ok) { setup_.run.guard([&] { on_closed(cycle, ok); }); });
}

void Churner::on_closed(Position cycle, bool ok) {
  settle(*cycle, ok);
  counts_.closed += ok ? 1 : 0;
  ended_.splice(ended_.end(), live_, cycle);
  if (!acting_) on_change_();
}

}  // namespace brokerlab
