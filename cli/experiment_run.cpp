#include "cli/experiment_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "analysis/environment.h"
#include "analysis/result.h"
#include "analysis/summary.h"
#include "cli/declared_topology.h"
#include "cli/live_options.h"
#include "core/ids.h"
#include "core/units.h"
#include "experiments/fault_kind.h"
#include "experiments/plan.h"
#include "experiments/run.h"
#include "experiments/search_plan.h"
#include "experiments/simulated_limits.h"
#include "experiments/simulated_run.h"
#include "experiments/threshold.h"

namespace brokerlab {
namespace {

// The broker key of a variant, and what its topology needs of the broker.
Json wanted_broker(const Experiment& experiment, const std::optional<int>& nodes) {
  Json wanted = experiment.variants.front().experiment["broker"];
  for (const char* of_the_run : {"connect", "heartbeat", "watch"})
    wanted.erase(of_the_run);  // any broker does
  if (nodes) wanted["nodes"] = *nodes;
  Json plugins = Json::array();
  bool predeclared = false;
  for (const Variant& variant : experiment.variants) {
    const Topology topology = Topology::from_json(variant.experiment["topology"]);
    predeclared |= topology.has_predeclared();
    for (const std::string& plugin : plugins_for(topology)) {
      if (std::find(plugins.begin(), plugins.end(), plugin) == plugins.end()) plugins.push_back(plugin);
    }
  }
  std::sort(plugins.begin(), plugins.end());
  wanted["plugins"] = plugins;
  wanted["predeclared"] = predeclared;
  return wanted;
}

PrivateBrokerSpec private_broker(const Json& wanted, const Interrupts& interrupts) {
  PrivateBrokerSpec spec;
  spec.nodes = wanted.value("nodes", 1);
  for (const auto& [key, value] : wanted["arguments"].items()) {
    spec.configuration.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  spec.plugins = wanted["plugins"].get<std::vector<std::string>>();
  spec.interrupted = [&interrupts] { return interrupts.count() > 0; };
  return spec;
}

std::string title_of(const Experiment& experiment, const Plan& plan, const PlannedRun& run) {
  std::string title = experiment.name;
  if (experiment.variants.size() > 1) title += " · " + run.variant;
  if (plan.repetitions > 1)
    title += fmt::format(", repetition {} of {}", run.repetition + 1, plan.repetitions);
  if (plan.runs.size() > 1) title += fmt::format(" (run {} of {})", run.order + 1, plan.runs.size());
  return title;
}

std::filesystem::path make_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw Error("cannot make the folder for results: " + failure.message(), folder.string(),
                "choose a folder you may write to with --out");
  }
  return std::filesystem::absolute(folder);
}

// The thresholds of an experiment: what may end a run early, and what became of each in every run.
class Thresholds {
 public:
  explicit Thresholds(const Experiment& experiment) : declared_(experiment.thresholds) {
    const ThresholdNames names = ThresholdNames::of(experiment.variants.front().experiment);
    for (const Threshold& threshold : declared_)
      expressions_.push_back(parse_threshold(threshold.expression, names));
  }

  // Why the run that goes on has to end; "" while all that can end it holds.
  std::string broken(const Json& figures, Nanoseconds elapsed_ns) {
    for (std::size_t i = 0; i < declared_.size(); ++i) {
      if (!declared_[i].abort || elapsed_ns < declared_[i].after_ns) continue;
      const ThresholdOutcome outcome = evaluate(expressions_[i], figures);
      if (!outcome.value || outcome.ok) continue;
      stop_ = Stop{i, *outcome.value};
      return fmt::format("{} does not hold: {:.6g} after {}", expressions_[i].text, *outcome.value,
                         format_duration(elapsed_ns));
    }
    return "";
  }
  bool stopped() const { return stop_.has_value(); }

  // Entries of the result's `thresholds`. One that ended a run, the last one, is missed there whatever the
  // figure of the whole run came to. Those of a search are about what it came to for each variant.
  Json evaluate_all(const Json& runs, const Json& search) const {
    Json evaluated = Json::array();
    for (std::size_t i = 0; i < expressions_.size(); ++i) {
      if (search.is_object()) {
        for (const Json& variant : search["variants"])
          evaluated.push_back(entry(i, {{"search", variant}}, variant["variant"], 0));
        continue;
      }
      for (const Json& run : runs) {
        evaluated.push_back(entry(i, run, run["variant"], run["repetition"]));
        if (!stop_ || stop_->threshold != i || &run != &runs.back()) continue;
        evaluated.back().update({{"value", stop_->value}, {"ok", false}, {"stopped", true}});
      }
    }
    return evaluated;
  }

 private:
  Json entry(std::size_t index, const Json& figures, const Json& variant, int repetition) const {
    const ThresholdOutcome outcome = evaluate(expressions_[index], figures);
    return {{"expression", expressions_[index].text},
            {"variant", variant},
            {"repetition", repetition},
            {"value", outcome.value ? Json(*outcome.value) : Json(nullptr)},
            {"ok", outcome.ok},
            {"unit", to_text(expressions_[index].unit)}};
  }

  struct Stop {
    std::size_t threshold;
    double value;
  };
  std::vector<Threshold> declared_;
  std::vector<ThresholdExpression> expressions_;
  std::optional<Stop> stop_;
};

// One experiment being run: the result as far as it has come, and where it is saved.
class Recorder {
 public:
  Recorder(const Experiment& experiment, const Plan& plan, const RunOptions& options)
      : id_(RunId::make()),
        folder_(make_folder(options.out / experiment.name / id_.text)),
        thresholds_(experiment) {
    char started_at[32];
    input_.run_id = id_.text;
    input_.experiment = experiment.name;
    input_.started_at = WallClock::iso8601_now(started_at);
    input_.plan = to_json(plan);
    input_.plan["question"] = experiment.question;
    input_.seed = plan.seed;
    input_.config_hash = plan.config_hash;
  }

  // `broker`: what is known of it.
  void describe(Json broker, const RunOptions& options) {
    EnvironmentInput environment;
    environment.command = options.command_line;
    environment.broker = std::move(broker);
    environment.versions = {{"brokerlab", BROKERLAB_VERSION}};
    for (const char* name : {"rabbitmq", "erlang"}) {
      if (environment.broker.contains(name)) environment.versions[name] = environment.broker[name];
    }
    environment.tls_insecure = options.tls_insecure;
    environment.tags = tags_json(options.live);
    input_.environment = describe_environment(environment);
  }

  std::filesystem::path run_folder(const PlannedRun& run) const {
    std::string name = fmt::format("{:03}-{}", run.order + 1, run.variant);
    std::replace(name.begin(), name.end(), '/', '-');  // of A/A
    return make_folder(folder_ / name);
  }

  // `search`: whose trial this is; null for none.
  void add(const Json& evidence, const std::filesystem::path& run_folder, SearchPlan* search) {
    input_.runs.push_back(summarise(evidence, run_folder));
    if (search != nullptr) {
      search->judge(input_.runs.back());
      set_search(*search);
    }
    input_.aborted |= evidence.value("aborted", false);
    input_.stopped_by = evidence.value("stopped_by", "");
    save();
  }

  void save() {
    input_.thresholds = thresholds_.evaluate_all(input_.runs, input_.search);
    result_ = assemble_result(input_);
    write_result(folder_, result_);
  }

  void abort() { input_.aborted = true; }
  void set_search(const SearchPlan& search) {
    input_.search = search.to_json();
    const Json question = input_.plan["question"];
    input_.plan = to_json(search.plan());
    input_.plan["question"] = question;
  }
  Thresholds& thresholds() { return thresholds_; }
  std::uint64_t run_number(const PlannedRun& run) const {
    return id_.number + static_cast<std::uint64_t>(run.order);
  }
  const std::string& id() const { return id_.text; }
  const std::filesystem::path& folder() const { return folder_; }
  const Json& result() const { return result_; }
  bool empty() const { return input_.runs.empty(); }

 private:
  RunId id_;
  std::filesystem::path folder_;
  Thresholds thresholds_;
  ResultInput input_;
  Json result_;
};

}  // namespace

BrokerRoom::BrokerRoom(const RunOptions& options, const Clock& clock, const Interrupts& interrupts,
                       RunObserver& observer)
    : options_(options), clock_(clock), interrupts_(interrupts), observer_(observer) {}

Lease& BrokerRoom::open(const Experiment& experiment) {
  Json wanted = wanted_broker(experiment, options_.nodes);
  if (lease_ && wanted == wanted_) return *lease_;
  close();
  LeaseRequest request;
  request.run_id = RunId::make().text;
  request.uri = options_.broker_uri;
  request.management_uri = options_.management_uri;
  request.tls_insecure = options_.tls_insecure;
  request.predeclared_objects = wanted["predeclared"].get<bool>();
  request.private_broker = private_broker(wanted, interrupts_);
  lease_ = Lease::open(request, clock_, [this](const std::string& stage, Nanoseconds elapsed) {
    observer_.stage(
        fmt::format("{} ({:.1f} s)", stage, static_cast<double>(elapsed) / kNanosecondsPerSecond));
  });
  wanted_ = std::move(wanted);
  return *lease_;
}

void BrokerRoom::close() {
  if (!lease_) return;
  const std::unique_ptr<Lease> closing = std::move(lease_);
  closing->close();
}

bool wants_simulation(const Experiment& experiment, const RunOptions& options) {
  const auto of = [](const Variant& variant) { return variant.experiment["broker"]["kind"] == "simulated"; };
  const bool declared = of(experiment.variants.front());
  for (const Variant& variant : experiment.variants) {
    if (of(variant) == declared) continue;
    throw Error("variants on a simulated and on a real broker do not go together", "/variants",
                "run the experiment twice, once with --broker simulated", ExitStatus::kUsage);
  }
  const bool simulated = options.simulated || (declared && !options.broker_uri);
  if (!simulated && !options.calibration.is_null()) {
    throw Error("a calibration is for simulated brokers, and " + experiment.name + " is to run on a real one",
                "--calibration", "add --broker simulated", ExitStatus::kUsage);
  }
  if (simulated && (options.nodes || options.management_uri)) {
    throw Error("a simulated broker has no nodes and no management API", experiment.name,
                "leave out --nodes and --management", ExitStatus::kUsage);
  }
  return simulated;
}

namespace {

Json simulated_environment(const Experiment& experiment, const RunOptions& options) {
  Json calibration = options.calibration;
  if (calibration.is_object()) calibration.erase("steps");
  return {{"kind", "simulated"},
          {"costs", experiment.variants.front().experiment["broker"].value("costs", Json::object())},
          {"calibration", std::move(calibration)}};
}

// Each run of a plan in its turn, on a broker or without one.
class RunSequence {
 public:
  RunSequence(const Experiment& experiment, const Plan& plan, const RunOptions& options, const Clock& clock,
              const Interrupts& interrupts, RunObserver& observer)
      : experiment_(experiment),
        plan_(plan),
        options_(options),
        clock_(clock),
        interrupts_(interrupts),
        observer_(observer) {}

  // `lease`: null for a simulation.
  void execute(Lease* lease, Recorder& recorder) {
    if (has_search(experiment_)) return search(lease, recorder);
    for (const PlannedRun& planned : plan_.runs) {
      if (interrupts_.count() > 0) return recorder.abort();
      run(lease, planned, title_of(experiment_, plan_, planned), nullptr, recorder);
      if (recorder.thresholds().stopped()) return;
    }
  }

 private:
  void search(Lease* lease, Recorder& recorder) {
    SearchPlan search(experiment_);
    recorder.set_search(search);
    while (const PlannedRun* planned = search.next()) {
      if (interrupts_.count() > 0) return recorder.abort();
      run(lease, *planned, search.title(), &search, recorder);
      if (recorder.result().at("aborted") == true) return;
      observer_.stage(search.last_outcome());
    }
  }

  void run(Lease* lease, const PlannedRun& planned, const std::string& title, SearchPlan* search,
           Recorder& recorder) {
    const std::filesystem::path folder = recorder.run_folder(planned);
    observer_.begin_run({experiment_.name, recorder.id(), planned.variant, planned.repetition, title,
                         lease != nullptr ? lease->prefix() : "",
                         lease != nullptr ? lease->display_uri() : "", folder});
    const Json evidence = lease != nullptr ? measured(*lease, planned, title, folder, recorder)
                                           : simulated(planned, title, folder, recorder.run_number(planned));
    observer_.stage("analysing " + title);
    recorder.add(evidence, folder, search);
    observer_.end_run(recorder.result().at("runs").back());
  }

  Json measured(Lease& lease, const PlannedRun& planned, const std::string& title,
                const std::filesystem::path& folder, Recorder& recorder) {
    const DeclaredTopology topology(lease, Topology::from_json(planned.topology), clock_, interrupts_,
                                    observer_);
    RunSetting setting;
    setting.executable = "/proc/self/exe";
    setting.folder = folder;
    setting.run_number = recorder.run_number(planned);
    setting.title = title;
    setting.must_stop = [&recorder](const Json& figures, Nanoseconds elapsed_ns) {
      return recorder.thresholds().broken(figures, elapsed_ns);
    };
    setting.tls_insecure = options_.tls_insecure;
    observer_.stage("starting " + setting.title);
    return Run(planned, setting, lease, clock_, interrupts_, observer_).execute();
  }

  Json simulated(const PlannedRun& planned, const std::string& title, const std::filesystem::path& folder,
                 std::uint64_t number) {
    const SimulatedSetting setting{folder, number, title, options_.calibration};
    observer_.stage("simulating " + title);
    return SimulatedRun(planned, setting, interrupts_, observer_).execute();
  }

  const Experiment& experiment_;
  const Plan& plan_;
  const RunOptions& options_;
  const Clock& clock_;
  const Interrupts& interrupts_;
  RunObserver& observer_;
};

}  // namespace

ExperimentOutcome run_experiment(const Experiment& experiment, const RunOptions& options, BrokerRoom& room,
                                 const Clock& clock, const Interrupts& interrupts, RunObserver& observer) {
  const Plan plan = make_plan(experiment);
  const bool simulation = wants_simulation(experiment, options);
  for (const PlannedRun& run : plan.runs) {
    if (simulation) {
      refuse_what_is_not_simulated(run);
    } else if (options.broker_uri) {
      refuse_faults_on_foreign_broker(run, options.allow_faults);
    }
  }
  Recorder recorder(experiment, plan, options);
  ExperimentOutcome outcome{recorder.folder(), Json(), std::nullopt};
  try {
    Lease* lease = simulation ? nullptr : &room.open(experiment);
    recorder.describe(lease != nullptr ? lease->environment() : simulated_environment(experiment, options),
                      options);
    RunSequence(experiment, plan, options, clock, interrupts, observer).execute(lease, recorder);
    recorder.save();
  } catch (const Error& error) {
    if (recorder.empty()) {
      // An empty folder would look like a result.
      std::error_code ignored;
      std::filesystem::remove_all(recorder.folder(), ignored);
      throw;
    }
    recorder.abort();
    recorder.save();
    outcome.failure = error;
  }
  outcome.result = recorder.result();
  return outcome;
}

}  // namespace brokerlab
