#include "broker/network_proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "core/error.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kMs = 1'000'000;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  return address;
}

// Gives back what it gets, one connection at a time and another, until it is destroyed.
class EchoServer {
 public:
  EchoServer() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = loopback(0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~EchoServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::uint16_t port() const { return port_; }

 private:
  void serve() {
    while (true) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      char buffer[4096];
      for (ssize_t size; (size = read(connection, buffer, sizeof buffer)) > 0;) {
        if (send(connection, buffer, static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) break;
      }
      close(connection);
    }
  }
  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = loopback(port);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    timeval limit{10, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Client() { close(socket_); }
  bool connected() const { return connected_; }
  void say(const std::string& text) { send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
  void end() { shutdown(socket_, SHUT_WR); }
  // What comes until `size` bytes are there, or the end.
  std::string hear(std::size_t size) {
    std::string heard;
    char buffer[65536];
    while (heard.size() < size) {
      const ssize_t got = read(socket_, buffer, std::min(sizeof buffer, size - heard.size()));
      error_ = got < 0 ? errno : 0;
      ended_ = got == 0;
      if (got <= 0) break;
      heard.append(buffer, static_cast<std::size_t>(got));
    }
    return heard;
  }
  bool ended() const { return ended_; }
  int error() const { return error_; }

 private:
  int socket_;
  bool connected_ = false, ended_ = false;
  int error_ = 0;
};

class Proxied : public testing::Test {
 protected:
  std::size_t disturb(const char* kind, const Json& attributes, double toxicity = 1,
                      const char* stream = "downstream") {
    return proxy.add(
        way, toxic_from_json(
                 {{"kind", kind}, {"attributes", attributes}, {"toxicity", toxicity}, {"stream", stream}}));
  }
  // How long one word takes there and back.
  Nanoseconds round_trip(Client& client) {
    const Nanoseconds began = clock.now();
    client.say("ping");
    EXPECT_EQ(client.hear(4), "ping");
    return clock.now() - began;
  }

  MonotonicClock clock;
  EchoServer server;
  NetworkProxy proxy{clock, 1};
  std::size_t way = proxy.add_way("127.0.0.1", server.port());
};

TEST_F(Proxied, UndisturbedEveryBytePassesAndTheEndToo) {
  Client client(proxy.port(way));
  std::string sent(1 << 20, 'x');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>('a' + i * i % 26);
  std::thread writer([&] {
    client.say(sent);
    client.end();
  });
  EXPECT_EQ(client.hear(sent.size() + 1), sent);
  writer.join();
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(proxy.counts(way).bytes_up, sent.size());
  EXPECT_EQ(proxy.counts(way).bytes_down, sent.size());
  EXPECT_EQ(proxy.counts(way).cut, 0u);
}

TEST_F(Proxied, LatencyComesAndGoesOnAnOpenConnection) {
  Client client(proxy.port(way));
  round_trip(client);
  const std::size_t down = disturb("latency", {{"latency", "80ms"}});
  const std::size_t up = disturb("latency", {{"latency", "40ms"}}, 1, "upstream");
  EXPECT_GE(round_trip(client), 120 * kMs);
  proxy.remove(way, down);
  proxy.remove(way, up);
  Nanoseconds least = round_trip(client);
  for (int i = 0; i < 20; ++i) least = std::min(least, round_trip(client));
  EXPECT_LT(least, 120 * kMs);
}

TEST_F(Proxied, BandwidthHoldsTheSenderBack) {
  disturb("bandwidth", {{"rate", "1MB"}});
  Client client(proxy.port(way));
  const Nanoseconds began = clock.now();
  const std::string sent(300'000, 'x');
  std::thread writer([&] { client.say(sent); });
  EXPECT_EQ(client.hear(sent.size()).size(), sent.size());
  writer.join();
  EXPECT_GE(clock.now() - began, 300 * kMs);
}

TEST_F(Proxied, AResetIsAReset) {
  Client client(proxy.port(way));
  round_trip(client);
  disturb("reset_peer", Json::object());
  client.hear(1);
  EXPECT_EQ(client.error(), ECONNRESET);
  EXPECT_EQ(proxy.counts(way).cut, 1u);
}

TEST_F(Proxied, DownRefusesUntilItIsOver) {
  Client before(proxy.port(way));
  round_trip(before);
  const std::size_t down = disturb("down", Json::object());
  EXPECT_EQ(before.hear(1), "");
  EXPECT_FALSE(Client(proxy.port(way)).connected());
  proxy.remove(way, down);
  Client after(proxy.port(way));
  ASSERT_TRUE(after.connected());
  round_trip(after);
}

TEST_F(Proxied, LimitedDataArrivesAndThenTheEnd) {
  disturb("limit_data", {{"bytes", 10}});
  Client client(proxy.port(way));
  client.say("0123456789abcdef");
  EXPECT_EQ(client.hear(16), "0123456789");
  EXPECT_TRUE(client.ended());
}

TEST_F(Proxied, ATimeoutSwallowsAndCloses) {
  Client client(proxy.port(way));
  round_trip(client);
  const Nanoseconds began = clock.now();
  disturb("timeout", {{"timeout", "150ms"}});
  client.say("ping");
  EXPECT_EQ(client.hear(4), "");
  EXPECT_TRUE(client.ended());
  EXPECT_GE(clock.now() - began, 150 * kMs);
}

TEST_F(Proxied, ASlowCloseEndsLate) {
  disturb("slow_close", {{"delay", "200ms"}});
  Client client(proxy.port(way));
  round_trip(client);
  const Nanoseconds began = clock.now();
  client.end();
  client.hear(1);
  EXPECT_TRUE(client.ended());
  EXPECT_GE(clock.now() - began, 200 * kMs);
}

TEST_F(Proxied, ToxicityIsTheShareOfConnectionsThatSuffer) {
  disturb("limit_data", {{"bytes", 0}}, 0.5);
  int cut = 0;
  for (int i = 0; i < 60; ++i) {
    Client client(proxy.port(way));
    client.say("ping");
    cut += client.hear(4).empty() ? 1 : 0;
  }
  EXPECT_GT(cut, 12);  // outside of 12..48 once in 10^6
  EXPECT_LT(cut, 48);
}

TEST_F(Proxied, ABrokerThatIsGoneIsAClosedConnection) {
  std::uint16_t port = 0;
  {
    EchoServer gone;
    port = gone.port();
  }
  const std::size_t nowhere = proxy.add_way("127.0.0.1", port);
  Client client(proxy.port(nowhere));
  EXPECT_EQ(client.hear(1), "");
}

TEST_F(Proxied, AnUnknownHostIsAnError) { EXPECT_THROW(proxy.add_way("no.such.host.invalid", 1), Error); }

}  // namespace
}  // namespace brokerlab
