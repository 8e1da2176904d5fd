#include "experiments/child.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <utility>

#include "core/error.h"

namespace brokerlab {
namespace {

// A child that sends more than this without a newline does not speak our protocol.
constexpr std::size_t kLongestLine = std::size_t{4} << 20;

struct PendingWrite {
  uv_write_t request{};
  std::string text;
};

void allocate(uv_handle_t*, std::size_t suggested, uv_buf_t* buffer) {
  *buffer = uv_buf_init(new char[suggested], static_cast<unsigned>(suggested));
}

}  // namespace

Child::Child(uv_loop_t* loop, std::string name, const std::filesystem::path& executable,
             const std::vector<std::string>& arguments, const std::filesystem::path& error_log,
             OnLine on_line, OnExit on_exit)
    : name_(std::move(name)),
      error_log_(error_log),
      on_line_(std::move(on_line)),
      on_exit_(std::move(on_exit)) {
  const int log = open(error_log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) {
    throw Error("cannot write the log of process " + name_, error_log.string(),
                "choose another folder with --out");
  }
  uv_pipe_init(loop, &in_, 0);
  uv_pipe_init(loop, &out_, 0);
  in_.data = out_.data = process_.data = this;

  uv_stdio_container_t stdio[3];
  stdio[0].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_READABLE_PIPE);
  stdio[0].data.stream = reinterpret_cast<uv_stream_t*>(&in_);
  stdio[1].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
  stdio[1].data.stream = reinterpret_cast<uv_stream_t*>(&out_);
  stdio[2].flags = UV_INHERIT_FD;
  stdio[2].data.fd = log;

  std::vector<char*> argv;
  const std::string program = executable.string();
  argv.push_back(const_cast<char*>(program.c_str()));
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  uv_process_options_t options{};
  options.file = program.c_str();
  options.args = argv.data();
  options.stdio = stdio;
  options.stdio_count = 3;
  // A group of its own: Ctrl-C on the terminal reaches the controller only, which then ends its children in
  // order.
  options.flags = UV_PROCESS_DETACHED;
  options.exit_cb = [](uv_process_t* process, std::int64_t status, int signal) {
    auto* self = static_cast<Child*>(process->data);
    self->running_ = false;
    // A run may outlive hundreds of its children: they must not hold its descriptors.
    close_handle(reinterpret_cast<uv_handle_t*>(&self->in_));
    close_handle(reinterpret_cast<uv_handle_t*>(process));
    self->on_exit_({static_cast<int>(status), signal});
  };
  const int failure = uv_spawn(loop, &process_, &options);
  ::close(log);
  if (failure != 0) {
    close();
    throw Error("cannot start process " + name_ + ": " + uv_strerror(failure), program,
                "check that the brokerlab binary is still in place");
  }
  running_ = true;
  uv_read_start(reinterpret_cast<uv_stream_t*>(&out_), allocate, on_read);
}

Child::~Child() = default;

void Child::send(const Json& line) {
  if (!running_ || closed_) return;
  auto* write = new PendingWrite;
  write->text = line.dump() + "\n";
  write->request.data = write;
  const uv_buf_t buffer = uv_buf_init(write->text.data(), static_cast<unsigned>(write->text.size()));
  const int failure =
      uv_write(&write->request, reinterpret_cast<uv_stream_t*>(&in_), &buffer, 1,
               // A child that died takes no more lines; its exit is reported by on_exit, so the status says
               // nothing new.
               [](uv_write_t* request, int) { delete static_cast<PendingWrite*>(request->data); });
  if (failure != 0) delete write;
}

void Child::signal(int number) {
  if (running_) uv_process_kill(&process_, number);
}

void Child::close() {
  if (closed_) return;
  closed_ = true;
  for (uv_handle_t* handle : {reinterpret_cast<uv_handle_t*>(&in_), reinterpret_cast<uv_handle_t*>(&out_),
                              reinterpret_cast<uv_handle_t*>(&process_)}) {
    close_handle(handle);
  }
}

void Child::close_handle(uv_handle_t* handle) {
  if (handle->type != UV_UNKNOWN_HANDLE && !uv_is_closing(handle)) uv_close(handle, nullptr);
}

void Child::on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  const std::unique_ptr<char[]> owned(buffer->base);
  auto* self = static_cast<Child*>(stream->data);
  if (size > 0) {
    self->take({buffer->base, static_cast<std::size_t>(size)});
  } else if (size < 0) {
    close_handle(reinterpret_cast<uv_handle_t*>(stream));
  }
}

void Child::take(std::string_view bytes) {
  partial_line_.append(bytes);
  std::size_t begin = 0;
  for (std::size_t end; (end = partial_line_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string_view line(partial_line_.data() + begin, end - begin);
    Json parsed = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_object()) on_line_(parsed);
  }
  partial_line_.erase(0, begin);
  if (partial_line_.size() > kLongestLine) partial_line_.clear();
}

std::string Child::last_words() const {
  std::ifstream log(error_log_);
  std::string line, last;
  while (std::getline(log, line)) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace brokerlab
