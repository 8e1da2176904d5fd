#include "live/flows.h"

#include <chrono>
#include <functional>

#include "analysis/latency.h"
#include "core/signals_elsewhere.h"

namespace brokerlab::live {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{200};

bool has_our_times(const DeliveryRecord& record) { return (record.flags & (kUnstamped | kForeignRun)) == 0; }

Percentiles percentiles_of(const Histogram& histogram) {
  Percentiles percentiles;
  percentiles.count = histogram.count();
  if (percentiles.count == 0) return percentiles;
  percentiles.p50 = supported_quantile(histogram, 500);
  percentiles.p90 = supported_quantile(histogram, 900);
  percentiles.p99 = supported_quantile(histogram, 990);
  percentiles.p99_9 = supported_quantile(histogram, 999);
  percentiles.longest = histogram.max();
  return percentiles;
}

}  // namespace

Latencies Flows::Histograms::read() const {
  return {percentiles_of(end_to_end), percentiles_of(done), percentiles_of(confirmed)};
}

// One recording, and the flows that its records belong to.
class Flows::Followed final : public RecordingTail::Listener {
 public:
  Followed(const Source& source, Flows& owner) : tail_(source.path), owner_(owner) {
    const auto flow = [this, source = source](const std::string& destination) {
      Flow& found = owner_.flows_[{source.entry, destination}];
      found.entry = source.entry;
      found.role = source.role;
      found.destination = destination;
      return &found;
    };
    if (source.routes.size() <= kMostDestinations) {
      for (const std::string& route : source.routes) by_route_.push_back(flow(route));
    }
    if (source.queues.size() <= kMostDestinations) {
      for (const std::string& queue : source.queues) by_queue_.push_back(flow(queue));
    }
    make_other_ = [flow] { return flow(""); };
    // An entry shows up with zeros before its first message, so that a rate can be taken of the first ones.
    for (Flow* each : by_route_) each->publishes = true;
    for (const std::string& queue : source.consumed) {
      if (!by_queue_.empty()) flow(queue)->consumes = true;
    }
    if (by_route_.empty() && !source.role) of(by_route_, 0).publishes = true;
    if (by_queue_.empty() && source.role) of(by_queue_, 0).consumes = true;
  }

  bool look(Nanoseconds now, bool ended) { return tail_.look(now, ended, *this); }
  std::uint64_t unfollowed() const { return tail_.unfollowed(); }

  void on_publish(const PublishRecord& record) override {
    if (record.outcome & kRefused) return;
    Flow& flow = of(by_route_, record.route);
    flow.publishes = true;
    ++flow.sent;
    flow.send_delay.add(record.sent_ns - record.intended_ns);
  }

  void on_publish_over(const PublishRecord& record) override {
    if (record.outcome & kRefused) return;
    Flow& flow = of(by_route_, record.route);
    if (record.outcome & kUnconfirmedByDesign) return flow.published.add(record.written_ns - record.sent_ns);
    const Nanoseconds answered = record.settled_ns - record.sent_ns;
    if (record.outcome & kReturned) return flow.returned.add(answered);
    if (record.outcome & kNacked) return flow.nacked.add(answered);
    flow.published.add(answered);
    const Nanoseconds confirmed = record.settled_ns - record.intended_ns;
    flow.confirmed_from_intended.add(confirmed);
    if (!flow.role) owner_.count(&Histograms::confirmed, confirmed);
  }

  void on_delivery(const DeliveryRecord& record) override {
    Flow& flow = of(by_queue_, record.queue);
    flow.consumes = true;
    ++flow.consumed;
    if (!has_our_times(record)) return;
    flow.end_to_end.add(record.received_ns - record.intended_ns);
    owner_.count(&Histograms::end_to_end, record.received_ns - record.intended_ns);
  }

  void on_delivery_over(const DeliveryRecord& record) override {
    Flow& flow = of(by_queue_, record.queue);
    const bool worked = record.started_ns != 0 && record.done_ns != 0;
    if (worked) flow.processed.add(record.done_ns - record.started_ns);
    if (record.done_ns != 0 && has_our_times(record)) {
      flow.done.add(record.done_ns - record.intended_ns);
      owner_.count(&Histograms::done, record.done_ns - record.intended_ns);
    }
    const Nanoseconds settling =
        record.settled_ns - (record.done_ns != 0 ? record.done_ns : record.received_ns);
    switch (static_cast<Settlement>(record.settlement)) {
      case Settlement::kAcked:
        return flow.acked.add(settling);
      case Settlement::kRequeued:
        return flow.requeued.add(settling);
      case Settlement::kRejected:
        return flow.rejected.add(settling);
      case Settlement::kAutomatic:
      case Settlement::kNone:
        break;
    }
  }

 private:
  Flow& of(const std::vector<Flow*>& flows, std::size_t number) {
    if (number < flows.size()) return *flows[number];
    if (other_ == nullptr) other_ = make_other_();
    return *other_;
  }

  RecordingTail tail_;
  Flows& owner_;
  std::vector<Flow*> by_route_, by_queue_;
  Flow* other_ = nullptr;
  std::function<Flow*()> make_other_;
};

Flows::Flows(const Clock& clock) : clock_(clock) {
  const SignalsElsewhere masked;
  thread_ = std::thread([this] { work(); });
}

Flows::~Flows() {
  {
    const std::lock_guard lock(orders_);
    over_ = true;
  }
  ordered_.notify_one();
  thread_.join();
}

void Flows::work() {
  for (std::unique_lock lock(orders_); !over_;) {
    lock.unlock();
    const bool caught_up = look(false);
    lock.lock();
    if (caught_up) ordered_.wait_for(lock, kBetweenLooks, [this] { return over_; });
  }
}

// All sources once. False when there was more than one look takes.
bool Flows::look(bool ended) {
  const std::lock_guard lock(figures_);
  const Nanoseconds now = clock_.now();
  up_to_date_ = true;
  for (const auto& followed : followed_) up_to_date_ &= followed->look(now, ended);
  return up_to_date_;
}

void Flows::count(Histogram Histograms::*stream, Nanoseconds value) {
  (so_far_.*stream).record(value);
  (recent_.*stream).record(value);
}

void Flows::begin_run() {
  const std::lock_guard lock(figures_);
  followed_.clear();
  flows_.clear();
  so_far_ = recent_ = {};
}

void Flows::follow(const Source& source) {
  const std::lock_guard lock(figures_);
  followed_.push_back(std::make_unique<Followed>(source, *this));
}

void Flows::end_run() {
  while (!look(true)) {
  }
  const std::lock_guard lock(figures_);
  ended_unfollowed_ += unfollowed_now();
  followed_.clear();
}

std::vector<Flow> Flows::flows() const {
  const std::lock_guard lock(figures_);
  std::vector<Flow> flows;
  for (const auto& [key, flow] : flows_) flows.push_back(flow);
  return flows;
}

Latencies Flows::so_far() const {
  const std::lock_guard lock(figures_);
  return so_far_.read();
}

Latencies Flows::take_recent() {
  const std::lock_guard lock(figures_);
  const Latencies recent = recent_.read();
  recent_ = {};
  return recent;
}

bool Flows::up_to_date() const {
  const std::lock_guard lock(figures_);
  return up_to_date_;
}

std::uint64_t Flows::unfollowed() const {
  const std::lock_guard lock(figures_);
  return ended_unfollowed_ + unfollowed_now();
}

std::uint64_t Flows::unfollowed_now() const {
  std::uint64_t sum = 0;
  for (const auto& followed : followed_) sum += followed->unfollowed();
  return sum;
}

}  // namespace brokerlab::live
