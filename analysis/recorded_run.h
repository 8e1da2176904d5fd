#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/evidence.h"
#include "core/recording.h"

namespace brokerlab {

struct RecordedConsumer {
  std::uint32_t process = 0;   // index into RecordedRun::processes()
  std::uint32_t role = 0;      // index into RecordedRun::roles()
  std::uint32_t instance = 0;  // within its role
  std::string name;
  std::uint32_t queue = 0;  // index into the evidence's queues
  bool automatic = false;   // automatic acknowledgement
  bool works = false;       // its role has an effort, or computes
  bool completes = false;   // a submission is complete when this role has done its work on it
};

struct RecordedProcess {
  std::uint32_t evidence = 0;               // index into RunEvidence::processes
  std::unique_ptr<RecordingReader> reader;  // empty when the recording cannot be read
  std::vector<std::uint32_t> publishers;    // recording's index -> publisher of the run
  std::vector<std::uint32_t> consumers;     // recording's index -> consumer of the run
  std::vector<std::uint32_t> queues;        // recording's index -> queue of the evidence
};

struct DeclaredPublisher {
  std::uint32_t id = 0;
  std::optional<std::uint32_t> role;  // index into RecordedRun::roles(); nothing for a load
  std::vector<RouteEvidence> routes;
  RouteEvidence other;
  std::vector<std::pair<std::string, std::string>> names;  // parallel to routes: exchange, routing key
  std::string other_exchange;
  bool mandatory = true;
  bool persistent = false;

  // Exchange and routing key of PublishRecord::route.
  std::pair<std::string, std::string> route_name(std::uint8_t route) const;
};

// The recordings of one run, opened, with the numbers of every process translated into numbers of the run.
// Reading is repeated as often as asked; nothing of the records is kept.
class RecordedRun {
 public:
  RecordedRun(RunEvidence evidence, const std::filesystem::path& folder);

  const RunEvidence& evidence() const { return evidence_; }
  const std::vector<RecordedProcess>& processes() const { return processes_; }
  const ProcessEvidence& evidence_of(const RecordedProcess& process) const {
    return evidence_.processes[process.evidence];
  }
  const std::vector<RecordedConsumer>& consumers() const { return consumers_; }
  const std::vector<DeclaredPublisher>& publishers() const { return publishers_; }
  const std::vector<std::string>& roles() const { return roles_; }
  // Recordings that are missing, broken, or cut short without a fault that explains it: a sentence each.
  const std::vector<std::string>& unreadable() const { return unreadable_; }
  bool killed(std::uint32_t consumer) const;
  // A visitor was spared records whose times or numbers cannot be: of a damaged file, or of a forged stamp.
  bool left_out() const { return left_out_; }

  using PublishVisitor =
      std::function<void(const RecordedProcess&, std::uint32_t publisher, const PublishRecord&)>;
  using DeliveryVisitor =
      std::function<void(std::uint32_t consumer, std::uint32_t queue, const DeliveryRecord&)>;
  using DetailVisitor = std::function<void(std::uint32_t consumer, std::uint32_t queue, const DeliveryRecord&,
                                           const DeliveryDetail*)>;  // null: it has none
  using EventVisitor = std::function<void(const RecordedProcess&, const EventRecord&)>;
  // Records that a killed process had only begun to write are left out.
  void each_publish(const PublishVisitor& visit) const;
  void each_delivery(const DeliveryVisitor& visit) const;
  void each_delivery_and_detail(const DetailVisitor& visit) const;
  void each_event(const EventVisitor& visit) const;

 private:
  void open(std::uint32_t index, const std::filesystem::path& folder);
  void read_publishers(RecordedProcess& process, const Json& header);
  void read_consumers(RecordedProcess& process, const Json& header);
  RouteEvidence route(const Json& entry) const;
  const Json& spec_of(const RecordedProcess& process) const;
  std::uint32_t role_index(const std::string& name);
  // Within days of the run's start, or 0: "did not happen".
  bool is_time(Nanoseconds at) const;
  bool can_be(const PublishRecord& record) const;
  bool can_be(const DeliveryRecord& record) const;
  // What the stamps of other people say is not our business, and may be anything.
  DeliveryRecord without_foreign_times(const DeliveryRecord& record) const;

  RunEvidence evidence_;
  std::vector<RecordedProcess> processes_;
  std::vector<RecordedConsumer> consumers_;
  std::vector<DeclaredPublisher> publishers_;
  std::vector<std::string> roles_;
  std::vector<std::string> unreadable_;
  std::uint64_t most_sequences_ = 0;  // they count from 0: more than all publishes there cannot be
  mutable bool left_out_ = false;     // found while visiting, which repeats
};

}  // namespace brokerlab
