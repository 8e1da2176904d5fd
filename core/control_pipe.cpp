#include "core/control_pipe.h"

#include <sys/prctl.h>

#include <csignal>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>

namespace brokerlab {

// Belongs to the ControlPipe, whose contract keeps it alive until both handles are closed.
struct ControlPipe::State {
  uv_loop_t* loop = nullptr;
  uv_pipe_t input{};
  uv_pipe_t output{};
  uv_shutdown_t shutdown{};
  std::string partial;
  std::deque<Json> waiting;
  std::function<void(const Json&)> on_line;
  std::function<void()> on_end;
  bool ended = false;
  bool stop_seen = false;
  bool closing = false;
  int open_handles = 2;

  uv_stream_t* in() { return reinterpret_cast<uv_stream_t*>(&input); }
  uv_stream_t* out() { return reinterpret_cast<uv_stream_t*>(&output); }

  void take(std::string_view bytes);
  void take_line(std::string_view line);
  void deliver();
  void end();
  void close_handle(uv_pipe_t& pipe);
};

namespace {

constexpr int kLastTurns = 10;

struct Write {
  uv_write_t request{};
  std::string text;
};

void open_pipe(uv_loop_t* loop, uv_pipe_t& pipe, int descriptor) {
  uv_pipe_init(loop, &pipe, 0);
  const int failed =
      uv_guess_handle(descriptor) == UV_NAMED_PIPE ? uv_pipe_open(&pipe, descriptor) : UV_EINVAL;
  if (failed != 0) {
    uv_close(reinterpret_cast<uv_handle_t*>(&pipe), nullptr);
    uv_run(loop, UV_RUN_NOWAIT);
    throw Error("standard input and output are no pipes", "brokerlab process",
                "this command is for `brokerlab run`, which starts it by itself");
  }
}

}  // namespace

void ControlPipe::State::take(std::string_view bytes) {
  partial += bytes;
  std::size_t from = 0;
  for (std::size_t end; !ended && (end = partial.find('\n', from)) != std::string::npos; from = end + 1) {
    take_line(std::string_view(partial).substr(from, end - from));
  }
  partial.erase(0, from);
  if (partial.size() > kLongestLine) end();
  deliver();
}

void ControlPipe::State::take_line(std::string_view line) {
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return end();
  stop_seen |= json.contains("stop");
  waiting.push_back(std::move(json));
}

void ControlPipe::State::deliver() {
  while (on_line && !waiting.empty()) {
    const Json line = std::move(waiting.front());
    waiting.pop_front();
    on_line(line);
  }
}

void ControlPipe::State::end() {
  if (ended) return;
  ended = true;
  uv_read_stop(in());
  if (on_end) on_end();
}

void ControlPipe::State::close_handle(uv_pipe_t& pipe) {
  uv_close(reinterpret_cast<uv_handle_t*>(&pipe),
           [](uv_handle_t* handle) { --static_cast<State*>(handle->data)->open_handles; });
}

ControlPipe::ControlPipe(uv_loop_t* loop, int input, int output) : state_(nullptr) {
  auto state = std::make_unique<State>();
  state->loop = loop;
  open_pipe(loop, state->input, input);
  state->input.data = state.get();
  open_pipe(loop, state->output, output);
  state->output.data = state.get();
  state_ = state.release();
  uv_read_start(
      state_->in(),
      [](uv_handle_t*, std::size_t, uv_buf_t* buffer) { *buffer = uv_buf_init(new char[65536], 65536); },
      [](uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
        const std::unique_ptr<char[]> owned(buffer->base);
        auto* state = static_cast<State*>(stream->data);
        if (size > 0) state->take({buffer->base, static_cast<std::size_t>(size)});
        if (size < 0) state->end();
      });
}

ControlPipe::~ControlPipe() { delete state_; }

uv_loop_t* ControlPipe::loop() const { return state_->loop; }

void ControlPipe::on_line(std::function<void(const Json&)> handler) {
  state_->on_line = std::move(handler);
  state_->deliver();
}

void ControlPipe::on_end(std::function<void()> handler) {
  state_->on_end = std::move(handler);
  if (state_->ended && state_->on_end) state_->on_end();
}

Json ControlPipe::read_first_line() {
  while (state_->waiting.empty() && !state_->ended) uv_run(state_->loop, UV_RUN_ONCE);
  if (state_->waiting.empty()) {
    throw Error("standard input ended before an assignment came", "brokerlab process",
                "this command is for `brokerlab run`, which starts it by itself");
  }
  Json line = std::move(state_->waiting.front());
  state_->waiting.pop_front();
  return line;
}

bool ControlPipe::stop_seen() const { return state_->stop_seen; }

void ControlPipe::send(const Json& line) {
  if (state_->closing) return;
  auto write = std::make_unique<Write>();
  write->text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  write->request.data = write.get();
  const uv_buf_t buffer = uv_buf_init(write->text.data(), static_cast<unsigned>(write->text.size()));
  // A controller that no longer reads is dead; the end of the input tells, so a failed write need not.
  if (uv_write(&write->request, state_->out(), &buffer, 1,
               [](uv_write_t* request, int) { delete static_cast<Write*>(request->data); }) == 0) {
    (void)write.release();
  }
}

void ControlPipe::notice(const std::string& text, bool warning) {
  send({{"notice", text}, {"level", warning ? "warning" : "info"}});
}

void ControlPipe::error(const Error& error) {
  send({{"error", {{"what", error.summary()}, {"where", error.where()}, {"remedy", error.remedy()}}}});
}

std::size_t ControlPipe::backlog_bytes() const { return uv_stream_get_write_queue_size(state_->out()); }

void ControlPipe::close() {
  if (std::exchange(state_->closing, true)) return;
  uv_read_stop(state_->in());
  state_->close_handle(state_->input);
  state_->shutdown.data = state_;
  const auto after_writes = [](uv_shutdown_t* request, int) {
    auto* state = static_cast<State*>(request->data);
    state->close_handle(state->output);
  };
  if (uv_shutdown(&state_->shutdown, state_->out(), after_writes) != 0) state_->close_handle(state_->output);
}

bool ControlPipe::closed() const { return state_->open_handles == 0; }

int child_process_main(const std::function<int(ControlPipe&, const Json& assignment)>& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int ignored : {SIGINT, SIGHUP, SIGPIPE}) std::signal(ignored, SIG_IGN);
  uv_loop_t loop;
  uv_loop_init(&loop);
  ControlPipe pipe(&loop, 0, 1);
  int status = 1;
  try {
    const Json assignment = pipe.read_first_line().at("assignment");
    pipe.on_end([&pipe] {
      if (!pipe.stop_seen()) std::_Exit(1);
    });
    status = body(pipe, assignment);
  } catch (const Error& error) {
    pipe.error(error);
  } catch (const std::exception& error) {
    pipe.error(
        Error(std::string("the process met something unforeseen: ") + error.what(), "brokerlab process", ""));
  }
  pipe.close();
  while (!pipe.closed()) uv_run(&loop, UV_RUN_ONCE);
  // What was closed last is freed in the turns that follow; what is still open ends with the process.
  for (int turn = 0; turn < kLastTurns && uv_loop_close(&loop) == UV_EBUSY; ++turn) {
    uv_run(&loop, UV_RUN_NOWAIT);
  }
  return status;
}

}  // namespace brokerlab
