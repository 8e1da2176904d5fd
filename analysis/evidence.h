#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// How many queues a route's message must reach.
enum class RouteDelivery {
  kAll,      // a copy to each of the queues; no queues: unroutable
  kOneOf,    // exactly one of them (consistent hash)
  kUnknown,  // cannot be told beforehand
};

struct RouteEvidence {
  static constexpr std::uint32_t kNoKey = UINT32_MAX;
  std::uint32_t key =
      kNoKey;  // numbers the (exchange, routing key) within the run; kNoKey stands for many keys
  RouteDelivery delivery = RouteDelivery::kUnknown;
  std::vector<std::uint32_t> queues;  // indices into RunEvidence::queues
};

enum class ProcessEnd { kNormal, kFault, kDied, kAborted };

struct ProcessEvidence {
  std::string name;
  bool is_load = false;
  std::string entry;      // name of the load or role in the experiment file
  std::string recording;  // relative path
  ProcessEnd end = ProcessEnd::kNormal;
  std::size_t spec = SIZE_MAX;  // index into loads or roles; SIZE_MAX when the entry is not listed

  // A process that a fault restarts has the name of the first one, with "-r1", "-r2" and so on behind it.
  std::string_view planned_name() const;
  std::size_t restarts() const;  // how many were before it
};

struct QueueEvidence {
  std::string name;
  bool consumed = true;
  bool durable = true;
  bool quorum = false;
  bool limited = false;  // its arguments let the broker drop messages (time to live, length limit)
  // Where its dead letters go, as indices into RunEvidence::queues: one queue or each of several; empty:
  // nowhere, they are dropped; nothing when it is not known.
  std::optional<std::vector<std::uint32_t>> dead_letter_queues;
  std::optional<std::int64_t> ready_at_start, ready_at_end, unacked_at_end;
};

struct FaultEvidence {
  std::string kind, target, mode;
  std::vector<std::string> processes;                            // those it hit; empty: all of the target
  std::optional<Nanoseconds> scheduled_at_ns, scheduled_end_ns;  // from the start
  std::optional<Nanoseconds> started_ns, ended_ns;               // instants
  std::string not_done;                                          // why it was not; else empty
  Json details = Json::object();                                 // what only some kinds have to tell

  // In one of its lives.
  bool hits(const ProcessEvidence& process) const;
  // It ended a process, be it of ours or the broker's.
  bool ends_processes() const { return kind == "kill" || kind == "stop"; }
  // Connections may end by it, with what was on its way; the others only hold messages up.
  bool cuts_connections() const {
    return kind != "hang" && kind != "slow" && kind != "memory-alarm" && kind != "disk-alarm";
  }
};

// A queue that came to an exchange, or went from it, while the run was on.
struct MembershipChange {
  std::string exchange;
  std::uint32_t queue = 0;  // index into RunEvidence::queues
  bool join = true;
  Nanoseconds at_ns = 0;                      // the broker had answered
  std::optional<Nanoseconds> asked_ns;        // no earlier than this
  std::vector<std::uint32_t> members_before;  // in bind order
};

// What the runner knows of one run besides its recordings (docs/result.md, "Evidence"). Immutable after
// parsing.
struct RunEvidence {
  // Throws Error when a part that everything rests on is missing or of a wrong type.
  static RunEvidence from_json(const Json& json);

  std::string variant;
  std::int64_t repetition = 0;
  std::optional<std::uint64_t> seed;
  Nanoseconds t0_ns = 0;
  std::optional<Nanoseconds> measure_start_ns, measure_end_ns, load_end_ns, drain_end_ns;
  std::vector<ProcessEvidence> processes;
  std::vector<Json> loads, roles;  // spec entries, defaults filled in
  std::vector<QueueEvidence> queues;
  std::map<std::pair<std::string, std::string>, RouteEvidence> routes;  // (exchange, routing key)
  std::map<std::string, RouteEvidence> other_keys;  // exchange -> where keys go that are not listed
  bool drained = false;
  std::string drain_reason;
  bool aborted = false;
  std::string stopped_by;  // the limit that ended it early
  bool simulated = false;
  Json calibration;  // of the simulation; null: none
  std::vector<FaultEvidence> faults;
  std::vector<MembershipChange> membership;
  Json host = Json::object();
  Json broker;  // what it told of itself; null: it was not asked
  std::vector<std::string> notices;

  // Where the measured messages begin: those intended earlier are warm-up.
  Nanoseconds measure_start() const { return measure_start_ns.value_or(t0_ns); }
  // The queue's index; a queue nobody listed is added.
  std::uint32_t queue_index(const std::string& name);

 private:
  std::unordered_map<std::string, std::uint32_t> queue_indices_;  // of the first indexed_queues_ of them
  std::uint32_t indexed_queues_ = 0;
};

}  // namespace brokerlab
