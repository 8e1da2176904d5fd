#include "amqp/tcp_transport.h"

#include <fmt/format.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "core/precise_timer.h"

namespace brokerlab::amqp {
namespace {

AmqpError unreachable(const std::string& peer, int status) {
  auto error = AmqpError::make(ErrorKind::kUnreachable, "", "");
  error.text = uv_strerror(status);
  switch (status) {
    case UV_ECONNREFUSED:
      error.summary = fmt::format("nobody listens on {}: connection refused", peer);
      error.remedy = "start the broker, or correct host and port in its URI";
      break;
    case UV_EOF:
      error.summary = fmt::format("{} closed the connection", peer);
      error.remedy = "see the broker's log";
      break;
    case UV_ECONNRESET:
    case UV_EPIPE:
      error.summary = fmt::format("the connection to {} was reset", peer);
      error.remedy = "see whether the broker died, and its log";
      break;
    default:
      error.summary = fmt::format("cannot reach {}", peer);
      error.remedy = "check host, port and network";
  }
  return error;
}

}  // namespace

// Counts its owner, its open handle and its request for addresses; the last one to let go deletes it.
struct TcpTransport::State {
  // One attempt on one address. libuv frees it in its own time, so it is an object of its own.
  struct Socket {
    uv_tcp_t tcp{};
    uv_connect_t connecting{};
    uv_write_t writing{};
    State* state = nullptr;
  };

  State(uv_loop_t* loop, const Clock& clock, TcpOptions options)
      : loop(loop),
        clock(clock),
        options(std::move(options)),
        peer(fmt::format("{}:{}", this->options.host, this->options.port)) {
    if (this->options.read_rest_ns > 0)
      rest = std::make_unique<PreciseTimer>(loop, [this] { read_after_rest(); });
  }

  void resolve();
  void try_next_address(int last_status);
  void start_reading();
  void read_after_rest();
  void take(ssize_t bytes);
  void take_last_words();
  void fail(int status);
  void shut();
  void end_write_block();
  void let_go() {
    if (--holders == 0) delete this;
  }

  static State& of(void* handle) { return *static_cast<Socket*>(handle)->state; }
  static void on_addresses(uv_getaddrinfo_t* request, int status, addrinfo* found);
  static void on_connected(uv_connect_t* request, int status);
  static void on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* out);
  static void on_read(uv_stream_t* stream, ssize_t bytes, const uv_buf_t*);
  static void on_written(uv_write_t* request, int status);

  uv_loop_t* loop;
  const Clock& clock;
  TcpOptions options;
  std::string peer;
  Listener* listener = nullptr;  // null: closed, nobody hears us any more
  Socket* socket = nullptr;
  uv_getaddrinfo_t request{};
  bool resolving = false;
  std::vector<sockaddr_storage> addresses;
  std::size_t next_address = 0;
  std::unique_ptr<PreciseTimer> rest;
  Nanoseconds blocked_since = 0;
  int holders = 1;
};

void TcpTransport::State::resolve() {
  sockaddr_storage literal{};
  if (uv_ip4_addr(options.host.c_str(), options.port, reinterpret_cast<sockaddr_in*>(&literal)) == 0 ||
      uv_ip6_addr(options.host.c_str(), options.port, reinterpret_cast<sockaddr_in6*>(&literal)) == 0) {
    // Not through getaddrinfo, which would start libuv's threads.
    addresses.push_back(literal);
    return try_next_address(UV_ECONNREFUSED);
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  request.data = this;
  const auto service = std::to_string(options.port);
  if (const int status =
          uv_getaddrinfo(loop, &request, on_addresses, options.host.c_str(), service.c_str(), &hints)) {
    return fail(status);
  }
  resolving = true;
  ++holders;
}

void TcpTransport::State::on_addresses(uv_getaddrinfo_t* request, int status, addrinfo* found) {
  auto& state = *static_cast<State*>(request->data);
  state.resolving = false;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    sockaddr_storage address{};
    std::memcpy(&address, each->ai_addr, std::min<std::size_t>(each->ai_addrlen, sizeof address));
    state.addresses.push_back(address);
  }
  uv_freeaddrinfo(found);
  if (state.listener != nullptr) {
    if (status != 0) {
      state.fail(status);
    } else {
      state.try_next_address(UV_ECONNREFUSED);
    }
  }
  state.let_go();
}

void TcpTransport::State::try_next_address(int last_status) {
  shut();
  while (next_address < addresses.size()) {
    const auto* address = reinterpret_cast<const sockaddr*>(&addresses[next_address++]);
    socket = new Socket;
    socket->state = this;
    socket->tcp.data = socket->connecting.data = socket->writing.data = socket;
    uv_tcp_init(loop, &socket->tcp);
    ++holders;
    last_status = uv_tcp_connect(&socket->connecting, &socket->tcp, address, on_connected);
    if (last_status == 0) return;
    shut();
  }
  fail(last_status);
}

void TcpTransport::State::on_connected(uv_connect_t* request, int status) {
  auto& state = of(request->data);
  if (status == UV_ECANCELED || state.listener == nullptr) return;
  if (status != 0) return state.try_next_address(status);
  uv_tcp_nodelay(&state.socket->tcp, 1);
  state.start_reading();
  state.listener->on_transport_ready();
}

void TcpTransport::State::start_reading() {
  uv_read_start(reinterpret_cast<uv_stream_t*>(&socket->tcp), on_alloc, on_read);
}

void TcpTransport::State::on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* out) {
  const auto space = of(handle->data).listener->read_space();
  *out = uv_buf_init(reinterpret_cast<char*>(space.data()), static_cast<unsigned>(space.size()));
}

void TcpTransport::State::on_read(uv_stream_t* stream, ssize_t bytes, const uv_buf_t*) {
  auto& state = of(stream->data);
  if (bytes == 0) return;  // EAGAIN
  if (bytes < 0) return state.fail(static_cast<int>(bytes));
  if (state.rest) {
    uv_read_stop(stream);
    state.rest->set(state.clock.now() + state.options.read_rest_ns);
  }
  state.take(bytes);
}

void TcpTransport::State::take(ssize_t bytes) { listener->on_bytes(static_cast<std::size_t>(bytes)); }

// While data keeps coming, the socket is read right from the timer: taking it out of the poll and back would
// cost a wake-up and two system calls more each time.
void TcpTransport::State::read_after_rest() {
  if (listener == nullptr || socket == nullptr) return;
  uv_os_fd_t descriptor = -1;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(&socket->tcp), &descriptor) != 0) return;
  const auto space = listener->read_space();
  const ssize_t bytes = ::read(descriptor, space.data(), space.size());
  if (bytes > 0) {
    rest->set(clock.now() + options.read_rest_ns);
    take(bytes);
  } else if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
    start_reading();
  } else {
    fail(bytes == 0 ? UV_EOF : uv_translate_sys_error(errno));
  }
}

// A peer that closes says why before it does, and its reason may still lie unread when a write fails.
void TcpTransport::State::take_last_words() {
  constexpr int kMostReads = 64;
  for (int i = 0; i < kMostReads && listener != nullptr && socket != nullptr; ++i) {
    uv_os_fd_t descriptor = -1;
    if (uv_fileno(reinterpret_cast<uv_handle_t*>(&socket->tcp), &descriptor) != 0) return;
    const auto space = listener->read_space();
    const ssize_t bytes = ::read(descriptor, space.data(), space.size());
    if (bytes <= 0) return;
    take(bytes);
  }
}

void TcpTransport::State::on_written(uv_write_t* request, int status) {
  auto& state = of(request->data);
  if (status == UV_ECANCELED || state.listener == nullptr) return;
  if (status != 0) {
    state.take_last_words();
    return state.listener != nullptr ? state.fail(status) : void();
  }
  state.end_write_block();
  state.listener->on_written();
}

void TcpTransport::State::end_write_block() {
  const auto since = std::exchange(blocked_since, 0);
  if (since != 0 && options.on_write_blocked) options.on_write_blocked(since, clock.now());
}

void TcpTransport::State::fail(int status) {
  end_write_block();
  shut();
  if (auto* hearer = std::exchange(listener, nullptr)) hearer->on_transport_closed(unreachable(peer, status));
}

void TcpTransport::State::shut() {
  if (rest) rest->cancel();
  auto* closing = std::exchange(socket, nullptr);
  if (closing == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&closing->tcp), [](uv_handle_t* handle) {
    auto* socket = static_cast<Socket*>(handle->data);
    socket->state->let_go();
    delete socket;
  });
}

TcpTransport::TcpTransport(uv_loop_t* loop, const Clock& clock, TcpOptions options)
    : state_(new State(loop, clock, std::move(options))) {}

TcpTransport::~TcpTransport() {
  close();
  state_->let_go();
}

void TcpTransport::connect(Listener& listener) {
  state_->listener = &listener;
  state_->resolve();
}

bool TcpTransport::write(std::span<const std::byte> bytes) {
  if (state_->socket == nullptr) return true;  // lost: its listener has been told
  auto* stream = reinterpret_cast<uv_stream_t*>(&state_->socket->tcp);
  auto* base = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
  uv_buf_t buffer = uv_buf_init(base, static_cast<unsigned>(bytes.size()));
  const int taken = uv_try_write(stream, &buffer, 1);
  if (taken == static_cast<int>(bytes.size())) return true;
  // Also after an error: uv_write reports it, in its own time.
  const std::size_t done = taken > 0 ? static_cast<std::size_t>(taken) : 0;
  buffer = uv_buf_init(base + done, static_cast<unsigned>(bytes.size() - done));
  state_->blocked_since = state_->clock.now();
  const int status = uv_write(&state_->socket->writing, stream, &buffer, 1, State::on_written);
  return status != 0;  // not even queued: the socket is dead, and its reading side will say so
}

void TcpTransport::close() {
  state_->listener = nullptr;
  state_->end_write_block();
  if (state_->resolving) uv_cancel(reinterpret_cast<uv_req_t*>(&state_->request));
  if (state_->rest) {
    state_->rest->close();
    state_->rest.reset();
  }
  state_->shut();
}

}  // namespace brokerlab::amqp
