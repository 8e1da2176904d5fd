#include <gmock/gmock.h>

#include <filesystem>

#include "tests/experiments/scratch_folder.h"

namespace brokerlab {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Line 3 is the load's arrivals, line 4 its publish, line 5 other keys of it, line 7 other keys of the
// experiment.
std::string with_load(const std::string& arrivals, const std::string& publish = R"("routing_key": "q")",
                      const std::string& rest = "", const std::string& experiment = "") {
  return "{\"name\": \"x\", \"topology\": {\"queues\": [{\"name\": \"q\"}]},\n \"load\": [{\"name\": "
         "\"p\",\n  "
         "\"arrivals\": {" +
         arrivals + "},\n  \"publish\": {" + publish + "}" + (rest.empty() ? "" : ",\n  " + rest) + "\n }]" +
         (experiment.empty() ? "" : ",\n " + experiment) + "\n}";
}

std::string with_role(const std::string& role, const std::string& rest = "") {
  return "{\"name\": \"x\",\n \"topology\": {\"queues\": [{\"name\": \"q\"}]},\n \"roles\": [{\"role\": "
         "\"w\", " +
         role + "}]" + (rest.empty() ? "" : ",\n " + rest) + "\n}";
}

std::string with_topology(const std::string& topology) {
  return "{\"name\": \"x\",\n \"topology\": {" + topology + "}\n}";
}

constexpr char kConstant[] = R"("process": "constant", "rate": 10)";

struct Case {
  std::string text;
  std::string problem;  // a part of the only one
};

class OneProblem : public ::testing::TestWithParam<Case> {};

TEST_P(OneProblem, IsFoundAtItsPlace) {
  EXPECT_THAT(problems_of(ScratchFolder(), GetParam().text), ElementsAre(HasSubstr(GetParam().problem)))
      << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Loads, OneProblem,
    ::testing::Values(
        Case{with_load(R"("process": "replay")"),
             "x.json:3: /load/0/arrivals: exactly one of \"times\" and \"file\" is wanted"},
        Case{with_load(R"("process": "replay", "times": [0, 2, 1])"),
             "x.json:3: /load/0/arrivals/times/2: the times must not fall"},
        Case{with_load(R"("process": "replay", "file": "times.txt")"),
             "x.json:3: /load/0/arrivals/file: there is no file \"times.txt\""},
        Case{with_load(R"("process": "replay", "file": "../times.txt")"),
             "x.json:3: /load/0/arrivals/file: \"../times.txt\" leads out of the experiment's folder"},
        Case{with_load(kConstant, R"("routing_key": "q", "body": {"csv": "/etc/passwd"})"),
             "x.json:4: /load/0/publish/body/csv: \"/etc/passwd\" leads out of the experiment's folder"},
        Case{with_load(kConstant, R"("routing_key": "q", "body": {"jsonl": "no.jsonl"})"),
             "x.json:4: /load/0/publish/body/jsonl: there is no file \"no.jsonl\""},
        Case{with_load(R"("process": "closed")"), "x.json:2: /load/0: a closed loop has no end of its own"},
        Case{with_load(R"("process": "ramp", "from": 0, "to": 0, "over": "5s")"),
             "x.json:3: /load/0/arrivals/to: a ramp from 0 to 0 sends nothing"},
        Case{with_load(R"("process": "renewal", "gap": {"distribution": "uniform", "min": "x", "max": 1})"),
             "x.json:3: /load/0/arrivals/gap"},
        Case{with_load(R"("process": "renewal", "gap": 0)"), "x.json:3: /load/0/arrivals/gap: gaps of 0"},
        Case{with_load(R"("process": "constnat", "rate": 3)"),
             "x.json:3: /load/0/arrivals/process: unknown process \"constnat\"; did you mean \"constant\"?"},
        Case{with_load(R"("process": "constant")"), "x.json:3: /load/0/arrivals: \"rate\" is missing"},
        Case{with_load(R"("process": "poisson", "rate": 3, "size": 2)"),
             "x.json:3: /load/0/arrivals/size: unknown key \"size\""},
        Case{with_load(R"("rate": 3)"), "x.json:3: /load/0/arrivals: \"process\" is missing"},
        Case{with_load(kConstant, R"("body": {"text": "a", "size": 3})"),
             "x.json:4: /load/0/publish/body: has text, size where one is wanted"},
        Case{with_load(kConstant, R"("body": {"template": "{sequenec}"})"), "x.json:4: /load/0/publish/body"},
        Case{with_load(kConstant, R"("routing_key": "q")", R"("processes": 2)"),
             "x.json:5: /load/0/processes: more processes than instances"},
        Case{with_load(kConstant, R"("routing_key": "q")", "", R"("phases": {"measure": 0})"),
             "x.json:6: /phases/measure: no time for load"}));

INSTANTIATE_TEST_SUITE_P(
    Roles, OneProblem,
    ::testing::Values(
        Case{with_role(R"("consume": {"queue": "q"}, "effort": {"kind": "sleep"})"),
             "x.json:3: /roles/0/effort: exactly one of \"seconds\" and \"from\" is wanted"},
        Case{with_role(R"("consume": {"queue": "q"}, "effort": {"kind": "none", "seconds": 1})"),
             "x.json:3: /roles/0/effort: an effort of kind none takes no time"},
        Case{with_role(R"("consume": {"queue": "q"}, "effort": {"kind": "sleep", "seconds": "5 parsecs"})"),
             "x.json:3: /roles/0/effort/seconds"},
        Case{with_role(R"-("consume": {"queue": "q", "ack": "multiple(10)", "prefetch": 5})-"),
             "x.json:3: /roles/0/consume/ack: multiple(10) never comes about with a prefetch limit of 5"},
        Case{with_role(R"("consume": {"queue": "q", "exclusive": true}, "instances": 2)"),
             "x.json:3: /roles/0/consume/exclusive: only one consumer can have \"q\" for itself"},
        Case{with_role(R"("consume": {"queue": "q"}, "when": {"status": "new"})"),
             "x.json:3: /roles/0/when/status: \"status\" is no JSON pointer; write \"/status\""},
        Case{with_role(R"("consume": {"queue": "q"}, "set": {"status": "new"})"),
             "x.json:3: /roles/0/set: the patched body goes nowhere"},
        Case{with_role(R"("consume": {"queue": "q"}, "publish": {"exchange": "none"})"),
             "x.json:3: /roles/0/publish/exchange: exchange \"none\" is not declared"},
        Case{with_role(R"("consume": {"queue": "q"}, "otherwise": "nak")"),
             "x.json:3: /roles/0/otherwise: unknown value \"nak\"; did you mean \"nack\"?"},
        Case{with_role(R"("consume": {"queue": "q"}, "instances": 2, "processes": 3)"),
             "x.json:3: /roles/0/processes: more processes than instances"},
        Case{R"({"name": "x", "topology": {"queues": [{"name": "q"}]},
 "roles": [{"role": "w", "consume": {"queue": "q"}},
           {"role": "w", "consume": {"queue": "q"}}]})",
             "x.json:3: /roles/1/role: the name \"w\" is taken by another load, churn or role"},
        Case{R"({"name": "x", "topology": {"queues": [{"name": "q"}]},
 "roles": [{"role": "broker", "consume": {"queue": "q"}}]})",
             "x.json:2: /roles/0/role: \"broker\" has a meaning of its own as the target of a fault"}));

INSTANTIATE_TEST_SUITE_P(
    Faults, OneProblem,
    ::testing::Values(
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "kill", "target": "worker"}])"),
             "x.json:4: /faults/0/target: unknown target \"worker\""},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "kill", "target": "brokr"}])"),
             "x.json:4: /faults/0/target: unknown target \"brokr\"; did you mean \"broker\"?"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "pause", "target": "w"}])"),
             "x.json:4: /faults/0: pause needs an end"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "kill", "target": "w", "instance": 1}])"),
             "x.json:4: /faults/0/instance: \"w\" has 1 processes, from 0"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "kill", "target": "all"}])"),
             "x.json:4: /faults/0/target: kill cannot hit everybody"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "kill", "target": "w", "stream": "upstream"}])"),
             "x.json:4: /faults/0/stream: kill has no \"stream\""},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "latency", "target": "w", "duration": 1}])"),
             "x.json:4: /faults/0: latency needs the attribute \"latency\""},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "down", "target": "all"}])"),
             "x.json:4: /faults/0: down needs an end"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "kill", "target": "w", "duration": 1}])"),
             "x.json:4: /faults/0/duration: kill has no duration"},
        Case{
            with_role(
                R"("consume": {"queue": "q"})",
                R"("faults": [{"at": 1, "kind": "pause", "target": "w", "duration": 1, "restart_after": 1}])"),
            "x.json:4: /faults/0/restart_after: pause leaves nothing to start again"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "kill", "target": "broker", "instance": 1}])"),
             "x.json:4: /faults/0/instance: \"broker\" has 1 nodes, from 0"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "kill", "target": "w", "every": 1}])"),
             "x.json:4: /faults/0/every: a fault that repeats needs an end"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "kill", "target": "w", "times": 2}])"),
             "x.json:4: /faults/0/times: how long from one time to the next?"},
        Case{with_role(R"("consume": {"queue": "q"})", R"("faults": [{"at": 1, "kind": "kill", "target": "w",
 "every": 1, "times": 2, "restart_after": "1500ms"}])"),
             "x.json:5: /faults/0/every: it would come again before \"restart_after\" has passed"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "hang", "target": "w"}])"),
             "x.json:4: /faults/0: hang needs an end"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "slow", "target": "w", "duration": 1}])"),
             "x.json:4: /faults/0: slow by how much?"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "hang", "target": "w", "factor": 2, "duration": 1}])"),
             "x.json:4: /faults/0/factor: hang has no \"factor\""},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "partition", "target": "broker", "duration": 1}])"),
             "x.json:4: /faults/0/kind: partition needs a broker of 3 nodes"},
        Case{
            with_role(
                R"("consume": {"queue": "q"})",
                R"("faults": [{"at": 1, "kind": "partition", "target": "broker", "instance": 2, "duration": 1}],
 "broker": {"nodes": 3})"),
            "x.json:4: /faults/0/instance: partition has no \"instance\""},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "memory-alarm", "target": "w", "duration": 1}])"),
             "x.json:4: /faults/0/target: memory-alarm cannot hit a role"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "delete-queue", "target": "w"}])"),
             "x.json:4: /faults/0/target: unknown target \"w\""},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": 1, "kind": "close-connection", "target": "w", "duration": 1}])"),
             "x.json:4: /faults/0/duration: close-connection has no duration"},
        Case{
            with_role(
                R"("consume": {"queue": "q"})",
                R"("faults": [{"at": 1, "kind": "kill", "target": "broker"}], "broker": {"kind": "external"})"),
            "x.json:4: /faults/0/target: the broker is not ours to break"},
        Case{with_role(R"("consume": {"queue": "q"})",
                       R"("faults": [{"at": "soon", "kind": "stop", "target": "w"}])"),
             "x.json:4: /faults/0/at: \"soon\" is not allowed here; A text with a unit"}));

INSTANTIATE_TEST_SUITE_P(
    Topologies, OneProblem,
    ::testing::Values(
        Case{with_topology(R"("queues": [{"name": "q"}, {"name": "q"}])"),
             "x.json:2: /topology/queues/1/name: queue \"q\" is declared twice"},
        Case{with_topology(R"("queues": [{"name": "q", "copies": 3}])"),
             "x.json:2: /topology/queues/0/name: 3 copies would all be named \"q\""},
        Case{with_topology(R"("queues": [{"name": "q"}, {"name": "mine", "exclusive": true}])"),
             "x.json:2: /topology/queues/1/exclusive: an exclusive queue belongs to the connection that "
             "consumes it, and nobody consumes \"mine\""},
        Case{with_topology(R"("exchanges": [{"name": "e", "type": "direct", "alternate_exchange": "f"}])"),
             "x.json:2: /topology/exchanges/0/alternate_exchange: exchange \"f\" is not declared"},
        Case{with_topology(R"("bindings": [{"exchange": "amq.topic", "queue": "q"}])"),
             "x.json:2: /topology/bindings/0/queue: queue \"q\" is not declared"},
        Case{with_topology(R"("queues": [{"name": "q"}], "bindings": [{"exchange": "e", "queue": "q"}])"),
             "x.json:2: /topology/bindings/0/exchange: exchange \"e\" is not declared"},
        Case{
            with_topology(R"("queues": [{"name": "q"}], "bindings": [{"exchange": "amq.topic"}])"),
            "x.json:2: /topology/bindings/0: exactly one of \"queue\" or \"destination_exchange\" is wanted"},
        Case{with_topology(
                 R"("exchanges": [{"name": "e", "type": "x-consistent-hash"}], "queues": [{"name": "q"}],
  "bindings": [{"exchange": "e", "queue": "q", "routing_key": "k"}])"),
             "x.json:3: /topology/bindings/0/routing_key: \"k\" is no weight"},
        Case{R"({"name": "x",
 "broker": {"kind": "external", "nodes": 3}})",
             "x.json:2: /broker/nodes: only a private broker has a number of nodes"}));

INSTANTIATE_TEST_SUITE_P(
    Rest, OneProblem,
    ::testing::Values(
        Case{"{\"name\": \"x\",\n \"thresholds\": [\"ledger.lost == 0\",\n \"end_to_end.p95 < 5ms\"]}",
             "x.json:3: /thresholds/1: threshold \"end_to_end.p95 < 5ms\": unknown metric "
             "\"end_to_end.p95\"; did you "
             "mean \"end_to_end.p9"},
        Case{
            "{\"name\": \"x\", \"thresholds\": [\n {\"expression\": \"ledger.lost == 0\", \"abort\": true}]}",
            "x.json:2: /thresholds/0/expression: what this is about is known only when the run has ended"},
        Case{"{\"name\": \"x\", \"thresholds\": [\n {\"expression\": \"ledger.lost == 0\", \"after\": "
             "\"5s\"}]}",
             "x.json:2: /thresholds/0/after: \"after\" says from when on"},
        Case{"{\"name\": \"x\", \"thresholds\": [\n {\"expression\": \"ledger.lots == 0\"}]}",
             "x.json:2: /thresholds/0/expression: threshold \"ledger.lots == 0\": unknown metric"},
        Case{"{\"name\": \"x\",\n \"matrix\": {\"roles.0.instances\": [1]}}",
             "x.json:2: /matrix/roles.0.instances: {\"0\":{\"instances\":1}} is an object, but a list is "
             "wanted"},
        Case{"{\"name\": \"a/b\"}", "x.json:1: /name: \"a/b\" is not allowed here"},
        Case{"{\"description\": \"\"}", "x.json:1: \"name\" is missing"},
        Case{"[]", "x.json:1: an experiment is a JSON object"},
        Case{"{\"name\": \"x\", \"suite\": [\"r1\"],\n \"load\": []}",
             "x.json:2: /load: \"load\" has no meaning beside"},
        Case{"{\"name\": \"x\", \"suite\": [\n \"work-queue\",\n \"work-queu\"]}",
             "x.json:3: /suite/1: there is no experiment \"work-queu\""},
        Case{"{\"name\": \"x\", \"suite\": [\n {\"experiment\": \"work-queue\",\n  \"patch\": {\"seed\": "
             "-1}}]}",
             "x.json:3: /suite/0/patch/seed: -1 is out of range"}));

std::vector<std::string> warnings_of(const std::string& text) {
  std::vector<std::string> codes;
  for (const Problem& warning : load_text(ScratchFolder(), text).warnings) {
    codes.push_back(std::to_string(warning.line) + " " + warning.path + " " + warning.code);
  }
  return codes;
}

TEST(Warnings, PrefetchIsIgnoredWithAutomaticAcknowledgement) {
  EXPECT_THAT(warnings_of(with_role(R"("consume": {"queue": "q", "ack": "auto", "prefetch": 1})")),
              ElementsAre("3 /roles/0/consume/prefetch PREFETCH_IGNORED"));
}

TEST(Warnings, NothingArrives) {
  EXPECT_THAT(warnings_of(with_load(kConstant, R"("routing_key": "w")")),
              ElementsAre("4 /load/0/publish/routing_key UNROUTABLE"));
  EXPECT_THAT(warnings_of(with_load(kConstant, R"("exchange": "amq.direct", "routing_key": "q")")),
              ElementsAre("4 /load/0/publish/routing_key UNROUTABLE"));
  EXPECT_THAT(warnings_of(with_load(kConstant)), IsEmpty());
  EXPECT_THAT(warnings_of(with_role(R"("consume": {"queue": "q"}, "publish": {"routing_key": "w"})")),
              ElementsAre("3 /roles/0/publish/routing_key UNROUTABLE"));
  EXPECT_THAT(warnings_of(with_role(R"("consume": {"queue": "q"}, "publish": {"routing_key": "q"})")),
              IsEmpty());
}

TEST(Warnings, FaultAfterTheLoad) {
  EXPECT_THAT(warnings_of(with_role(R"("consume": {"queue": "q"})",
                                    R"("faults": [{"at": "10s", "kind": "stop", "target": "w"}])")),
              ElementsAre("4 /faults/0/at FAULT_AFTER_LOAD"));
}

TEST(DataFiles, ASymbolicLinkOutOfTheFolderIsRefused) {
  const ScratchFolder folder, elsewhere;
  elsewhere.write("secret.csv", "a,b\n");
  std::filesystem::create_symlink(elsewhere.path() / "secret.csv", folder.path() / "link.csv");
  EXPECT_THAT(
      problems_of(folder, with_load(kConstant, R"("routing_key": "q", "body": {"csv": "link.csv"})")),
      ElementsAre(HasSubstr("x.json:4: /load/0/publish/body/csv: \"link.csv\" leads out of the experiment's "
                            "folder by a symbolic link")));
}

TEST(DataFiles, BadContentIsReported) {
  const ScratchFolder folder;
  folder.write("times.txt", "0\n2\n1\n");
  EXPECT_THAT(problems_of(folder, with_load(R"("process": "replay", "file": "times.txt")")),
              ElementsAre(HasSubstr("x.json:3: /load/0/arrivals/file: the times to replay fall at entry 3")));
}

TEST(DataFiles, TheirDigestsAreKept) {
  const ScratchFolder folder;
  folder.write("data/tasks.csv", "a,b\n");
  const Experiment experiment =
      load_text(folder, with_load(kConstant, R"("routing_key": "q", "body": {"csv": "data/tasks.csv"})"));
  ASSERT_EQ(experiment.data_files.size(), 1u);
  EXPECT_EQ(experiment.data_files[0].path, "data/tasks.csv");
  // printf 'a,b\n' | sha256sum
  EXPECT_EQ(experiment.data_files[0].sha256,
            "5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313");
}

}  // namespace
}  // namespace brokerlab
