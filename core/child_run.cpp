#include "core/child_run.h"

#include <utility>

namespace brokerlab {
namespace {

constexpr std::size_t kMostUnreadBytes = 1 << 20;

}  // namespace

Json recording_header(const Json& assignment) {
  const Json none = Json::array();
  const Json& instances = assignment.at("instances");
  const bool load = assignment.at("kind") == "load";
  const bool publishes = load || (!instances.empty() && instances.at(0).contains("publisher"));
  return {{"process", assignment.at("process")},
          {"kind", assignment.at("kind")},
          {"run", assignment.at("run")},
          {"publishers", publishes ? instances : none},
          {"routes", assignment.value("routes", none)},
          {"consumers", assignment.at("kind") == "role" ? instances : none},
          {"queues", assignment.value("queues", none)}};
}

ChildRun::ChildRun(ControlPipe& pipe, const Json& assignment, bool sleeper)
    : pipe_(pipe),
      recording_(assignment.at("recording").get<std::string>(), recording_header(assignment),
                 assignment.value("keep_recording", true) ? RecordingWriter::Keep::kAll
                                                          : RecordingWriter::Keep::kRecent),
      events_(recording_),
      watch_(pipe.loop(), clock_, events_, sleeper),
      progress_timer_(pipe.loop(), [this] { guard([this] { send_progress(); }); }),
      says_(assignment.value("say", false)) {}

ChildRun::~ChildRun() = default;

void ChildRun::report_progress(std::function<Json()> figures) {
  figures_ = std::move(figures);
  progress_timer_.set(clock_.now() + kProgressInterval);
}

void ChildRun::send_progress() {
  progress_timer_.set(clock_.now() + kProgressInterval);
  ProcessWatch::refresh(recording_.counters());
  Json figures = figures_();
  const RecordingCounters& counters = recording_.counters();
  figures["cpu_ns"] = counters.cpu_user_ns + counters.cpu_system_ns;
  figures["rss_bytes"] = counters.resident_bytes;
  figures["bytes_out"] = counters.bytes_out;
  figures["bytes_in"] = counters.bytes_in;
  if (pipe_.backlog_bytes() < kMostUnreadBytes) pipe_.send({{"progress", std::move(figures)}});
}

void ChildRun::say(const std::string& text, Json more) {
  if (!says_) return;
  if (pipe_.backlog_bytes() >= kMostUnreadBytes) {
    ++unsaid_;
    return;
  }
  if (unsaid_ > 0)
    pipe_.send({{"say", "… " + std::to_string(std::exchange(unsaid_, 0)) + " steps not shown"}});
  more["say"] = text;
  pipe_.send(more);
}

void ChildRun::finish() { ended_ = true; }

void ChildRun::fail(const Error& error) {
  if (ended_) return;
  ended_ = true;
  failure_ = error;
}

void ChildRun::run() {
  while (!ended_) uv_run(loop(), UV_RUN_ONCE);
}

int ChildRun::end() {
  progress_timer_.close();
  watch_.stop();
  recording_.close();
  if (failure_) {
    pipe_.error(*failure_);
    return 1;
  }
  pipe_.send({{"done", true}});
  return 0;
}

}  // namespace brokerlab
