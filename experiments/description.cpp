#include "experiments/description.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/units.h"
#include "experiments/catalogue.h"
#include "experiments/meaning.h"
#include "experiments/role_file.h"
#include "experiments/search_plan.h"

namespace brokerlab {
namespace {

std::string plural(std::int64_t number, const std::string& word) {
  const std::string many = word.ends_with("s") ? word + "es" : word + "s";
  return fmt::format("{} {}", format_count(static_cast<std::uint64_t>(number)), number == 1 ? word : many);
}

// One line per entry below a heading that stands in the first.
class Section {
 public:
  explicit Section(std::string heading) : heading_(std::move(heading)) {}
  void line(const std::string& text) {
    lines_ += fmt::format("  {:<10} {}\n", lines_.empty() ? heading_ : "", text);
  }
  std::string text() const { return lines_; }

 private:
  std::string heading_;
  std::string lines_;
};

std::string queue_shown(const Json& queue) {
  std::string text = "queue " + queue.at("name").get<std::string>();
  if (queue.at("copies") > 1) text += fmt::format(" x {}", queue.at("copies").dump());
  for (const char* property : {"durable", "exclusive", "auto_delete", "predeclared"}) {
    if (queue.at(property) == true) text += std::string(", ") + property;
  }
  for (const auto& [key, value] : member(queue, "arguments").items()) text += ", " + key + " " + value.dump();
  return text;
}

std::string binding_shown(const Json& binding) {
  const std::string key = binding.at("routing_key");
  const std::string destination = binding.contains("queue")
                                      ? "queue " + binding["queue"].get<std::string>()
                                      : "exchange " + binding["destination_exchange"].get<std::string>();
  return fmt::format("{} <- {}{}", destination, binding.at("exchange").get<std::string>(),
                     key.empty() ? "" : " by " + key);
}

std::string topology_text(const Json& topology) {
  Section section("topology");
  for (const Json& exchange : topology.at("exchanges")) {
    section.line(fmt::format("exchange {} ({})", exchange.at("name").get<std::string>(),
                             exchange.at("type").get<std::string>()));
  }
  for (const Json& queue : topology.at("queues")) section.line(queue_shown(queue));
  for (const Json& binding : topology.at("bindings")) section.line(binding_shown(binding));
  return section.text();
}

std::string shown_without_process(const Json& arrivals) {
  std::string text = arrivals.at("process");
  for (const auto& [key, value] : arrivals.items()) {
    if (key == "process") continue;
    const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
    constexpr std::size_t kLongest = 60;
    text += " " + key + " " + (shown.size() > kLongest ? shown.substr(0, kLongest) + "…" : shown);
  }
  return text;
}

std::string messages_shown(const std::optional<std::uint64_t>& messages) {
  return messages ? plural(static_cast<std::int64_t>(*messages), "message")
                  : "as many messages as the time allows";
}

std::string instances_shown(const Json& entry) {
  return plural(entry.at("instances"), "instance") + " in " + plural(entry.at("processes"), "process");
}

std::string loads_text(const PlannedRun& run) {
  Section section("load");
  for (std::size_t i = 0; i < run.messages.size(); ++i) {
    const Json& load = run.experiment.at("load").at(i);
    const std::string exchange = load.at("publish").at("exchange");
    section.line(fmt::format("{}: {}, {}, to {}: {}", run.messages[i].load, instances_shown(load),
                             shown_without_process(load.at("arrivals")),
                             exchange.empty() ? "the default exchange" : "exchange " + exchange,
                             messages_shown(run.messages[i].messages)));
  }
  std::vector<std::string> lost;
  for (const PlannedProcess& process : run.processes) {
    for (const PlannedRoute& route : process.routes) {
      if (route.delivery != PlannedRoute::Delivery::kAll || !route.queues.empty()) continue;
      lost.push_back(
          fmt::format("unroutable: exchange \"{}\", key \"{}\"", route.exchange, route.routing_key));
    }
  }
  std::sort(lost.begin(), lost.end());
  lost.erase(std::unique(lost.begin(), lost.end()), lost.end());
  for (const std::string& line : lost) section.line(line);
  return section.text();
}

std::string churn_text(const PlannedRun& run) {
  const Json entries = run.experiment.value("churn", Json::array());
  if (entries.empty()) return "";
  Section section("churn");
  for (const Json& churn : entries) {
    section.line(fmt::format("{}: {}, a {} each time, {}, held {}", churn.at("name").get<std::string>(),
                             instances_shown(churn), churn.at("kind").get<std::string>(),
                             shown_without_process(churn.at("arrivals")),
                             churn.at("hold").get<std::string>()));
  }
  return section.text();
}

std::string roles_text(const PlannedRun& run) {
  Section section("roles");
  for (const Json& role : run.experiment.at("roles")) {
    const Json& consume = role.at("consume");
    std::string text = fmt::format("{}: {}, from queue {}, ack {}", role.at("role").get<std::string>(),
                                   instances_shown(role), consume.at("queue").get<std::string>(),
                                   consume.at("ack").get<std::string>());
    if (consume.at("prefetch") > 0) text += ", prefetch " + consume["prefetch"].dump();
    if (role.at("effort").at("kind") != "none")
      text += ", effort " + role["effort"]["kind"].get<std::string>();
    section.line(text);
  }
  return section.text();
}

std::string faults_text(const PlannedRun& run) {
  Section section("faults");
  for (const PlannedFault& fault : run.faults) {
    if (fault.strike > 0) continue;
    std::string text = fmt::format("{} {} after {}", fault.kind, fault.target, format_duration(fault.at_ns));
    if (fault.duration_ns) text += " for " + format_duration(*fault.duration_ns);
    if (fault.restart_after_ns) text += ", started again after " + format_duration(*fault.restart_after_ns);
    if (fault.times > 1) {
      text += fmt::format(", {} times, every {}", fault.times, format_duration(fault.every_ns.value_or(0)));
    }
    section.line(text);
  }
  return section.text();
}

std::string run_text(const PlannedRun& run) {
  Section duration("duration");
  const std::string warmup =
      run.phases.warmup_ns == 0 ? "" : "warm-up " + format_duration(run.phases.warmup_ns) + ", then ";
  duration.line(fmt::format("{}measure at most {}, then drain at most {}", warmup,
                            format_duration(run.phases.measure_ns), format_duration(run.phases.drain_ns)));
  return fmt::format("\nvariant {}\n", run.variant) + topology_text(run.topology) + loads_text(run) +
         churn_text(run) + roles_text(run) + faults_text(run) + duration.text();
}

std::string order_text(const Plan& plan) {
  std::string text = "\norder\n";
  for (const PlannedRun& run : plan.runs) {
    text += fmt::format("  {:>4}. {}", run.order + 1, run.variant);
    if (plan.repetitions > 1) text += fmt::format(", repetition {}, seed {}", run.repetition + 1, run.seed);
    text += "\n";
  }
  return text;
}

// Over all runs: messages, where they are known, and the longest time of load.
std::string totals_text(const Plan& plan) {
  std::uint64_t messages = 0;
  bool all_known = true;
  Nanoseconds load_ns = 0, drain_ns = 0;
  std::size_t most_processes = 0;
  for (const PlannedRun& run : plan.runs) {
    for (const PlannedMessages& load : run.messages) {
      messages += load.messages.value_or(0);
      all_known = all_known && load.messages.has_value();
    }
    load_ns += run.phases.load_ns();
    drain_ns += run.phases.drain_ns;
    most_processes = std::max(most_processes, run.processes.size());
  }
  return fmt::format("{}, {}{}, at most {} of load and {} of draining, at most {} at once",
                     plural(static_cast<std::int64_t>(plan.runs.size()), "run"), all_known ? "" : "at least ",
                     plural(static_cast<std::int64_t>(messages), "message"), format_duration(load_ns),
                     format_duration(drain_ns), plural(static_cast<std::int64_t>(most_processes), "process"));
}

std::string lines_of(const std::vector<CatalogueEntry>& entries) {
  std::size_t width = 0;
  for (const CatalogueEntry& entry : entries) width = std::max(width, entry.name.size());
  std::string text;
  for (const CatalogueEntry& entry : entries) {
    text += fmt::format("  {:<{}}  {}\n", entry.name, width, entry.description);
  }
  return text;
}

std::string valid_text(const Experiment& experiment) {
  std::string text = fmt::format("{}: valid: {}; {}\n", experiment.file.string(),
                                 plural(static_cast<std::int64_t>(experiment.variants.size()), "variant"),
                                 has_search(experiment) ? "a search" : totals_text(make_plan(experiment)));
  if (has_search(experiment)) text += search_text(experiment);
  for (const Problem& warning : experiment.warnings) text += warning.text() + "\n";
  return text;
}

std::string valid_text(const SourceFile& source) {
  const std::vector<RoleDeclaration> roles = load_all_variants(source);
  std::string text = fmt::format("{}: valid role file; {}\n", source.file.string(),
                                 plural(static_cast<std::int64_t>(roles.size()) - 1, "variant"));
  for (const Problem& warning : roles.front().warnings) text += warning.text() + "\n";
  return text;
}

// An experiment's file, or a role's where no experiment has that name.
std::filesystem::path find_either(const std::string& name) {
  const std::vector<CatalogueEntry> roles = catalogue_roles();
  const bool is_role =
      std::any_of(roles.begin(), roles.end(), [&](const CatalogueEntry& role) { return role.name == name; });
  return is_role ? find_role(name) : find_experiment(name);
}

}  // namespace

std::string dry_run_text(const Experiment& experiment, const Plan& plan) {
  std::string text = fmt::format("{}: {}\n{}\nseed {}, configuration {}\n", plan.name, experiment.description,
                                 experiment.file.string(), plan.seed, plan.config_hash.substr(0, 12));
  for (const std::string& variant : plan.variants) {
    const auto run = std::find_if(plan.runs.begin(), plan.runs.end(),
                                  [&](const PlannedRun& one) { return one.variant == variant; });
    if (run != plan.runs.end()) text += run_text(*run);
  }
  text +=
      has_search(experiment) ? search_text(experiment) : order_text(plan) + "\n" + totals_text(plan) + "\n";
  for (const Problem& warning : experiment.warnings) text += warning.text() + "\n";
  return text;
}

std::string list_text(bool all) {
  std::vector<CatalogueEntry> experiments = catalogue_experiments();
  for (CatalogueEntry& entry : catalogue_experiments("planning")) experiments.push_back(std::move(entry));
  std::string text = "Experiments (brokerlab run NAME)\n" + lines_of(experiments);
  if (all)
    text += "\nKnown answers (brokerlab run NAME)\n" + lines_of(catalogue_experiments("known-answers"));
  const std::vector<CatalogueEntry> roles = catalogue_roles();
  if (!roles.empty()) text += "\nRoles (brokerlab role NAME)\n" + lines_of(roles);
  return text;
}

ValidationReport validate(const std::vector<std::string>& names_or_paths) {
  ValidationReport report;
  for (const std::string& name : names_or_paths) {
    try {
      const SourceFile source = read_source_file(find_either(name));
      if (is_role_file(source.document)) {
        report.text += valid_text(source);
        continue;
      }
      for (const Experiment& experiment : load_experiments(name)) report.text += valid_text(experiment);
      continue;
    } catch (const ExperimentError& error) {
      for (const Problem& problem : error.problems()) report.text += problem.text() + "\n";
    } catch (const Error& error) {
      const std::string where = error.where().empty() ? name : error.where();
      report.text +=
          where + ": " + error.summary() + (error.remedy().empty() ? "" : "; " + error.remedy()) + "\n";
    }
    report.status = ExitStatus::kUsage;
  }
  return report;
}

}  // namespace brokerlab
