#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// A process named so that a recycled pid is never mistaken for it.
struct ProcessIdentity {
  pid_t pid = -1;
  std::uint64_t start_ticks = 0;  // field 22 of /proc/<pid>/stat

  static std::optional<ProcessIdentity> of(pid_t pid);
  bool alive() const;  // exists with this start time and is no zombie
};

// What stands in the journal about one private broker.
struct BrokerRecord {
  std::string id;
  std::filesystem::path directory;
  bool detached = false;
  std::string started_at;  // ISO 8601
  ProcessIdentity guard;
  ProcessIdentity controller;
  std::vector<ProcessIdentity> processes;  // epmd and beams
  std::string uri;                         // of the first node, with credentials: the file has mode 0600
  std::string management_uri;

  Json to_json() const;
  static BrokerRecord from_json(const Json& value);
};

// What a run made on a broker that is not ours, written before it is made and removed after it is deleted. No
// secrets.
struct LeaseRecord {
  std::string run_id;
  std::string broker;  // scheme://host:port/vhost, without credentials
  std::string management_uri;
  std::string vhost;                   // our own vhost, or empty
  std::string user;                    // our scoped user, or empty
  std::vector<std::string> exchanges;  // with prefix
  std::vector<std::string> queues;     // with prefix
  ProcessIdentity controller;

  Json to_json() const;
  static LeaseRecord from_json(const Json& value);
};

// The ownership journal: one small JSON file per broker and per lease in the state folder, each replaced by
// rename, so that whatever a killed run left can be found and removed. Any process of this user.
class Journal {
 public:
  // $XDG_RUNTIME_DIR/brokerlab, else <temporary folder>/brokerlab-<uid>; made with mode 0700. Throws Error
  // when the folder belongs to somebody else.
  static std::filesystem::path state_directory();

  // Where brokers keep their folders: <temporary folder>/brokerlab-<uid>. XDG_RUNTIME_DIR is memory, and
  // small.
  static std::filesystem::path data_directory();

  static void write(const BrokerRecord& record);
  static void write(const LeaseRecord& record);
  static void remove_broker(const std::string& id);
  static void remove_lease(const std::string& run_id);
  static std::vector<BrokerRecord> brokers();  // oldest first; unreadable entries are skipped
  static std::vector<LeaseRecord> leases();
};

}  // namespace brokerlab
