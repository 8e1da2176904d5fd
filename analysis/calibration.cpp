#include "analysis/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "analysis/step_samples.h"
#include "core/empirical.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr int kFormat = 1;
// Fewer tell nothing about a tail.
constexpr std::size_t kFewest = 100;
// Where few messages wait, those do that come while the host stands still: their turnaround is none of the
// broker's. Waiting must be common before it tells something.
constexpr double kCommon = 0.2;

std::vector<std::filesystem::path> run_folders(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (std::filesystem::exists(entry.path() / "evidence.json")) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::optional<Empirical> distribution(const std::vector<double>& samples) {
  if (samples.size() < kFewest) return std::nullopt;
  return Empirical::of_samples(samples);
}

Json step_json(const Empirical& values, std::size_t samples) {
  return {{"samples", samples},
          {"mean_ns", values.mean()},
          {"p50_ns", values.quantile(0.5)},
          {"p99_ns", values.quantile(0.99)},
          {"quantiles_ns", values.to_json()}};
}

Empirical always(double ns) { return Empirical::of_samples({ns, ns}); }

Json range_json(const StepSamples::Range& range) {
  return range.any ? Json{{"min", range.min}, {"max", range.max}} : Json(nullptr);
}

// Two intervals share the way to the broker, which no stamp of ours ends: half of the shorter one's floor is
// taken for it. Only the sums can be seen, so only the sums matter.
Json steps_of(const StepSamples& samples) {
  const auto delivery = distribution(samples.delivery());
  const auto confirm = distribution(samples.confirm());
  const double waited = static_cast<double>(samples.turnaround().size());
  const bool common = waited >= kCommon * static_cast<double>(samples.confirm().size());
  const auto turnaround = common ? distribution(samples.turnaround()) : std::nullopt;
  constexpr double kFloor = 0.01;
  // Of a broker at its limit only the shortest times are delays; the others are its queue.
  const auto cleared = [&](const Empirical& measured) {
    return samples.saturated() ? always(measured.quantile(kFloor)) : measured;
  };
  Json steps = Json::object();
  std::optional<double> publish_ns;
  for (const auto& shared : {delivery, confirm})
    if (shared) publish_ns = std::min(publish_ns.value_or(1e18), shared->quantile(kFloor) / 2);
  if (publish_ns) steps["publish"] = step_json(always(*publish_ns), samples.confirm().size());
  if (confirm) steps["confirm"] = step_json(cleared(*confirm).less(*publish_ns), samples.confirm().size());
  if (delivery) {
    const Empirical deliver = cleared(*delivery).less(*publish_ns);
    steps["deliver"] = step_json(deliver, samples.delivery().size());
    const Empirical ack = turnaround ? turnaround->rest_of_sum(deliver) : always(*publish_ns);
    steps["ack"] = step_json(ack, samples.turnaround().size());
  }
  if (const auto send = distribution(samples.send()); send && !samples.saturated())
    steps["send"] = step_json(*send, samples.send().size());
  if (const auto overshoot = distribution(samples.overshoot()))
    steps["overshoot"] = step_json(*overshoot, samples.overshoot().size());
  return steps;
}

}  // namespace

Json calibrate(const std::filesystem::path& path, const Json& result) {
  const std::filesystem::path folder = std::filesystem::is_directory(path) ? path : path.parent_path();
  StepSamples samples;
  std::size_t used = 0;
  for (const std::filesystem::path& run_folder : run_folders(folder.empty() ? "." : folder)) {
    const RunEvidence evidence = RunEvidence::from_json(read_json_file(run_folder / "evidence.json"));
    if (evidence.simulated)
      throw Error("this result is a simulation itself", path.string(),
                  "calibrate with a run on a real broker", ExitStatus::kUsage);
    if (!evidence.faults.empty() || evidence.aborted) continue;
    const RecordedRun run(evidence, run_folder);
    if (!run.unreadable().empty()) continue;
    samples.add(run);
    ++used;
  }
  Json steps = steps_of(samples);
  if (used == 0 || steps.empty()) {
    throw Error(
        "there is nothing to calibrate with: no run without faults whose recordings are there and hold " +
            std::to_string(kFewest) + " messages",
        path.string(), "run the experiment again, longer, and keep the whole folder of its result");
  }
  const double per_byte = samples.per_byte_ns();
  return {{"calibration", kFormat},
          {"from",
           {{"run_id", result.at("run_id")},
            {"experiment", result.at("experiment")},
            {"started_at", result.at("started_at")},
            {"runs", used}}},
          {"environment",
           {{"host", result.at("environment").value("host", Json::object())},
            {"versions", result.at("environment").value("versions", Json::object())}}},
          {"steps", std::move(steps)},
          {"route_ns", samples.saturated() ? Json(1e9 / samples.peak_rate_per_s()) : Json(nullptr)},
          {"per_byte_ns", per_byte},
          {"ranges",
           {{"rate_per_s", range_json(samples.rate())},
            {"body_bytes", range_json(samples.bytes())},
            {"consumers", range_json(samples.consumers())},
            {"queues", range_json(samples.queues())}}}};
}

Json read_calibration(const std::filesystem::path& path) {
  Json calibration = read_json_file(path);
  const bool ours = calibration.is_object() && calibration.value("calibration", 0) == kFormat &&
                    calibration.contains("steps") && calibration.contains("ranges");
  if (!ours)
    throw Error("this is no calibration", path.string(), "make one with `brokerlab calibrate RESULT`",
                ExitStatus::kUsage);
  return calibration;
}

std::string calibration_text(const Json& calibration) {
  if (!calibration.is_object()) return "uncalibrated: the costs are the defaults, or what the file declares";
  const Json& from = calibration.at("from");
  const std::string version =
      calibration.at("environment").value("versions", Json::object()).value("rabbitmq", "");
  const std::string source = fmt::format("a run of {}{}", from.value("experiment", ""),
                                         version.empty() ? "" : " on RabbitMQ " + version);
  const auto validation = calibration.find("validation");
  if (validation == calibration.end()) return "calibrated by " + source + ", not validated";
  if (validation->value("ok", false)) return "calibrated by " + source + ", validated";
  return "uncalibrated: a prediction with what " + source + " taught was too far from the measurement";
}

}  // namespace brokerlab
