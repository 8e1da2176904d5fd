#include "roles/effort.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <utility>

namespace brokerlab {
namespace {

constexpr double kLongestEffort_s = 86'400;

Nanoseconds nanoseconds_of(double seconds) {
  return std::llround(std::clamp(seconds, 0.0, kLongestEffort_s) * 1e9);
}

}  // namespace

EffortLength::EffortLength(const EffortSpec& spec, std::uint64_t seed, const std::string& role)
    : spec_(spec), seed_(seed), purpose_("effort of " + role) {}

Nanoseconds EffortLength::of(std::uint32_t publisher, std::uint64_t sequence, std::string_view body,
                             const Json& parsed, Nanoseconds intended_ns) const {
  if (spec_.kind == EffortSpec::Kind::kNone) return 0;
  const double scale_s = static_cast<double>(spec_.scale_ns) / 1e9;
  switch (spec_.source) {
    case EffortSpec::Source::kDots:
      return nanoseconds_of(static_cast<double>(std::count(body.begin(), body.end(), '.')) * scale_s);
    case EffortSpec::Source::kPointer:
      return nanoseconds_of(parsed.at(spec_.pointer).get<double>() * scale_s);
    case EffortSpec::Source::kSeconds:
      break;
  }
  if (spec_.profile) return nanoseconds_of(spec_.profile->at(intended_ns - t0_ns_));
  Random random(seed_, purpose_, (std::uint64_t{publisher} << 40) ^ sequence);
  return nanoseconds_of(spec_.seconds->draw(random, sequence));
}

bool EffortLength::stands_in(const Json& parsed) const {
  if (spec_.kind == EffortSpec::Kind::kNone || spec_.source != EffortSpec::Source::kPointer) return true;
  if (!parsed.contains(spec_.pointer)) return false;
  const Json& number = parsed.at(spec_.pointer);
  return number.is_number() && number.get<double>() >= 0;
}

// Outlives the Effort while a computation is in the thread pool. The pool's thread reads `until_ns`, `clock`,
// `pooled` and `abandoned` and writes `product`; everything else belongs to the loop.
struct Effort::State {
  uv_loop_t* loop = nullptr;
  const Clock* clock = nullptr;
  EffortSpec::Kind kind = EffortSpec::Kind::kNone;
  std::unique_ptr<PreciseTimer> timer;
  uv_work_t work{};
  Nanoseconds until_ns = 0;
  std::atomic<bool> abandoned = false;
  std::uint64_t product = 0;
  bool busy = false;
  bool in_pool = false;
  std::function<void(State&)> pooled;
  std::function<void()> done;

  void finish() {
    busy = false;
    std::exchange(done, nullptr)();
  }

  // Arithmetic that depends on itself, so that the compiler cannot leave it out and the core is really used.
  void spin() {
    std::uint64_t x = static_cast<std::uint64_t>(until_ns) | 1;
    while (clock->now() < until_ns && !abandoned.load(std::memory_order_relaxed)) {
      for (int i = 0; i < 1000; ++i) x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    }
    product = x;
  }
};

Effort::Effort(uv_loop_t* loop, const Clock& clock, EffortSpec::Kind kind) : state_(new State) {
  state_->loop = loop;
  state_->clock = &clock;
  state_->kind = kind;
  state_->work.data = state_;
  if (kind != EffortSpec::Kind::kSpin) {  // without an effort of its own it can still be slowed down
    state_->timer = std::make_unique<PreciseTimer>(loop, [state = state_] { state->finish(); });
  }
}

Effort::~Effort() { close(); }

bool Effort::busy() const { return state_ != nullptr && state_->busy; }

void Effort::begin(Nanoseconds from, Nanoseconds length, std::function<void()> done) {
  state_->busy = true;
  state_->done = std::move(done);
  if (state_->timer) {
    state_->timer->set(from + length);
    return;
  }
  state_->until_ns = from + length;
  queue([](State& state) { state.spin(); });
}

void Effort::compute(std::function<void()> work, std::function<void()> done) {
  state_->busy = true;
  state_->done = std::move(done);
  queue([work = std::move(work)](State&) { work(); });
}

void Effort::queue(std::function<void(State&)> work) {
  state_->in_pool = true;
  state_->pooled = std::move(work);
  uv_queue_work(
      state_->loop, &state_->work,
      [](uv_work_t* request) {
        auto* state = static_cast<State*>(request->data);
        state->pooled(*state);
      },
      [](uv_work_t* request, int) {
        auto* state = static_cast<State*>(request->data);
        state->in_pool = false;
        if (state->abandoned) {
          delete state;
        } else {
          state->finish();
        }
      });
}

void Effort::close() {
  State* state = std::exchange(state_, nullptr);
  if (state == nullptr) return;
  if (state->timer) state->timer->close();
  if (state->in_pool) {
    state->abandoned = true;  // its last callback deletes the state
  } else {
    delete state;
  }
}

}  // namespace brokerlab
