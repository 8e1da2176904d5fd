#include "hostile_broker.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "amqp/frame.h"

namespace brokerlab::amqp {
namespace {

constexpr int kPatienceMs = 20'000;

Bytes start_method() {
  return frame(1, 0, Wire().u16(10).u16(10).u8(0).u8(9).u32(0).long_text("PLAIN").long_text("en_US").bytes());
}

}  // namespace

void HostileBroker::Peer::wait_for(short events) {
  pollfd source{socket_, events, 0};
  if (gone_ || ::poll(&source, 1, kPatienceMs) > 0) return;
  ADD_FAILURE() << "the client neither goes on nor gives up";
  gone_ = true;
}

void HostileBroker::Peer::say(const Bytes& bytes) {
  for (std::size_t at = 0; at < bytes.size() && !gone_;) {
    wait_for(POLLOUT);
    const ssize_t taken = ::send(socket_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken > 0) at += static_cast<std::size_t>(taken);
    if (taken < 0 && errno != EAGAIN) gone_ = true;
  }
}

void HostileBroker::Peer::say_byte_by_byte(const Bytes& bytes) {
  for (const std::byte each : bytes) say({each});
}

void HostileBroker::Peer::say_for_ever(const Bytes& bytes) {
  while (!gone_) say(bytes);
}

std::size_t HostileBroker::Peer::hear(std::byte* into, std::size_t bytes) {
  std::size_t heard = 0;
  while (heard < bytes && !gone_) {
    wait_for(POLLIN);
    const ssize_t got = ::recv(socket_, into + heard, bytes - heard, MSG_DONTWAIT);
    if (got > 0) heard += static_cast<std::size_t>(got);
    if (got == 0 || (got < 0 && errno != EAGAIN)) gone_ = true;
  }
  return heard;
}

void HostileBroker::Peer::fall_silent() {
  std::array<std::byte, 4096> ignored;
  while (hear(ignored.data(), ignored.size()) > 0) {
  }
}

void HostileBroker::Peer::fall_deaf() {
  wait_for(POLLRDHUP);
  gone_ = true;
}

void HostileBroker::Peer::hear_header() {
  std::array<std::byte, 8> header;
  hear(header.data(), header.size());
}

void HostileBroker::Peer::hear_frame() {
  std::array<std::byte, kFrameHeaderBytes> header;
  if (hear(header.data(), header.size()) < header.size()) return;
  Bytes rest(FrameHeader::load(header.data()).payload_bytes + 1);
  hear(rest.data(), rest.size());
}

void HostileBroker::Peer::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  gone_ = true;
}

void HostileBroker::Peer::greet() {
  hear_header();
  say(start_method());
}

void HostileBroker::Peer::tune(const Bytes& words) {
  hear_frame();
  say(words);
}

void HostileBroker::Peer::tune() {
  tune(frame(1, 0, Wire().u16(10).u16(30).u16(10).u32(8192).u16(0).bytes()));
}

void HostileBroker::Peer::open() {
  hear_frame();
  hear_frame();
  say(frame(1, 0, Wire().u16(10).u16(41).short_text("").bytes()));
}

void HostileBroker::Peer::open_channel() {
  greet();
  tune();
  open();
  hear_frame();
  say(frame(1, 1, Wire().u16(20).u16(11).u32(0).bytes()));
}

void HostileBroker::Peer::answer_first(const Bytes& bytes) {
  open_channel();
  hear_frame();
  say(bytes);
}

HostileBroker::HostileBroker(Script script) : script_(std::move(script)) {
  listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  EXPECT_EQ(::bind(listening_, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::listen(listening_, 8), 0);
  EXPECT_EQ(::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &length), 0);
  EXPECT_EQ(::pipe(wake_), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

HostileBroker::~HostileBroker() {
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
  ::close(listening_);
}

void HostileBroker::serve() {
  while (true) {
    std::array<pollfd, 2> sources{pollfd{listening_, POLLIN, 0}, pollfd{wake_[0], POLLIN, 0}};
    ::poll(sources.data(), sources.size(), -1);
    if (sources[1].revents != 0) return;
    const int socket = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Peer peer(socket);
    script_(peer);
    ::close(socket);
  }
}

Uri HostileBroker::uri(bool tls) const {
  Uri uri;
  uri.tls = tls;
  uri.port = port_;
  return uri;
}

}  // namespace brokerlab::amqp
