#include "broker/proxied_connection.h"

#include <algorithm>
#include <utility>

namespace brokerlab {
namespace {

// So much is under way before the sender is held back: a second of delay at some MB/s, and still bounded.
constexpr std::size_t kHeldLimit = std::size_t{4} << 20;

uv_stream_t* stream_of(uv_tcp_t& tcp) { return reinterpret_cast<uv_stream_t*>(&tcp); }

}  // namespace

struct ProxiedConnection::Write {
  uv_write_t request{};
  Flow* flow = nullptr;
  std::string bytes;
};

ProxiedConnection::Flow::Flow(ProxiedConnection& owner, Toxic::Stream stream, uv_tcp_t& from, uv_tcp_t& to,
                              std::uint64_t seed)
    : owner(owner), stream(stream), from(from), to(to), lane(seed), timer(owner.loop_, [this] {
        this->owner.pass_on(*this);
      }) {}

ProxiedConnection::ProxiedConnection(uv_loop_t* loop, const Clock& clock, std::uint64_t seed, Events events)
    : loop_(loop),
      clock_(clock),
      events_(std::move(events)),
      up_(*this, Toxic::Stream::kUpstream, client_, broker_, 2 * seed),
      down_(*this, Toxic::Stream::kDownstream, broker_, client_, 2 * seed + 1) {
  for (uv_tcp_t* tcp : {&client_, &broker_}) {
    uv_tcp_init(loop_, tcp);
    tcp->data = this;
    ++open_handles_;
  }
}

void ProxiedConnection::open(uv_stream_t* listener, const sockaddr* broker) {
  uv_tcp_nodelay(&client_, 1);
  uv_tcp_nodelay(&broker_, 1);
  connecting_.data = this;
  if (uv_accept(listener, stream_of(client_)) != 0 ||
      uv_tcp_connect(&connecting_, &broker_, broker, on_connected) != 0)
    shut(true);
}

void ProxiedConnection::on_connected(uv_connect_t* request, int status) {
  auto& self = *static_cast<ProxiedConnection*>(request->data);
  if (self.shut_) return;
  // The client sees what it would have seen without us, as far as TCP allows: its connection is cut.
  if (status != 0) return self.shut(true);
  self.start_reading(self.up_);
  self.start_reading(self.down_);
  self.pass_on(self.up_);
  self.pass_on(self.down_);
}

void ProxiedConnection::set_toxics(const std::vector<Toxic>& toxics) {
  const Nanoseconds now = clock_.now();
  for (Flow* flow : {&up_, &down_}) {
    std::vector<Toxic> own;
    std::copy_if(toxics.begin(), toxics.end(), std::back_inserter(own),
                 [&](const Toxic& toxic) { return toxic.stream == flow->stream; });
    flow->lane.set_toxics(std::move(own), now);
    if (!shut_) pass_on(*flow);
  }
}

void ProxiedConnection::cut() {
  if (shut_) return;
  events_.on_cut();
  shut(false);
}

void ProxiedConnection::start_reading(Flow& flow) {
  if (flow.reading || flow.end_due_ns) return;
  flow.reading = true;
  uv_read_start(
      stream_of(flow.from),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* out) {
        auto& self = *static_cast<ProxiedConnection*>(handle->data);
        *out = uv_buf_init(self.buffer_.data(), static_cast<unsigned>(self.buffer_.size()));
      },
      on_read);
}

void ProxiedConnection::on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t*) {
  auto& self = *static_cast<ProxiedConnection*>(stream->data);
  self.take(stream == stream_of(self.client_) ? self.up_ : self.down_, size);
}

void ProxiedConnection::take(Flow& flow, ssize_t size) {
  if (size == 0) return;
  if (size < 0 && size != UV_EOF) return shut(true);
  const Nanoseconds now = clock_.now();
  if (size == UV_EOF) {
    flow.end_due_ns = flow.lane.end_due(now);
    flow.reading = false;
    uv_read_stop(stream_of(flow.from));
    return pass_on(flow);
  }
  for (const std::size_t at : flow.lane.altered(static_cast<std::size_t>(size)))
    buffer_[at] = static_cast<char>(buffer_[at] ^ 1);
  std::size_t from = 0;
  for (const Lane::Slice& slice : flow.lane.accept(static_cast<std::size_t>(size), now)) {
    flow.chunks.push_back({std::string(buffer_.data() + from, slice.bytes), slice.due_ns});
    flow.held_bytes += slice.bytes;
    from += slice.bytes;
  }
  pass_on(flow);
  if (!shut_ && flow.held_bytes > kHeldLimit) {
    flow.reading = false;
    uv_read_stop(stream_of(flow.from));
  }
}

// Everything that is due goes out; then the timer waits for what is next.
void ProxiedConnection::pass_on(Flow& flow) {
  if (shut_) return;
  const Nanoseconds now = clock_.now();
  while (!shut_ && !flow.chunks.empty() && flow.chunks.front().due_ns <= now) {
    std::string bytes = std::move(flow.chunks.front().bytes);
    flow.chunks.pop_front();
    write(flow, std::move(bytes));
  }
  if (shut_ || cut_if_due(flow, now)) return;
  if (flow.chunks.empty() && flow.end_due_ns && *flow.end_due_ns <= now) pass_end(flow);
  if (!shut_) wait_for_next(flow);
}

void ProxiedConnection::write(Flow& flow, std::string bytes) {
  auto write = std::make_unique<Write>();
  write->flow = &flow;
  write->bytes = std::move(bytes);
  write->request.data = write.get();
  events_.on_passed(write->bytes.size(), flow.stream);
  uv_buf_t buffer = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  if (uv_write(&write->request, stream_of(flow.to), &buffer, 1, on_written) != 0) return shut(true);
  static_cast<void>(write.release());  // until on_written
}

void ProxiedConnection::on_written(uv_write_t* request, int status) {
  const std::unique_ptr<Write> write(static_cast<Write*>(request->data));
  Flow& flow = *write->flow;
  ProxiedConnection& self = flow.owner;
  if (self.shut_) return;
  if (status != 0) return self.shut(true);
  flow.held_bytes -= write->bytes.size();
  if (flow.held_bytes < kHeldLimit / 2) self.start_reading(flow);
}

bool ProxiedConnection::cut_if_due(Flow& flow, Nanoseconds now) {
  const bool reset = flow.lane.reset_at() && *flow.lane.reset_at() <= now;
  const bool close = flow.lane.close_at() && *flow.lane.close_at() <= now && flow.chunks.empty();
  if (!reset && !close) return false;
  events_.on_cut();
  shut(reset);
  return true;
}

// A half-closed connection: the other direction goes on until its sender ends too.
void ProxiedConnection::pass_end(Flow& flow) {
  if (flow.ended) return;
  flow.ended = true;
  if (up_.ended && down_.ended) return shut(false);
  auto request = std::make_unique<uv_shutdown_t>();
  if (uv_shutdown(request.get(), stream_of(flow.to), [](uv_shutdown_t* done, int) { delete done; }) != 0)
    return shut(true);
  static_cast<void>(request.release());  // until its callback
}

void ProxiedConnection::wait_for_next(Flow& flow) {
  std::optional<Nanoseconds> next;
  const auto sooner = [&](std::optional<Nanoseconds> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  sooner(flow.lane.reset_at());
  if (!flow.chunks.empty()) {
    sooner(flow.chunks.front().due_ns);
  } else {
    sooner(flow.lane.close_at());
    if (!flow.ended) sooner(flow.end_due_ns);
  }
  if (next) flow.timer.set(*next);
}

void ProxiedConnection::shut(bool reset) {
  if (shut_) return;
  shut_ = true;
  up_.timer.close();
  down_.timer.close();
  for (uv_tcp_t* tcp : {&client_, &broker_}) {
    const uv_close_cb closed = [](uv_handle_t* handle) {
      auto& self = *static_cast<ProxiedConnection*>(handle->data);
      if (--self.open_handles_ > 0) return;
      const auto gone = std::move(self.events_.on_gone);  // destroys self
      gone();
    };
    // A socket that is being shut down in order cannot be reset any more.
    if (!reset || uv_tcp_close_reset(tcp, closed) != 0) uv_close(reinterpret_cast<uv_handle_t*>(tcp), closed);
  }
}

}  // namespace brokerlab
