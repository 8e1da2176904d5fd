#pragma once

#include <filesystem>
#include <string>

#include "core/json.h"

namespace brokerlab {

// What the steps of a message cost on a real broker, taken from a run's recordings, for simulations
// (docs/simulation.md): {calibration: 1, from, environment, steps{send, publish, confirm, deliver, ack,
// overshoot: {samples, mean_ns, p50_ns, p99_ns, quantiles_ns}}, route_ns, per_byte_ns, ranges{rate_per_s,
// body_bytes, consumers, queues: {min, max}}, validation?}. A step that could not be measured is absent.

// `folder` holds the result and its recordings. Throws Error when it is a simulation itself, or its
// recordings are gone, or nothing in it can be used.
Json calibrate(const std::filesystem::path& folder, const Json& result);

// Throws Error (kUsage) when the file is none that calibrate() has made.
Json read_calibration(const std::filesystem::path& path);

// "from a run of work-queue on RabbitMQ 3.10.8, not validated"; "uncalibrated: …" where there is none, or
// where a prediction made with it failed.
std::string calibration_text(const Json& calibration);

}  // namespace brokerlab
