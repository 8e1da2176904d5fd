#include "experiments/search_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"

namespace brokerlab {
namespace {

const char* to_text(TrialOutcome outcome) {
  switch (outcome) {
    case TrialOutcome::kSustained:
      return "sustained";
    case TrialOutcome::kNotSustained:
      return "not sustained";
    case TrialOutcome::kUndecided:
      break;
  }
  return "undecided";
}

const char* to_text(RateSearch::Answer answer) {
  switch (answer) {
    case RateSearch::Answer::kFound:
      return "found";
    case RateSearch::Answer::kAtLeast:
      return "at least";
    case RateSearch::Answer::kBelow:
      return "below";
    case RateSearch::Answer::kUndecided:
      return "undecided";
    case RateSearch::Answer::kUnfinished:
      break;
  }
  return "unfinished";
}

Json rates_json(const RateSearch& search) {
  std::vector<RateSearch::Rate> rates = search.rates();
  std::sort(rates.begin(), rates.end(), [](const auto& a, const auto& b) { return a.per_s < b.per_s; });
  Json json = Json::array();
  for (const RateSearch::Rate& rate : rates) {
    Json entry = {
        {"rate_per_s", rate.per_s},
        {"trials", rate.trials.size()},
        {"sustained", std::count(rate.trials.begin(), rate.trials.end(), TrialOutcome::kSustained)}};
    if (rate.decision) entry["outcome"] = to_text(*rate.decision);
    json.push_back(std::move(entry));
  }
  return json;
}

Json contradictions_json(const RateSearch& search) {
  Json json = Json::array();
  for (const RateSearch::Contradiction& each : search.contradictions()) {
    json.push_back({{"failed_at_per_s", search.rates()[each.lower].per_s},
                    {"sustained_at_per_s", search.rates()[each.higher].per_s},
                    {"decided", each.decided}});
  }
  return json;
}

}  // namespace

SearchPlan::OfVariant::OfVariant(const Variant& of, std::size_t number)
    : variant(of),
      label(number > 1 ? of.name : ""),
      spec(of.experiment),
      judgement(of.experiment, spec),
      search(spec.range()) {}

Json SearchPlan::OfVariant::to_json() const {
  Json json = {{"variant", variant.name},
               {"outcome", to_text(search.answer())},
               {"loads", spec.loads()},
               {"from_per_s", spec.range().from},
               {"to_per_s", spec.range().to}};
  if (const auto rate = search.sustained()) json["sustained_per_s"] = *rate;
  if (const auto rate = search.failed()) json["lowest_failed_per_s"] = *rate;
  if (const auto rate = search.undecided()) json["lowest_undecided_per_s"] = *rate;
  json["rates"] = rates_json(search);
  json["trials"] = trials;
  json["contradictions"] = contradictions_json(search);
  return json;
}

SearchPlan::SearchPlan(const Experiment& experiment) : experiment_(experiment), plan_(make_plan(experiment)) {
  plan_.runs.clear();
  plan_.variants.clear();
  for (const Variant& variant : experiment.variants)
    variants_.emplace_back(variant, experiment.variants.size());
}

const PlannedRun* SearchPlan::next() {
  if (!planned_) plan_next();
  return planned_ ? &plan_.runs.back() : nullptr;
}

void SearchPlan::plan_next() {
  for (std::size_t tried = 0; tried < variants_.size(); ++tried) {
    const OfVariant& of = variants_[turn_];
    if (const auto rate = of.search.next()) {
      const Variant trial = of.spec.at_rate(of.variant, *rate);
      PlannedRun run = plan_run(experiment_, trial, of.search.repetition());
      run.order = static_cast<int>(plan_.runs.size());
      plan_.runs.push_back(std::move(run));
      const auto known = std::find(plan_.variants.begin(), plan_.variants.end(), trial.name);
      if (known == plan_.variants.end()) plan_.variants.push_back(trial.name);
      planned_ = true;
      return;
    }
    turn_ = (turn_ + 1) % variants_.size();
  }
}

void SearchPlan::judge(const Json& run) {
  if (!planned_) return;
  planned_ = false;
  if (run.value("aborted", false)) return;
  OfVariant& of = variants_[turn_];
  turn_ = (turn_ + 1) % variants_.size();
  const double rate = *of.search.next();
  const TrialVerdict verdict = of.judgement.judge(run);
  of.search.add(verdict.outcome);
  of.trials.push_back({{"rate_per_s", rate},
                       {"variant", run.at("variant")},
                       {"repetition", run.at("repetition")},
                       {"outcome", to_text(verdict.outcome)},
                       {"reasons", verdict.reasons}});
  last_outcome_ =
      fmt::format("{}{}{}/s: {}{}", of.label, of.label.empty() ? "" : ", ", rate_digits(rate),
                  to_text(verdict.outcome), verdict.reasons.empty() ? "" : ", " + verdict.reasons.front());
}

int SearchPlan::most_trials() const {
  int most = 0;
  for (const OfVariant& of : variants_) most += of.spec.range().most_trials();
  return most;
}

std::string SearchPlan::title() const {
  const OfVariant& of = variants_[turn_];
  return fmt::format("{} · {}{}{}/s, trial {} of {} (run {} of at most {})", experiment_.name, of.label,
                     of.label.empty() ? "" : ", ", rate_digits(*of.search.next()), of.search.repetition() + 1,
                     of.spec.range().trials, plan_.runs.size(), most_trials());
}

Json SearchPlan::to_json() const {
  const SearchSpec& spec = variants_.front().spec;
  Json json = {{"precision", spec.range().precision},
               {"trials", spec.range().trials},
               {"needed", spec.range().needed()},
               {"conditions", spec.conditions()},
               {"limit_of", spec.limit_of_machine() ? "machine" : "broker"},
               {"variants", Json::array()}};
  for (const OfVariant& of : variants_) json["variants"].push_back(of.to_json());
  return json;
}

std::string search_text(const Experiment& experiment) {
  const SearchSpec spec(experiment.variants.front().experiment);
  std::string text = "\nsearch\n";
  int trials = 0;
  Nanoseconds load_ns = 0, drain_ns = 0;
  for (const Variant& variant : experiment.variants) {
    const SearchSpec own(variant.experiment);
    const SearchRange& range = own.range();
    trials += range.most_trials();
    load_ns += range.most_trials() * own.load_ns();
    drain_ns += range.most_trials() * parse_duration(variant.experiment.at("phases").at("drain"));
    text += fmt::format(
        "  {}rate of {}: {}/s, doubled up to {}/s until it is not sustained, then halving to within {:.3g} "
        "%\n",
        experiment.variants.size() > 1 ? variant.name + ": " : "", fmt::join(own.loads(), " and "),
        rate_digits(range.from), rate_digits(range.to), 100 * range.precision);
  }
  text +=
      fmt::format("  sustained: {} of at most {} trials with {}, queues drained, and messages sent in time\n",
                  spec.range().needed(), spec.range().trials, fmt::join(spec.conditions(), ", "));
  return text + fmt::format("  at most {} trials, {} of load and {} of draining\n", trials,
                            format_duration(load_ns), format_duration(drain_ns));
}

}  // namespace brokerlab
