#include "broker/journal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/error.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

struct ProcessState {
  char state = 0;
  std::uint64_t start_ticks = 0;
};

// The command name may hold blanks and brackets: fields are counted from its last bracket on.
std::optional<ProcessState> state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return {};
  auto bracket = line.rfind(')');
  if (bracket == std::string::npos) return {};
  std::istringstream fields(line.substr(bracket + 1));
  ProcessState process;
  std::string skipped;
  fields >> process.state;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  if (!(fields >> process.start_ticks)) return {};
  return process;
}

Json identity_json(const ProcessIdentity& process) {
  return Json{{"pid", process.pid}, {"start_ticks", process.start_ticks}};
}

ProcessIdentity identity_from(const Json& value) {
  return {value.at("pid").get<pid_t>(), value.at("start_ticks").get<std::uint64_t>()};
}

fs::path make_private(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    throw Error("cannot make the state folder", folder, "check the permissions, or set XDG_RUNTIME_DIR");
  }
  struct stat found {};
  // In a shared temporary folder somebody else may have been there first: never trust what is not ours alone.
  if (::lstat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != ::geteuid() ||
      (found.st_mode & 077) != 0) {
    throw Error("the state folder is not private to this user", folder,
                "remove it (its mode must be 0700), or set XDG_RUNTIME_DIR");
  }
  return folder;
}

fs::path entry(const char* kind, const std::string& name) {
  return make_private(Journal::state_directory() / kind) / (name + ".json");
}

// The folder's mode 0700 protects the file from its first byte on; its own mode protects a copy of it.
void write_private(const fs::path& path, const Json& value) {
  write_json_file(path, value);
  ::chmod(path.c_str(), 0600);
}

template <typename Record>
std::vector<Record> read_all(const char* kind) {
  std::vector<std::pair<fs::file_time_type, Record>> found;
  std::error_code failed;
  fs::path folder = Journal::state_directory() / kind;
  for (const fs::directory_entry& file : fs::directory_iterator(folder, failed)) {
    if (file.path().extension() != ".json") continue;
    try {
      found.emplace_back(file.last_write_time(), Record::from_json(read_json_file(file.path(), 1 << 20)));
    } catch (const std::exception&) {
      // Removed in between, or written by another version: no business of ours.
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Record> records;
  records.reserve(found.size());
  for (auto& [time, record] : found) records.push_back(std::move(record));
  return records;
}

}  // namespace

std::optional<ProcessIdentity> ProcessIdentity::of(pid_t pid) {
  auto process = state_of(pid);
  if (!process) return {};
  return ProcessIdentity{pid, process->start_ticks};
}

bool ProcessIdentity::alive() const {
  if (pid <= 0) return false;
  auto process = state_of(pid);
  return process && process->start_ticks == start_ticks && process->state != 'Z' && process->state != 'X';
}

Json BrokerRecord::to_json() const {
  Json list = Json::array();
  for (const ProcessIdentity& process : processes) list.push_back(identity_json(process));
  return Json{{"id", id},
              {"directory", directory.string()},
              {"detached", detached},
              {"started_at", started_at},
              {"guard", identity_json(guard)},
              {"controller", identity_json(controller)},
              {"processes", std::move(list)},
              {"uri", uri},
              {"management_uri", management_uri}};
}

BrokerRecord BrokerRecord::from_json(const Json& value) {
  BrokerRecord record;
  record.id = value.at("id").get<std::string>();
  record.directory = value.at("directory").get<std::string>();
  record.detached = value.at("detached").get<bool>();
  record.started_at = value.at("started_at").get<std::string>();
  record.guard = identity_from(value.at("guard"));
  record.controller = identity_from(value.at("controller"));
  for (const Json& process : value.at("processes")) record.processes.push_back(identity_from(process));
  record.uri = value.at("uri").get<std::string>();
  record.management_uri = value.at("management_uri").get<std::string>();
  return record;
}

Json LeaseRecord::to_json() const {
  return Json{{"run_id", run_id},
              {"broker", broker},
              {"management_uri", management_uri},
              {"vhost", vhost},
              {"user", user},
              {"exchanges", exchanges},
              {"queues", queues},
              {"controller", identity_json(controller)}};
}

LeaseRecord LeaseRecord::from_json(const Json& value) {
  LeaseRecord record;
  record.run_id = value.at("run_id").get<std::string>();
  record.broker = value.at("broker").get<std::string>();
  record.management_uri = value.at("management_uri").get<std::string>();
  record.vhost = value.at("vhost").get<std::string>();
  record.user = value.at("user").get<std::string>();
  record.exchanges = value.at("exchanges").get<std::vector<std::string>>();
  record.queues = value.at("queues").get<std::vector<std::string>>();
  record.controller = identity_from(value.at("controller"));
  return record;
}

fs::path Journal::state_directory() {
  std::error_code failed;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime && *runtime && fs::is_directory(runtime, failed) && ::access(runtime, W_OK) == 0) {
    return make_private(fs::path(runtime) / "brokerlab");
  }
  return make_private(data_directory());
}

fs::path Journal::data_directory() {
  return make_private(fs::temp_directory_path() / ("brokerlab-" + std::to_string(::geteuid())));
}

void Journal::write(const BrokerRecord& record) {
  write_private(entry("brokers", record.id), record.to_json());
}
void Journal::write(const LeaseRecord& record) {
  write_private(entry("leases", record.run_id), record.to_json());
}

void Journal::remove_broker(const std::string& id) {
  std::error_code ignored;
  fs::remove(entry("brokers", id), ignored);
}

void Journal::remove_lease(const std::string& run_id) {
  std::error_code ignored;
  fs::remove(entry("leases", run_id), ignored);
}

std::vector<BrokerRecord> Journal::brokers() { return read_all<BrokerRecord>("brokers"); }
std::vector<LeaseRecord> Journal::leases() { return read_all<LeaseRecord>("leases"); }

}  // namespace brokerlab
