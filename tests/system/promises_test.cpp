// What is promised whatever happens to us (docs/faults.md, "Promises"): the parts that no other test shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <random>
#include <thread>

#include "amqp/declaration.h"
#include "amqp/session.h"
#include "broker/journal.h"
#include "broker/management.h"
#include "core/clock.h"
#include "core/recording.h"
#include "tests/system/process_tree.h"
#include "tests/system/program.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;
using testing::Not;

const MonotonicClock kClock;

// Two workers of which one is paused, and which are slower than the load: a life with all phases in four
// seconds.
constexpr char kExperiment[] = R"({
  "name": "life",
  "topology": {"exchanges": [{"name": "in", "type": "direct"}], "queues": [{"name": "q"}],
               "bindings": [{"exchange": "in", "queue": "q", "routing_key": "k"}]},
  "load": [{"name": "publisher", "arrivals": {"process": "constant", "rate": 300},
            "publish": {"exchange": "in", "routing_key": "k"}}],
  "roles": [{"role": "worker", "instances": 2, "processes": 2, "consume": {"queue": "q", "prefetch": 10},
             "effort": {"kind": "sleep", "seconds": 0.008}}],
  "faults": [{"at": "0.5s", "kind": "pause", "target": "worker", "duration": "1s"}],
  "phases": {"measure": "2s", "drain": "20s"}
})";

// The state folder of every program that a test starts, so that its journal holds nothing of others.
class OwnStateFolder {
 public:
  OwnStateFolder() {
    if (const char* set = std::getenv("XDG_RUNTIME_DIR")) before_ = set;
    shared_broker();  // its entry stands where it belongs
    setenv("XDG_RUNTIME_DIR", folder_.path().c_str(), 1);
  }
  ~OwnStateFolder() {
    if (before_) {
      setenv("XDG_RUNTIME_DIR", before_->c_str(), 1);
    } else {
      unsetenv("XDG_RUNTIME_DIR");
    }
  }
  OwnStateFolder(const OwnStateFolder&) = delete;
  OwnStateFolder& operator=(const OwnStateFolder&) = delete;
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  ScratchFolder folder_;
  std::optional<std::string> before_;
};

std::vector<std::filesystem::path> files_named(const std::filesystem::path& folder,
                                               const std::string& ending) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().filename().string().ends_with(ending))
      files.push_back(entry.path());
  }
  return files;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool wait_until(const std::function<bool()>& done, int limit_s = 20) {
  const Nanoseconds limit = kClock.now() + limit_s * kNanosecondsPerSecond;
  while (!done() && kClock.now() < limit) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return done();
}

// One life of a controller, ended by SIGKILL after `delay_s`.
struct Life {
  double delay_s;
  std::vector<std::string> broker;  // options that name one; none: a private broker
  std::string description() const {
    return (broker.empty() ? "private, " : "") + std::to_string(delay_s) + " s";
  }
};

struct AfterDeath {
  std::atomic<int> killed = 0, recordings = 0, incomplete = 0;
  std::atomic<std::size_t> processes = 0;  // alive at the moments of the kills
};

void expect_readable_rest(const Life& life, const std::filesystem::path& folder, AfterDeath& seen) {
  for (const auto& path : files_named(folder, ".rec")) {
    // One that was not even begun has no header yet.
    if (std::filesystem::file_size(path) == 0) continue;
    try {
      const RecordingReader reader(path);
      EXPECT_EQ(reader.damage(), "") << path << ", " << life.description();
      std::uint64_t visited = 0;
      reader.each_publish([&](auto records) { visited += records.size(); });
      reader.each_delivery([&](auto records) { visited += records.size(); });
      EXPECT_EQ(visited, reader.publishes() + reader.deliveries());
      ++seen.recordings;
      seen.incomplete += reader.complete() ? 0 : 1;
    } catch (const Error& error) {
      ADD_FAILURE() << error.what() << ", " << life.description();
    }
  }
  for (const auto& path : files_named(folder, "result.json")) {
    EXPECT_NO_THROW(read_json_file(path)) << "a result is whole or not there";
  }
}

void live_and_die(const Life& life, AfterDeath& seen) {
  const ScratchFolder folder;
  folder.write("life.json", kExperiment);
  const Nanoseconds start = kClock.now();
  bool struck = false;
  std::vector<std::string> arguments = {"run", "life.json"};
  arguments.insert(arguments.end(), life.broker.begin(), life.broker.end());
  const ProgramResult result = run_program(arguments, folder.path(), [&](int pid) {
    if (struck || static_cast<double>(kClock.now() - start) < life.delay_s * kNanosecondsPerSecond) return;
    seen.processes += processes_in(folder.path()).size();
    struck = kill(pid, SIGKILL) == 0;
  });
  if (result.status == 128 + SIGKILL) ++seen.killed;
  // Roles, loads, guards, nodes, running or paused: whoever was started works in this folder.
  EXPECT_TRUE(wait_until([&] { return processes_in(folder.path()).empty(); }))
      << processes_in(folder.path()).size() << " processes left, " << life.description();
  expect_readable_rest(life, folder.path(), seen);
}

// Vhosts, queues and exchanges of a run that are still on the shared broker.
std::vector<std::string> lab_names_on(Management& management) {
  std::vector<std::string> names;
  for (const auto& vhost : management.vhosts()) {
    if (vhost.name.starts_with("lab-")) names.push_back(vhost.name);
  }
  for (const auto& binding : management.bindings("/")) {
    const std::string queue = binding.value("destination", "");
    if (queue.starts_with("lab-")) names.push_back(queue);
  }
  return names;
}

TEST(Promises, SigkillOfTheControllerAtAnyPointLeavesNothingThatCleanupDoesNotFind) {
  const OwnStateFolder state;
  const std::vector<std::string> prefixed = {"--broker", shared_broker()};
  const std::vector<std::string> own_vhost = {"--broker", shared_broker(), "--management",
                                              shared_management()};
  std::mt19937 random(4);
  std::uniform_real_distribution<double> share(0, 1);
  std::vector<Life> lives;
  for (int i = 0; i < 16; ++i) {
    lives.push_back({(i + share(random)) / 16 * 4.5, i % 2 == 0 ? prefixed : own_vhost});
  }
  for (int i = 0; i < 4; ++i)
    lives.push_back({(i + share(random)) / 4 * 8, {}});  // while a private broker boots
  std::shuffle(lives.begin(), lives.end(), random);

  AfterDeath seen;
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> players;
  for (int i = 0; i < 4; ++i) {
    players.emplace_back([&] {
      for (std::size_t mine = next++; mine < lives.size(); mine = next++) live_and_die(lives[mine], seen);
    });
  }
  for (auto& player : players) player.join();
  EXPECT_GE(seen.killed, 15);
  EXPECT_GE(seen.processes, 30U);
  EXPECT_GE(seen.incomplete, 10) << "of " << seen.recordings;

  EXPECT_TRUE(wait_until([] { return Journal::brokers().empty(); })) << "a guard removes what its broker had";
  EXPECT_FALSE(Journal::leases().empty()) << "the kills left something to clear up";
  const ScratchFolder folder;
  const ProgramResult cleanup = run_program({"cleanup", "--broker", shared_broker()}, folder.path());
  EXPECT_EQ(cleanup.status, 0) << cleanup.err;
  EXPECT_THAT(cleanup.out, Not(HasSubstr("left"))) << cleanup.out;
  EXPECT_TRUE(Journal::leases().empty()) << cleanup.out;
  EXPECT_THAT(lab_names_on(*shared_management_client()), testing::IsEmpty());
}

// A folder on a disk of its own.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size) {
    mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  ScratchFolder folder_;
  bool mounted_ = false;
};

std::uint64_t recorded_publishes(const std::filesystem::path& folder) {
  std::uint64_t publishes = 0;
  for (const auto& path : files_named(folder, ".rec")) publishes += RecordingReader(path).publishes();
  return publishes;
}

TEST(Promises, AFullDiskStopsTheLoadAndKeepsWhatWasMeasured) {
  const SmallDisk disk("3m");
  if (!disk.mounted()) GTEST_SKIP() << "only root may mount a small disk";
  const ScratchFolder folder;
  Json experiment = Json::parse(kExperiment);
  experiment["load"][0]["arrivals"]["rate"] = 4000;
  experiment["roles"][0]["effort"] = {{"kind", "none"}};
  experiment["roles"][0]["consume"]["prefetch"] = 100;
  experiment.erase("faults");
  experiment["phases"] = {{"measure", "60s"}, {"drain", "5s"}};
  folder.write("life.json", experiment.dump());
  const ProgramResult result =
      run_program({"run", "life.json", "--broker", shared_broker(), "--out", disk.path().string()},
                  folder.path(), {}, 50);
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr("No space left on device"));
  EXPECT_THAT(result.err, HasSubstr("the load stops"));
  const auto results = files_named(disk.path(), "result.json");
  ASSERT_EQ(results.size(), 1U) << result.err;
  const Json saved = read_json_file(results.front());
  EXPECT_NE(saved["verdict"]["status"], "valid");
  const Json run = run_of(saved);
  EXPECT_LT(run["phase_ns"]["load_end"].get<double>(), 45e9);
  EXPECT_GT(run["ledger"]["published"].get<std::uint64_t>(), 4000U);
  EXPECT_EQ(run["ledger"]["published"].get<std::uint64_t>(), recorded_publishes(disk.path()));
}

TEST(Promises, ARoleThatCrashesIsTold) {
  const ScratchFolder folder;
  folder.write("life.json", kExperiment);
  pid_t worker = 0;
  int looks = 0;
  const ProgramResult result =
      run_program({"run", "life.json", "--broker", shared_broker(), "--json"}, folder.path(), [&](int) {
        if (worker != 0) return;
        // Some turns later, so that it has something in hand.
        const pid_t found = process_with_open_file(folder.path(), "worker-1.rec");
        if (found == 0 || ++looks < 20) return;
        worker = found;
        kill(worker, SIGSEGV);
      });
  ASSERT_NE(worker, 0);
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr("worker-1 ended by signal 11"));
  const Json run = run_of(Json::parse(result.out));
  EXPECT_EQ(run["verdict"]["status"], "unknown");
  EXPECT_THAT(run["verdict"]["reasons"].dump(), HasSubstr("worker-1"));
  // "1.234 s: process worker-1 ended by signal 11"
  EXPECT_THAT(run["notices"].dump(),
              testing::ContainsRegex("[0-9.]+ s: process worker-1 ended by signal 11"));
  EXPECT_EQ(run["ledger"]["lost"], 0) << "the other worker got what it held";
  EXPECT_GT(run["ledger"]["redelivered_flag"].get<int>(), 0);
}

// A user of the shared broker with these permissions on its vhost "/".
class BrokerUser {
 public:
  BrokerUser(std::string name, std::string password, const std::string& configure, const std::string& write,
             const std::string& read, const std::vector<std::string>& tags = {})
      : name_(std::move(name)), password_(std::move(password)) {
    management_->create_user(name_, password_, tags);
    management_->permit(name_, "/", configure, write, read);
  }
  ~BrokerUser() { management_->delete_user(name_); }
  BrokerUser(const BrokerUser&) = delete;
  BrokerUser& operator=(const BrokerUser&) = delete;
  std::string uri(const std::string& vhost = "/") const {
    amqp::Uri uri = amqp::Uri::parse(shared_broker());
    uri.user = name_;
    uri.password = password_;
    uri.vhost = vhost;
    return uri.full();
  }

 private:
  std::unique_ptr<Management> management_ = shared_management_client();
  std::string name_, password_;
};

TEST(Promises, ABrokerOnWhichWeLackRightsIsToldOnceAndLeftAsItWas) {
  const OwnStateFolder state;
  const BrokerUser no_configure("no-configure", "secret", "", ".*", ".*"),
      no_write("no-write", "secret", ".*", "", ".*"), no_read("no-read", "secret", ".*", ".*", ""),
      stranger("stranger", "secret", "", "", "");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {no_configure.uri(), "permission"},
      {no_write.uri(), "permission"},
      {no_read.uri(), "permission"},
      {stranger.uri("nowhere"), "no such vhost"},
  };
  for (const auto& [uri, says] : cases) {
    const ScratchFolder folder;
    folder.write("life.json", kExperiment);
    const ProgramResult result = run_program({"run", "life.json", "--broker", uri, "--quiet"}, folder.path());
    EXPECT_EQ(result.status, 1) << says << result.err;
    EXPECT_THAT(result.err, HasSubstr(says)) << uri;
    const auto first = result.err.find("brokerlab:");
    EXPECT_NE(first, std::string::npos) << result.err;
    EXPECT_EQ(result.err.find("brokerlab:", first + 1), std::string::npos) << "one error: " << result.err;
    EXPECT_THAT(result.err, HasSubstr("to do:"));
    EXPECT_TRUE(files_named(folder.path(), "result.json").empty());
    EXPECT_TRUE(processes_in(folder.path()).empty());
    EXPECT_TRUE(Journal::leases().empty());
    EXPECT_THAT(lab_names_on(*shared_management_client()), testing::IsEmpty());
  }
}

// Everything written below a folder, by name.
void expect_nowhere(const std::string& secret, const std::filesystem::path& folder) {
  for (const auto& path : files_named(folder, "")) EXPECT_THAT(text_of(path), Not(HasSubstr(secret))) << path;
}

TEST(Promises, ASecretIsInNoArtefact) {
  const OwnStateFolder state;
  const std::string canary = "Can4ry/of a p@ssword";
  const std::string written = "Can4ry%2Fof%20a%20p%40ssword";
  const BrokerUser user("canary", canary, ".*", ".*", ".*", {"administrator"});
  const std::vector<std::vector<std::string>> commands = {
      {"run", "life.json", "--broker", user.uri(), "--management", shared_management()},
      {"run", "life.json", "--broker", user.uri(), "--json"},
      {"run", "life.json", "--broker", user.uri("nowhere")},
      {"run", "life.json", "--broker", user.uri() + "?x"},
      {"role", "worker-1", "--broker", user.uri("nowhere")},
      {"cleanup", "--broker", user.uri()},
  };
  for (const auto& command : commands) {
    const ScratchFolder folder;
    folder.write("life.json", kExperiment);
    std::string public_words;
    std::size_t processes = 0;
    int looks = 0;
    const ProgramResult result = run_program(command, folder.path(), [&](int) {
      if (++looks % 10 != 5) return;
      for (const pid_t pid : processes_in(folder.path())) public_words += public_words_of(pid), ++processes;
      expect_nowhere(canary, state.path());
    });
    for (const std::string& secret : {canary, written}) {
      EXPECT_THAT(result.out, Not(HasSubstr(secret))) << command[0];
      EXPECT_THAT(result.err, Not(HasSubstr(secret))) << command[0];
      EXPECT_THAT(public_words, Not(HasSubstr(secret))) << command[0];
      expect_nowhere(secret, folder.path());
      expect_nowhere(secret, state.path());
    }
    if (result.status == 0 && command[0] == "run") {
      EXPECT_GT(processes, 10U) << "controller and children were looked at";
      EXPECT_GT(files_named(folder.path(), "").size(), 5U);
    }
  }
}

// Whatever a broker keeps, but not how many messages wait.
Json definitions() {
  Json all = Json::object();
  const auto management = shared_management_client();
  all["overview"] = management->overview().value("object_totals", Json::object());
  all["overview"].erase("connections");
  all["overview"].erase("channels");
  all["overview"].erase("consumers");
  for (const auto& vhost : management->vhosts()) all["vhosts"][vhost.name] = management->bindings(vhost.name);
  return all;
}

TEST(Promises, WhatWasThereBeforeIsNotTouched) {
  const OwnStateFolder state;
  amqp::Session session(amqp::Uri::parse(shared_broker()));
  amqp::ExchangeDeclaration exchange;
  exchange.name = "in";  // the very names of the experiment
  exchange.type = "fanout";
  amqp::QueueDeclaration queue;
  queue.name = "q";
  session.declare(exchange);
  session.declare(queue);
  amqp::BindingDeclaration binding;
  binding.source = "in";
  binding.destination = "q";
  session.bind(binding);
  for (int i = 0; i < 7; ++i) session.publish("in", "", {}, "theirs");
  const Json before = definitions();

  const BrokerUser user("ordinary", "secret", ".*", ".*", ".*");
  const std::vector<std::vector<std::string>> rights = {
      {"--broker", user.uri()}, {"--broker", shared_broker(), "--management", shared_management()}};
  for (const auto& broker : rights) {
    const ScratchFolder folder;
    folder.write("life.json", kExperiment);
    std::vector<std::string> arguments = {"run", "life.json", "--quiet", "--json"};
    arguments.insert(arguments.end(), broker.begin(), broker.end());
    const ProgramResult result = run_program(arguments, folder.path());
    EXPECT_EQ(result.status, 0) << result.err;
    const Json saved = Json::parse(result.out);
    EXPECT_EQ(run_of(saved)["ledger"]["unexpected"], 0) << "and none of theirs was taken for ours";
  }
  EXPECT_TRUE(wait_until([&] { return definitions() == before; })) << definitions() << before;
  EXPECT_EQ(session.queue("q")->messages, 7U);
  session.remove_queue("q");
  session.remove_exchange("in");
}

TEST(Promises, AResultSaysWhereItsNumbersComeFrom) {
  const ScratchFolder folder;
  Json experiment = Json::parse(kExperiment);
  experiment["topology"]["queues"][0]["arguments"] = {{"x-max-length", 100000}};
  folder.write("life.json", experiment.dump());
  const ProgramResult program =
      run_program({"run", "life.json", "--broker", shared_broker(), "--json", "--seed", "7"}, folder.path());
  ASSERT_EQ(program.status, 0) << program.err;
  const Json result = Json::parse(program.out);
  EXPECT_EQ(result["seed"], 7);
  EXPECT_EQ(result["config_hash"].get<std::string>().size(), 64U);
  for (const char* pointer :
       {"/environment/versions/brokerlab", "/environment/versions/rabbitmq", "/environment/host/kernel",
        "/environment/command", "/environment/broker/uri"}) {
    EXPECT_TRUE(result.contains(JsonPointer(pointer))) << pointer;
  }
  EXPECT_THAT(result["plan"].dump(), HasSubstr("x-max-length"));
  const Json fault = run_of(result)["faults"].at(0);
  EXPECT_EQ(fault["scheduled_at_ns"], 500'000'000);
  EXPECT_NEAR(fault["at_ns"].get<double>(), 5e8, 1e8);
  EXPECT_NEAR(fault["ended_ns"].get<double>() - fault["at_ns"].get<double>(), 1e9, 1e8);
  EXPECT_EQ(result["environment"]["host"]["clock"], "CLOCK_MONOTONIC");
}

}  // namespace
}  // namespace brokerlab
