#include "broker/gateway.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "amqp/session.h"
#include "core/error.h"
#include "core/json.h"
#include "tests/broker/live/shared_broker.h"

namespace brokerlab {
namespace {

struct Reply {
  int status = 0;
  std::string state, msg;
  friend bool operator==(const Reply&, const Reply&) = default;
};
void PrintTo(const Reply& reply, std::ostream* out) {
  *out << reply.status << " " << reply.state << " " << reply.msg;
}

Reply reply_of(const httplib::Result& result) {
  if (!result) return {0, "", httplib::to_string(result.error())};
  const Json json = Json::parse(result->body, nullptr, false);
  if (!json.is_object() || json.size() != 2) return {result->status, "no JSON as agreed", result->body};
  return {result->status, json.value("state", ""), json.value("msg", "")};
}

class GatewayTest : public testing::Test {
 protected:
  GatewayTest() { broker().declare(named(queue_)); }
  ~GatewayTest() override { broker().remove_queue(queue_); }

  static amqp::QueueDeclaration named(const std::string& name) {
    amqp::QueueDeclaration queue;
    queue.name = name;
    return queue;
  }
  static amqp::Session& broker() {
    static amqp::Session session(amqp::Uri::parse(SharedBroker::get().uri()));
    return session;
  }
  Reply create(const std::string& name) {
    return reply_of(client_.Post("/rabbit/", httplib::Params{{"nom_queue", name}}));
  }
  Reply send(const std::string& path, const std::string& message) {
    return reply_of(client_.Post("/rabbit/" + path, httplib::Params{{"msg", message}}));
  }
  Reply receive(const std::string& path) { return reply_of(client_.Get("/rabbit/" + path)); }

  // Writes bytes as they are, reads until the other side closes.
  std::string raw(const std::string& bytes) const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(gateway_->address().port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    std::string all;
    char part[4096];
    for (ssize_t size; (size = recv(socket, part, sizeof part, 0)) > 0;) all.append(part, size);
    close(socket);
    return all;
  }
  std::string host() const { return "Host: " + gateway_->address().text() + "\r\n"; }
  std::uint32_t waiting() { return broker().queue(queue_)->messages; }

  const std::string queue_ =
      std::string("gateway.") + testing::UnitTest::GetInstance()->current_test_info()->name();
  QueueDesk desk_{amqp::Uri::parse(SharedBroker::get().uri()), {}};
  std::unique_ptr<Gateway> gateway_ =
      Gateway::start({ListenAddress::parse("127.0.0.1:0"), "", {}, {}}, desk_);
  httplib::Client client_{"127.0.0.1", gateway_->address().port};
};

TEST_F(GatewayTest, CreatesSendsAndReceivesInOrder) {
  const std::string fresh = queue_ + ".fresh";
  EXPECT_EQ(create(fresh), (Reply{200, "OK", "queue \"" + fresh + "\" has been created"}));
  EXPECT_EQ(create(fresh), (Reply{200, "OK", "queue \"" + fresh + "\" was there already"}));
  EXPECT_EQ(send(fresh, "first"), (Reply{200, "OK", "sent to queue \"" + fresh + "\""}));
  EXPECT_EQ(send(fresh, "second").state, "OK");
  EXPECT_EQ(broker().get(fresh)->body, "first") << "an AMQP client sees what the gateway sent";
  EXPECT_EQ(receive(fresh), (Reply{200, "OK", "second"}));
  EXPECT_EQ(receive(fresh), (Reply{200, "NO", "queue \"" + fresh + "\" is empty"}));
  EXPECT_EQ(broker().remove_queue(fresh), 0U) << "what was received is acknowledged";
}

TEST_F(GatewayTest, AQueueOfSomebodyElsesKindIsTakenAsItIs) {
  amqp::QueueDeclaration durable = named(queue_ + ".durable");
  durable.durable = true;
  broker().declare(durable);
  EXPECT_EQ(create(durable.name).state, "OK");
  broker().remove_queue(durable.name);
}

TEST_F(GatewayTest, TextsTravelUnchanged) {
  std::string every_byte;
  for (int c = 1; c < 128; ++c) every_byte += static_cast<char>(c);
  const std::string large(100'000, '&');
  for (const std::string& text :
       {std::string(), every_byte, std::string("<script>alert(1)</script> & caf\u00e9 %41+"), large}) {
    EXPECT_EQ(send(queue_, text).state, "OK");
    EXPECT_EQ(receive(queue_), (Reply{200, "OK", text}));
  }
  broker().publish("", queue_, {}, "\xff\xfe no UTF-8");
  EXPECT_EQ(receive(queue_), (Reply{200, "OK", "\ufffd\ufffd no UTF-8"}));
}

TEST_F(GatewayTest, MultipartFormsAreFormsToo) {
  const httplib::MultipartFormDataItems form = {
      {"other", "x", "", ""}, {"msg", "a=b&c", "", ""}, {"more", "y", "", ""}};
  EXPECT_EQ(reply_of(client_.Post("/rabbit/" + queue_, form)).state, "OK");
  EXPECT_EQ(receive(queue_).msg, "a=b&c");
  EXPECT_EQ(reply_of(client_.Post("/rabbit/" + queue_, httplib::MultipartFormDataItems{{"x", "y", "", ""}})),
            (Reply{400, "NO", "the form has no field msg"}));
}

TEST_F(GatewayTest, AnyNameThatAQueueMayHave) {
  const std::string name = queue_ + " /a?b%#\t\u00e9";
  EXPECT_EQ(create(name).state, "OK");
  const std::string path = httplib::detail::encode_query_param(name);
  EXPECT_EQ(send(path, "x").state, "OK");
  EXPECT_EQ(receive(path).msg, "x");
  broker().remove_queue(name);
}

TEST_F(GatewayTest, SaysWhatIsWrong) {
  EXPECT_EQ(send("gateway.nowhere", "x"), (Reply{404, "NO", "there is no queue \"gateway.nowhere\""}));
  EXPECT_EQ(receive("gateway.nowhere"), (Reply{404, "NO", "there is no queue \"gateway.nowhere\""}));
  EXPECT_EQ(receive(""), (Reply{400, "NO", "the name of a queue has 1 to 255 bytes"}));
  EXPECT_EQ(create(""), (Reply{400, "NO", "the name of a queue has 1 to 255 bytes"}));
  EXPECT_EQ(create(std::string(256, 'q')).status, 400);
  EXPECT_EQ(create("amq.mine").status, 400) << "reserved by the broker";
  EXPECT_EQ(reply_of(client_.Post("/rabbit/" + queue_, httplib::Params{{"message", "x"}})),
            (Reply{400, "NO", "the form has no field msg"}));
  EXPECT_EQ(reply_of(client_.Get("/rabbits")), (Reply{404, "NO", "there is nothing at this address"}));
  EXPECT_EQ(reply_of(client_.Delete("/rabbit/" + queue_)).status, 405);
  EXPECT_EQ(send(queue_, "still well").state, "OK") << "a refusal leaves the connection usable";
}

TEST_F(GatewayTest, HeadTakesNoMessageAway) {
  send(queue_, "x");
  EXPECT_EQ(client_.Head("/rabbit/" + queue_)->status, 405);
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(GatewayTest, BodiesAreLimited) {
  const std::string too_large(Gateway::kLargestBody + 1, 'x');
  EXPECT_EQ(send(queue_, too_large), (Reply{413, "NO", "the body is larger than 1 MiB"}));
  const auto endless = [&](std::size_t, httplib::DataSink& sink) {
    return sink.write(too_large.data(), 65536);  // in chunks, without an end
  };
  const auto chunked = client_.Post("/rabbit/" + queue_, endless, "application/x-www-form-urlencoded");
  if (chunked) {  // or the gateway has hung up on us, which will do
    EXPECT_EQ(reply_of(chunked).state, "NO");
  }
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(send(queue_, std::string(Gateway::kLargestBody - 100, 'x')).state, "OK");
}

TEST_F(GatewayTest, PagesOfOthersCanNeitherSendNorReceive) {
  send(queue_, "x");
  const httplib::Headers foreign = {{"Origin", "http://evil.example"}};
  EXPECT_EQ(reply_of(client_.Post("/rabbit/" + queue_, foreign, httplib::Params{{"msg", "y"}})).status, 403);
  EXPECT_EQ(reply_of(client_.Get("/rabbit/" + queue_, {{"Sec-Fetch-Site", "cross-site"}})).status, 403);
  EXPECT_EQ(reply_of(client_.Get("/rabbit/" + queue_, {{"Host", "evil.example:8081"}})).status, 421);
  EXPECT_EQ(waiting(), 1U);
}

// A page may post any bytes to any address: those of a refused request must not become a request of their
// own.
TEST_F(GatewayTest, ARefusedBodyIsNotTheNextRequest) {
  send(queue_, "x");
  const std::string inner = "GET /rabbit/" + queue_ + " HTTP/1.1\r\n" + host() + "\r\n";
  const std::string answer =
      raw("POST /rabbit/x HTTP/1.1\r\n" + host() + "Origin: http://evil.example\r\nContent-Length: " +
          std::to_string(inner.size()) + "\r\n\r\n" + inner);
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 403");
  EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << answer;
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(GatewayTest, BrokenRequestsAreAnsweredOrHungUpOn) {
  EXPECT_NE(raw("nonsense\r\n\r\n").find("400"), std::string::npos);
  EXPECT_NE(raw("POST /rabbit/" + queue_ + " HTTP/1.1\r\n" + host() + "\r\n").find("400"), std::string::npos);
  EXPECT_NE(raw("GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n" + host() + "\r\n").find("414"),
            std::string::npos);
  raw("POST /rabbit/" + queue_ + " HTTP/1.1\r\n" + host() +
      "Content-Length: 50\r\n\r\nmsg=cut short");  // after a limit
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(send(queue_, "x").state, "OK");
}

TEST_F(GatewayTest, ManyAtOnce) {
  constexpr int kClients = 24, kEach = 10;
  std::vector<std::thread> clients;
  std::mutex guard;
  std::vector<Reply> not_sent;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      httplib::Client client("127.0.0.1", gateway_->address().port);
      for (int n = 0; n < kEach; ++n) {
        const Reply reply = reply_of(
            client.Post("/rabbit/" + queue_, httplib::Params{{"msg", std::to_string(i * kEach + n)}}));
        const std::lock_guard lock(guard);
        if (reply.state != "OK") not_sent.push_back(reply);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_THAT(not_sent, testing::IsEmpty());
  std::set<std::string> received;
  for (Reply reply = receive(queue_); reply.state == "OK"; reply = receive(queue_))
    received.insert(reply.msg);
  EXPECT_EQ(received.size(), static_cast<std::size_t>(kClients * kEach));
}

TEST_F(GatewayTest, ThePageMayRunNothingButItsOwn) {
  const auto page = client_.Get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->get_header_value("Content-Security-Policy").substr(0, 38),
            "default-src 'none'; script-src 'self';");
  EXPECT_NE(page->body.find("<p id=\"token-line\" hidden>"), std::string::npos);
  EXPECT_EQ(client_.Get("/gateway.js")->status, 200);
  EXPECT_EQ(client_.Get("/gateway.css")->status, 200);
}

TEST_F(GatewayTest, ATokenIsAskedForOnThePage) {
  const auto guarded = Gateway::start({ListenAddress::parse("127.0.0.1:0"), "secret", {}, {}}, desk_);
  httplib::Client client("127.0.0.1", guarded->address().port);
  EXPECT_NE(client.Get("/")->body.find("<p id=\"token-line\">"), std::string::npos);
  EXPECT_EQ(client.Get("/rabbit/" + queue_)->status, 401);
  EXPECT_EQ(client.Get("/rabbit/" + queue_, {{"Authorization", "Bearer secret"}})->status, 200);
}

TEST_F(GatewayTest, APortTakenIsSaid) {
  EXPECT_THROW(Gateway::start({gateway_->address(), "", {}, {}}, desk_), Error);
}

TEST(GatewayBroker, StaysAliveWhileTheBrokerIsAway) {
  const MonotonicClock clock;
  const auto broker = PrivateBroker::start({}, clock);
  QueueDesk desk(amqp::Uri::parse(broker->uri()), {});
  const auto gateway = Gateway::start({ListenAddress::parse("127.0.0.1:0"), "", {}, {}}, desk);
  httplib::Client client("127.0.0.1", gateway->address().port);
  client.set_read_timeout(30);
  const auto create = [&] { return reply_of(client.Post("/rabbit/", httplib::Params{{"nom_queue", "q"}})); };
  EXPECT_EQ(create().state, "OK");
  broker->kill(0);
  for (int i = 0; i < 2; ++i) {
    const Reply away = create();
    EXPECT_EQ(away.status, 503);
    EXPECT_EQ(away.state, "NO");
    EXPECT_NE(away.msg.find("broker"), std::string::npos) << away.msg;
  }
  broker->restart(0);
  broker->wait_until_accepting(0, 60 * kNanosecondsPerSecond);
  EXPECT_TRUE(eventually([&] { return create().state == "OK"; }));  // it accepts before it can declare
  EXPECT_EQ(reply_of(client.Post("/rabbit/q", httplib::Params{{"msg", "again"}})).state, "OK");
  EXPECT_EQ(reply_of(client.Get("/rabbit/q")).msg, "again");

  broker->pause(0);
  EXPECT_EQ(create().status, 503) << "a broker that does not answer";
  broker->resume(0);
  EXPECT_TRUE(eventually([&] { return create().state == "OK"; }));
}

}  // namespace
}  // namespace brokerlab
