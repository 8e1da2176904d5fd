#include "core/error.h"
#include "live_fixture.h"

namespace brokerlab::amqp {
namespace {

class Tls : public LiveTest {
 protected:
  ConnectionOptions secured(const std::string& host, const TlsOptions& tls) const {
    auto settings = options();
    settings.uri = LiveBroker::instance().tls_uri(host);
    settings.tls = tls;
    return settings;
  }
};

TEST_F(Tls, VerifiedConnectionCarriesMessagesOfEverySize) {
  auto connection = connected(secured("localhost", LiveBroker::instance().trusted()));
  auto& out = channel(*connection);
  const auto name = queue(out);
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, true).ok());
  std::vector<std::string> sent;
  for (const std::size_t size : {0U, 1U, 1000U, 16'384U, 131'065U, 3'000'000U}) {
    sent.emplace_back(size, static_cast<char>('a' + sent.size()));
    publish(out, name, sent.back());
  }
  for (int i = 0; i < 5000; ++i) publish(out, name, "small");
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == sent.size() + 5000; }));
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_TRUE(inbox.items[i].body == sent[i]) << i;
  bool closed = false;
  connection->close([&] { closed = true; });
  EXPECT_TRUE(run_until([&] { return closed; }));
}

TEST_F(Tls, CoalescedReadsWork) {
  auto settings = secured("localhost", LiveBroker::instance().trusted());
  settings.read_coalescing_ns = 1'000'000;
  auto connection = connected(settings);
  auto& out = channel(*connection);
  const auto name = queue(out);
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, true).ok());
  for (int i = 0; i < 5000; ++i) publish(out, name, "small");
  EXPECT_TRUE(run_until([&] { return inbox.items.size() == 5000; }));
}

TEST_F(Tls, ACertificateForAnotherHostIsRefused) {
  // 127.0.0.1 is not in the certificate, which is for localhost.
  Connection connection(&loop_, clock_, secured("127.0.0.1", LiveBroker::instance().trusted()));
  const auto outcome = open(connection);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kTls);
  EXPECT_NE(outcome.error().summary.find("not for 127.0.0.1"), std::string::npos)
      << outcome.error().describe();
}

TEST_F(Tls, ACertificateOfAnUnknownCaIsRefused) {
  auto tls = LiveBroker::instance().trusted();
  tls.ca_file = LiveBroker::instance().foreign_ca();
  for (const auto& options : {tls, TlsOptions{}}) {
    Connection connection(&loop_, clock_, secured("localhost", options));
    const auto outcome = open(connection);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().kind, ErrorKind::kTls);
    EXPECT_NE(outcome.error().summary.find("not trusted"), std::string::npos) << outcome.error().describe();
  }
}

TEST_F(Tls, InsecureTakesAnyCertificate) {
  TlsOptions insecure;
  insecure.insecure = true;
  auto connection = connected(secured("127.0.0.1", insecure));
  EXPECT_TRUE(connection->is_open());
}

TEST_F(Tls, TheClientCertificateReachesTheBroker) {
  auto connection = connected(secured("localhost", LiveBroker::instance().with_certificate()));
  ASSERT_TRUE(connection->is_open());
  EXPECT_NE(LiveBroker::instance().control("list_connections peer_cert_subject").find("CN=client"),
            std::string::npos);
}

// The broker takes the common name of the certificate for the user's: EXTERNAL of SASL.
TEST_F(Tls, ACertificateLogsIn) {
  auto settings = secured("localhost", LiveBroker::instance().with_certificate());
  settings.uri.external = true;
  Connection unknown(&loop_, clock_, settings);
  const auto refused = open(unknown);
  ASSERT_FALSE(refused.ok()) << "nobody has that name yet";
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefusedLogin) << refused.error().describe();
  LiveBroker::instance().control(
      R"(eval 'rabbit_auth_backend_internal:add_user(<<"client">>, <<"never used">>, <<"test">>), )"
      R"(rabbit_auth_backend_internal:set_permissions(<<"client">>, <<"/">>, <<".*">>, <<".*">>, <<".*">>, <<"test">>).')");
  auto connection = connected(settings);
  ASSERT_TRUE(connection->is_open());
  auto& out = channel(*connection);
  const auto name = queue(out);
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, true).ok());
  publish(out, name, "as a client");
  EXPECT_TRUE(run_until([&] { return inbox.items.size() == 1; }));
  LiveBroker::instance().control(
      R"(eval 'rabbit_auth_backend_internal:delete_user(<<"client">>, <<"test">>).')");
}

TEST_F(Tls, ALoginWithoutACertificateSaysWhatIsMissing) {
  auto settings = secured("localhost", LiveBroker::instance().trusted());
  settings.uri.external = true;
  Connection connection(&loop_, clock_, settings);
  const auto outcome = open(connection);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kRefusedLogin);
  EXPECT_NE(outcome.error().remedy.find("certfile"), std::string::npos) << outcome.error().describe();
}

TEST_F(Tls, AClientCertificateOfAnUnknownCaIsRefused) {
  Connection connection(&loop_, clock_,
                        secured("localhost", LiveBroker::instance().with_certificate("stranger")));
  const auto outcome = open(connection);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kTls) << outcome.error().describe();
  EXPECT_NE(outcome.error().summary.find("certificate"), std::string::npos) << outcome.error().describe();
}

TEST_F(Tls, TheUriBringsTheFiles) {
  auto settings = options();
  settings.uri = LiveBroker::instance().tls_uri("127.0.0.1");
  settings.uri.ca_file = LiveBroker::instance().trusted().ca_file;
  settings.uri.server_name = "localhost";
  EXPECT_TRUE(connected(settings)->is_open());
}

TEST_F(Tls, AMissingFileIsNamed) {
  TlsOptions tls;
  tls.ca_file = "no-such-file.pem";
  Connection connection(&loop_, clock_, secured("localhost", tls));
  const auto outcome = open(connection);
  ASSERT_FALSE(outcome.ok());
  EXPECT_NE(outcome.error().summary.find("CA file"), std::string::npos);
}

TEST_F(Tls, TlsToThePlainPortAndPlainToTheTlsPortAreExplained) {
  auto to_plain = options();
  to_plain.uri.tls = true;
  to_plain.handshake_timeout_ns = 3 * kNanosecondsPerSecond;
  Connection first(&loop_, clock_, to_plain);
  const auto one = open(first);
  ASSERT_FALSE(one.ok());
  EXPECT_NE(one.error().remedy.find("amqp://"), std::string::npos) << one.error().describe();

  auto to_tls = secured("localhost", {});
  to_tls.uri.tls = false;
  to_tls.handshake_timeout_ns = 3 * kNanosecondsPerSecond;
  Connection second(&loop_, clock_, to_tls);
  const auto two = open(second);
  ASSERT_FALSE(two.ok());
  EXPECT_NE(two.error().remedy.find("amqps://"), std::string::npos) << two.error().describe();
}

}  // namespace
}  // namespace brokerlab::amqp
