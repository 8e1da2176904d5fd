#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "experiments/findings.h"

namespace brokerlab {

// The exchanges and queues an experiment declares, "copies" expanded, as far as they can be read.
struct DeclaredNames {
  std::map<std::string, std::string> exchange_types;  // declared ones and the broker's own
  std::vector<std::string> exchanges;                 // declared ones, for suggestions
  std::map<std::string, std::size_t> queues;          // name -> its entry in topology.queues
  std::vector<std::string> queue_suggestions;
};
DeclaredNames declared_names(const Json& experiment);

// What the schema cannot say: names that lead nowhere, settings that contradict each other, data files that
// are not there. `experiment` is one variant with defaults; `written` is it without, for what nobody wrote
// down. Both may be faulty: what cannot be read is passed over, for the schema's check has reported it.
void check_meaning(const Json& experiment, const Json& written, const std::filesystem::path& directory,
                   Findings& findings);

// The parts of it.
void check_topology(const Json& experiment, const DeclaredNames& names, Findings& findings);
void check_loads(const Json& experiment, const Json& written, const DeclaredNames& names,
                 const std::filesystem::path& directory, Findings& findings);
void check_roles(const Json& experiment, const DeclaredNames& names, const std::filesystem::path& directory,
                 Findings& findings);
void check_churn(const Json& experiment, const DeclaredNames& names, const std::filesystem::path& directory,
                 Findings& findings);
void check_faults(const Json& experiment, Findings& findings);
void check_thresholds(const Json& experiment, Findings& findings);

// Files that the loads of an experiment read: place in the file, path as written.
struct NamedFile {
  JsonPointer at;
  std::string path;
};
std::vector<NamedFile> data_files(const Json& experiment);

// Reading without complaints: null, an empty list, "" or 0 for what is missing or of another type.
const Json& member(const Json& value, const std::string& key);
const Json& list_at(const Json& value, const std::string& key);
std::string text_at(const Json& value, const std::string& key);
std::int64_t whole_at(const Json& value, const std::string& key);

// Warm-up and measure phase; 1 where they cannot be read.
Nanoseconds load_ns(const Json& experiment, const Findings& findings);

// "orders-{i}" -> "orders-3".
std::string with_number(std::string text, std::int64_t number);
// The queue that instance `index` of a role consumes: "{i}" is its number; where the topology declares copies
// under that name, the instances go round these.
std::string queue_of_instance(const Json& topology, const std::string& queue, std::int64_t index);

}  // namespace brokerlab
