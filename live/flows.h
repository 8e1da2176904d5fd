#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/histogram.h"
#include "core/recording_tail.h"
#include "live/buckets.h"

namespace brokerlab::live {

// The messages of one load or role to or from one destination, since the start of the run.
struct Flow {
  std::string entry;  // name of the load or role
  bool role = false;
  bool publishes = false, consumes = false;  // what it does with that destination
  std::string destination;                   // "" where they are too many to be told apart
  std::uint64_t sent = 0, consumed = 0;
  Buckets published, nacked, returned;  // sent -> answered by the broker, by the answer
  Buckets acked, requeued, rejected;    // work done, or else received -> written
  Buckets processed;                    // work started -> done
  Buckets send_delay;                   // intended -> sent
  Buckets confirmed_from_intended;      // intended -> confirmed
  Buckets end_to_end, done;             // intended -> received, -> work done
};

// Percentiles of one latency, each only where enough samples lie beyond it (docs/metrics.md).
struct Percentiles {
  std::int64_t count = 0;
  std::optional<Nanoseconds> p50, p90, p99, p99_9, longest;
};
struct Latencies {
  Percentiles end_to_end, done, confirmed;  // all from the intended time
};

// A recording to follow, and how what it says is to be named.
struct Source {
  std::filesystem::path path;
  std::string entry;
  bool role = false;
  std::vector<std::string> routes, queues;  // destinations by the numbers that records refer to them with
  std::vector<std::string> consumed;        // those of `queues` that it receives from
};

// Reads the recordings of a run while it goes on, five times a second on a thread of its own, and sums up
// what they say. The recordings are the only source of a result, and so they are of these figures: nothing is
// counted twice in two places that could disagree, and the processes that measure pay nothing for being
// watched. A thread that cannot keep up lags and catches up; it leaves nothing out.
//
// All methods from any thread; none waits longer than one look at the recordings takes, but for end_run().
class Flows {
 public:
  explicit Flows(const Clock& clock);
  ~Flows();
  Flows(const Flows&) = delete;
  Flows& operator=(const Flows&) = delete;

  void begin_run();
  void follow(const Source& source);  // of the run that goes on
  // Reads to the end what the processes have written, which must be gone.
  void end_run();

  std::vector<Flow> flows() const;
  Latencies so_far() const;
  // Since the last call.
  Latencies take_recent();
  // Whether everything that was there at the last look has been read.
  bool up_to_date() const;
  std::uint64_t unfollowed() const;

  // Of more destinations than this, those of one load or role are not told apart.
  static constexpr std::size_t kMostDestinations = 32;

 private:
  class Followed;
  struct Histograms {
    Histogram end_to_end, done, confirmed;
    Latencies read() const;
  };

  void work();
  bool look(bool ended);
  void count(Histogram Histograms::*stream, Nanoseconds value);
  std::uint64_t unfollowed_now() const;

  const Clock& clock_;
  // Taken by the thread for a whole look.
  mutable std::mutex figures_;
  std::map<std::pair<std::string, std::string>, Flow> flows_;
  Histograms so_far_, recent_;
  std::vector<std::unique_ptr<Followed>> followed_;
  bool up_to_date_ = true;
  std::uint64_t ended_unfollowed_ = 0;

  std::mutex orders_;
  std::condition_variable ordered_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace brokerlab::live
