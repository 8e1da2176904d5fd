#include "analysis/prediction.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "analysis/latency.h"
#include "analysis/path_replay.h"
#include "analysis/theory.h"
#include "core/units.h"

namespace brokerlab {
namespace {

constexpr std::size_t kFewest = 100, kMost = 1'000'000;
constexpr double kParts = 0.15;  // a prediction that is further off is asked for the assumption that failed

struct Piece {
  Nanoseconds sent, received, started, done;
  std::uint32_t consumer;
};

// Mean and squared coefficient of variation.
struct Moments {
  double mean = 0, scv = 0;

  template <typename Values>
  static Moments of(const Values& values) {
    double sum = 0, squares = 0;
    for (const auto value : values) sum += static_cast<double>(value);
    const double count = static_cast<double>(std::max<std::size_t>(1, values.size()));
    Moments moments{sum / count, 0};
    for (const auto value : values) {
      const double off = static_cast<double>(value) - moments.mean;
      squares += off * off;
    }
    if (moments.mean > 0) moments.scv = squares / count / (moments.mean * moments.mean);
    return moments;
  }
};

double seconds(double ns) { return ns / static_cast<double>(kNanosecondsPerSecond); }

// A wait of nothing counts as one nanosecond: the histogram begins there, and most waits of a calm run are
// none.
void record_wait(Histogram& histogram, Nanoseconds wait) { histogram.record(std::max<Nanoseconds>(1, wait)); }

// What went through one queue to the workers of a role.
class QueuePath {
 public:
  std::vector<Piece> pieces;
  std::set<std::uint32_t> consumers;

  // When each message could have been worked on at once: it was sent, it takes so long through an idle
  // broker, and there was nobody before the first delivery. Pieces get sorted by that.
  void prepare() {
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.sent < b.sent; });
    Nanoseconds transit = INT64_MAX, first_received = INT64_MAX;
    for (const Piece& piece : pieces) {
      transit = std::min(transit, piece.received - piece.sent);
      first_received = std::min(first_received, piece.received);
    }
    for (const Piece& piece : pieces) {
      const Nanoseconds arrival = std::max(piece.sent + transit, first_received);
      tasks_.push_back({arrival, std::max<Nanoseconds>(0, piece.done - piece.started)});
    }
    measure_turnaround(transit);
  }

  const std::vector<ReplayedTask>& tasks() const { return tasks_; }
  std::optional<double> turnaround_ns() const { return turnaround_ns_; }

 private:
  // Between two pieces of work of one worker, where the second message waited for it.
  void measure_turnaround(Nanoseconds transit) {
    std::map<std::uint32_t, std::vector<const Piece*>> by_consumer;
    for (const Piece& piece : pieces) by_consumer[piece.consumer].push_back(&piece);
    std::int64_t gaps = 0, sum = 0;
    for (auto& [consumer, own] : by_consumer) {
      std::sort(own.begin(), own.end(),
                [](const Piece* a, const Piece* b) { return a->started < b->started; });
      for (std::size_t i = 1; i < own.size(); ++i) {
        if (own[i]->sent + transit >= own[i - 1]->done) continue;
        ++gaps;
        sum += std::max<Nanoseconds>(0, own[i]->started - own[i - 1]->done);
      }
    }
    if (gaps >= 10) turnaround_ns_ = static_cast<double>(sum) / static_cast<double>(gaps);
  }

  std::vector<ReplayedTask> tasks_;
  std::optional<double> turnaround_ns_;
};

struct RolePath {
  std::map<std::uint32_t, QueuePath> queues;
  std::size_t pieces = 0;
  bool too_many = false;
  bool from_roles = false;  // what it consumes was published by a role
  std::int64_t repeated = 0;
};

// The textbook law for one queue, in Kendall's notation, and the waits it predicts, in seconds.
struct Model {
  std::string name;
  double mean = 0;
  std::optional<double> p50, p90, p99;
  double arrival_scv = 0, service_scv = 0;  // as assumed
};

Model model_of(char arrivals, char services, double rate, double service, std::size_t servers,
               const Moments& gaps, const Moments& services_seen, std::size_t count) {
  Model model;
  model.arrival_scv = arrivals == 'D' ? 0 : arrivals == 'M' ? 1 : gaps.scv;
  model.service_scv = services == 'D' ? 0 : services == 'M' ? 1 : services_seen.scv;
  model.name = fmt::format("{}/{}/{}", arrivals, services, servers);
  const auto quantiles = [&](auto&& at) {
    model.p50 = at(0.5);
    model.p90 = at(0.9);
    model.p99 = at(0.99);
  };
  if (arrivals == 'D' && services == 'D') {
    std::vector<double> waits(count);
    for (std::size_t i = 0; i < count; ++i) waits[i] = theory::dd_wait(rate, service, servers, i);
    for (const double wait : waits) model.mean += wait / static_cast<double>(count);
    quantiles([&](double q) {
      return waits[static_cast<std::size_t>(std::ceil(q * static_cast<double>(count))) - 1];
    });
  } else if (arrivals == 'M' && services == 'D' && servers == 1) {
    model.mean = theory::mg1_mean_wait(rate, service, 0);
    quantiles([&](double q) { return theory::md1_wait_quantile(rate, service, q); });
  } else {
    const bool exact = arrivals == 'M' && (servers == 1 || services == 'M');
    if (!exact) model.name += " (Allen-Cunneen)";
    model.mean = theory::gg_mean_wait(rate, service, servers, model.arrival_scv, model.service_scv);
    if (arrivals == 'M' && services == 'M')
      quantiles([&](double q) { return theory::mm_wait_quantile(rate, service, servers, q); });
  }
  return model;
}

char law_of(double scv) { return scv < 0.01 ? 'D' : scv > 0.9 && scv < 1.1 ? 'M' : 'G'; }

// What the loads were told to do: constant arrivals D, Poisson M; anything else, or a mixture, G.
char declared_arrivals(const RunEvidence& evidence) {
  std::set<std::string> processes;
  for (const Json& load : evidence.loads) {
    const JsonPointer at("/arrivals/process");
    processes.insert(load.contains(at) && load.at(at).is_string() ? load.at(at).get<std::string>() : "");
  }
  if (processes.size() != 1) return 'G';
  return *processes.begin() == "constant" ? 'D' : *processes.begin() == "poisson" ? 'M' : 'G';
}

// One role: what was measured, what is predicted, and how far they part.
class RolePrediction {
 public:
  RolePrediction(const RecordedRun& run, std::size_t role, RolePath& path) : run_(run), path_(path) {
    json_["role"] = run.roles()[role];
    for (const Json& spec : run.evidence().roles)
      if (spec.value("role", "") == run.roles()[role]) spec_ = spec;
    for (auto& [queue, own] : path.queues) own.prepare();
    read_consumption();
    measure();
    replay();
    makespan();
    if (!all_at_start_) model();
    name_failed_assumptions();
  }

  Json take() { return std::move(json_); }

 private:
  std::size_t largest_queue_servers() const {
    std::size_t most = 0;
    for (const auto& [queue, own] : path_.queues) most = std::max(most, own.consumers.size());
    return most;
  }

  void read_consumption() {
    const Json consume = spec_.is_object() ? spec_.value("consume", Json::object()) : Json::object();
    const JsonPointer prefetch("/prefetch"), ack("/ack");
    const bool automatic = consume.contains(ack) && consume.at(ack) == "auto";
    if (!automatic && consume.contains(prefetch) && consume.at(prefetch).is_number_unsigned())
      prefetch_ = consume.at(prefetch).get<std::size_t>();
    late_ = consume.is_object() && consume.value("subscribe", "") == "after_load";
    json_["workers"] = workers();
    json_["queues"] = path_.queues.size();
    json_["prefetch"] = prefetch_;
    json_["tasks"] = path_.pieces;
  }

  std::size_t workers() const {
    std::size_t sum = 0;
    for (const auto& [queue, own] : path_.queues) sum += own.consumers.size();
    return sum;
  }

  void measure() {
    std::vector<Nanoseconds> services;
    double gaps_weight = 0;
    for (const auto& [queue, own] : path_.queues) {
      for (std::size_t i = 0; i < own.pieces.size(); ++i) {
        record_wait(measured_, own.pieces[i].started - own.tasks()[i].arrival);
        services.push_back(own.tasks()[i].service);
      }
      if (const auto turnaround = own.turnaround_ns()) {
        turnaround_ns_ += *turnaround * static_cast<double>(own.pieces.size());
        gaps_weight += static_cast<double>(own.pieces.size());
      }
    }
    if (gaps_weight > 0) turnaround_ns_ /= gaps_weight;
    service_ = Moments::of(services);
    json_["service"] = {{"mean_ns", service_.mean}, {"scv", service_.scv}};
    if (gaps_weight > 0) json_["service"]["turnaround_ns"] = turnaround_ns_;
    json_["measured"] = stream_json(measured_);
  }

  void replay() {
    Histogram waits;
    for (const auto& [queue, own] : path_.queues) {
      const ReplayServers servers{.consumers = own.consumers.size(),
                                  .prefetch = prefetch_,
                                  .turnaround = static_cast<Nanoseconds>(own.turnaround_ns().value_or(0))};
      const std::vector<Nanoseconds> replayed = replay_waits(own.tasks(), servers);
      for (std::size_t i = 0; i < replayed.size(); ++i) {
        record_wait(waits, replayed[i]);
        const Nanoseconds done = own.tasks()[i].arrival + replayed[i] + own.tasks()[i].service;
        replayed_end_ = std::max(replayed_end_, done);
      }
    }
    json_["replay"] = stream_json(waits);
    json_["replay"]["error"] = error(waits.mean(), [&](int per_mille) -> std::optional<double> {
      return waits.quantile(per_mille / 1000.0);
    });
  }

  // Predicted minus measured, as a share of the measured time until the work was done.
  Json error(double mean, const std::function<std::optional<double>(int)>& quantile) {
    const auto share = [&](double predicted, double measured) {
      return (predicted - measured) / (measured + service_.mean);
    };
    Json json = {{"mean", share(mean, measured_.mean())}};
    for (const auto& [name, per_mille] : {std::pair{"p50", 500}, {"p90", 900}, {"p99", 990}}) {
      const auto measured = supported_quantile(measured_, per_mille);
      const auto predicted = quantile(per_mille);
      if (measured && predicted) json[name] = share(*predicted, static_cast<double>(*measured));
    }
    return json;
  }

  // Of one queue that messages come to one by one: no law knows several, or a heap that was there before.
  void model() {
    if (path_.queues.size() != 1) return;
    const QueuePath& own = path_.queues.begin()->second;
    std::vector<Nanoseconds> gaps;
    for (std::size_t i = 1; i < own.tasks().size(); ++i)
      gaps.push_back(own.tasks()[i].arrival - own.tasks()[i - 1].arrival);
    const Moments arrivals = Moments::of(gaps);
    if (arrivals.mean <= 0) return;
    const double rate = 1 / seconds(arrivals.mean), service = seconds(service_.mean + turnaround_ns_);
    const std::size_t servers = own.consumers.size();
    json_["arrivals"] = {{"rate_per_s", rate}, {"scv", arrivals.scv}};
    json_["utilisation"] = utilisation_ = theory::utilisation(rate, service, servers);
    const char law = path_.from_roles ? 'G' : declared_arrivals(run_.evidence());
    const Model model =
        model_of(law, law_of(service_.scv), rate, service, servers, arrivals, service_, own.tasks().size());
    Json json = {{"name", model.name}};
    arrivals_ = arrivals;
    model_ = model;
    if (std::isinf(model.mean)) {
      json_["model"] = std::move(json);
      return;
    }
    const auto in_ns = [](double of) { return of * static_cast<double>(kNanosecondsPerSecond); };
    json["mean_ns"] = in_ns(model.mean);
    if (model.p50) json["p50_ns"] = in_ns(*model.p50);
    if (model.p90) json["p90_ns"] = in_ns(*model.p90);
    if (model.p99) json["p99_ns"] = in_ns(*model.p99);
    json["error"] = error(in_ns(model.mean), [&](int per_mille) -> std::optional<double> {
      const auto& value = per_mille == 500 ? model.p50 : per_mille == 900 ? model.p90 : model.p99;
      return value ? std::optional(in_ns(*value)) : std::nullopt;
    });
    json_["model"] = std::move(json);
  }

  // From the first message that could be worked on to the last work done. Push and fair dispatch are for work
  // that is all there at the start.
  void makespan() {
    Nanoseconds first = INT64_MAX, last_arrival = 0, last = 0;
    std::vector<double> services;
    for (const auto& [queue, own] : path_.queues) {
      first = std::min(first, own.tasks().front().arrival);
      last_arrival = std::max(last_arrival, own.tasks().back().arrival);
      for (std::size_t i = 0; i < own.pieces.size(); ++i) {
        last = std::max(last, own.pieces[i].done);
        services.push_back(static_cast<double>(own.tasks()[i].service) + turnaround_ns_);
      }
    }
    Json json = {{"measured_ns", last - first}, {"replay_ns", replayed_end_ - first}};
    all_at_start_ = last_arrival - first < (last - first) / 20;
    if (path_.queues.size() == 1 && all_at_start_) {
      json["push_ns"] = theory::push_makespan(services, workers());
      json["fair_ns"] = theory::fair_makespan(services, workers());
    }
    json_["makespan"] = std::move(json);
  }

  bool parts(const char* prediction) const {
    const JsonPointer at = JsonPointer("/error") / "mean";
    const Json& of = json_.contains(prediction) ? json_.at(prediction) : json_.at("measured");
    return of.contains(at) && std::abs(of.at(at).get<double>()) > kParts;
  }

  void name_failed_assumptions() {
    std::vector<std::string> failed;
    if (!run_.evidence().faults.empty()) failed.push_back("nothing fails: this run had faults");
    if (path_.repeated > 0)
      failed.push_back(
          fmt::format("every message comes once: {} came again and are left out", path_.repeated));
    if (late_ && prefetch_ != 1)
      failed.push_back("all consumers are there from the start: these subscribed after the load, one by one");
    if (model_ && std::isinf(model_->mean))
      failed.push_back(fmt::format(
          "a steady state: utilisation {:.2f}, so the queue grows as long as the run lasts", utilisation_));
    if (model_ && parts("model")) name_failed_model(failed);
    if (!failed.empty()) json_["assumptions_failed"] = failed;
  }

  void name_failed_model(std::vector<std::string>& failed) const {
    if (std::abs(arrivals_.scv - model_->arrival_scv) > 0.2)
      failed.push_back(
          fmt::format("arrivals with scv {:.2f}: {:.2f} measured", model_->arrival_scv, arrivals_.scv));
    if (std::abs(service_.scv - model_->service_scv) > 0.2)
      failed.push_back(
          fmt::format("services with scv {:.2f}: {:.2f} measured", model_->service_scv, service_.scv));
    if (prefetch_ != 1 && largest_queue_servers() > 1)
      failed.push_back(
          "one line for all workers: what a worker has prefetched waits for it while others are idle");
    if (utilisation_ > 0.9 && utilisation_ < 1)
      failed.push_back(fmt::format("a steady state: at utilisation {:.2f} this run was too short to reach it",
                                   utilisation_));
    if (failed.empty() && !parts("replay"))
      failed.push_back("the textbook's average: a replay of this run's own arrivals and services agrees");
  }

  const RecordedRun& run_;
  RolePath& path_;
  Json spec_;
  Json json_ = Json::object();
  std::size_t prefetch_ = 0;
  bool late_ = false, all_at_start_ = false;
  Histogram measured_;
  Moments service_, arrivals_;
  double turnaround_ns_ = 0, utilisation_ = 0;
  Nanoseconds replayed_end_ = 0;
  std::optional<Model> model_;
};

std::vector<RolePath> collect(const RecordedRun& run, const RunAccounts& accounts) {
  std::vector<RolePath> roles(run.roles().size());
  std::set<std::uint32_t> of_roles;
  for (const DeclaredPublisher& publisher : run.publishers())
    if (publisher.role) of_roles.insert(publisher.id);
  run.each_delivery([&](std::uint32_t index, std::uint32_t queue, const DeliveryRecord& record) {
    const RecordedConsumer& consumer = run.consumers()[index];
    if (!consumer.works || record.started_ns == 0 || record.done_ns == 0) return;
    if (record.flags & (kUnstamped | kForeignRun)) return;
    RolePath& role = roles[consumer.role];
    if (accounts.ledger().delivered_again(record.publisher, record.sequence, queue)) {
      ++role.repeated;
      return;
    }
    if (role.too_many || ++role.pieces > kMost) {
      role.too_many = true;
      role.queues.clear();
      return;
    }
    role.from_roles |= of_roles.contains(record.publisher);
    QueuePath& path = role.queues[queue];
    path.consumers.insert(index);
    path.pieces.push_back({record.sent_ns, record.received_ns, record.started_ns, record.done_ns, index});
  });
  // A worker who got nothing was there too.
  for (std::uint32_t i = 0; i < run.consumers().size(); ++i) {
    const RecordedConsumer& consumer = run.consumers()[i];
    auto& queues = roles[consumer.role].queues;
    if (const auto found = queues.find(consumer.queue); found != queues.end() && consumer.works)
      found->second.consumers.insert(i);
  }
  return roles;
}

}  // namespace

Json predictions(const RecordedRun& run, const RunAccounts& accounts) {
  Json json = Json::array();
  const bool any = std::any_of(run.consumers().begin(), run.consumers().end(),
                               [](const RecordedConsumer& consumer) { return consumer.works; });
  if (!any) return json;
  std::vector<RolePath> roles = collect(run, accounts);
  for (std::size_t role = 0; role < roles.size(); ++role) {
    if (roles[role].too_many || roles[role].pieces < kFewest) continue;
    json.push_back(RolePrediction(run, role, roles[role]).take());
  }
  return json;
}

}  // namespace brokerlab
