// Login by certificate, as a user would do it: all that is needed stands in the URI.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/node_control.h"
#include "broker/ports.h"
#include "broker/private_broker.h"
#include "tests/certificates.h"
#include "tests/system/program.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;

// Opens a TLS listener on the shared broker that takes logins by certificates of our CA.
std::uint16_t listen_with_tls(const std::filesystem::path& folder) {
  const std::uint16_t port = free_ports(1).front();
  const MonotonicClock clock;
  const std::string opened = shared_private_broker().control().wait(
      0,
      fmt::format(
          R"(application:set_env(rabbit, ssl_options, [{{cacertfile, "{0}/ca.pem"}}, {{certfile, "{0}/server.pem"}},
                       {{keyfile, "{0}/server.key"}}, {{verify, verify_peer}}, {{fail_if_no_peer_cert, false}}]),
                     application:set_env(rabbit, ssl_cert_login_from, common_name),
                     application:set_env(rabbit, auth_mechanisms, ['PLAIN', 'EXTERNAL']),
                     rabbit_networking:start_ssl_listener({{"127.0.0.1", {1}}}, rabbit_networking:ensure_ssl(), 1).)",
          folder.string(), port),
      clock, 10 * kNanosecondsPerSecond);
  EXPECT_EQ(opened, "ok");
  return port;
}

TEST(CommandLine, ACertificateLogsIn) {
  const ScratchFolder folder;
  make_certificates(folder.path());
  const std::string address =
      fmt::format("amqps://localhost:{}/?auth_mechanism=external", listen_with_tls(folder.path()));
  const std::string ca = "&cacertfile=" + (folder.path() / "ca.pem").string();
  const auto shown = [&](const std::string& name) {
    return fmt::format("&certfile={0}/{1}.pem&keyfile={0}/{1}.key", folder.path().string(), name);
  };
  const auto management = shared_management_client();
  management->create_user("client", "never-used", {});
  management->permit("client", "/", ".*", ".*", ".*");
  const auto load = [&](const std::string& uri, std::vector<std::string> more) {
    more.insert(more.begin(), {"load", "-x", "1", "-y", "1", "-r", "100", "-c", "50", "-z", "0.5", "--json"});
    more.insert(more.end(), {"--broker", uri});
    return run_program(more, folder.path());
  };
  // The client may make no vhost, so that the run uses names of its own in the one that is there.
  const ProgramResult as_client = load(address + ca + shown("client"), {});
  ASSERT_EQ(as_client.status, 0) << as_client.err;
  const Json first = Json::parse(as_client.out);
  EXPECT_EQ(first.at("runs").at(0).at("ledger").at("unique"), 50);
  EXPECT_EQ(first.at("environment").at("broker").at("kind"), "prefix");
  // An administrator makes the vhost and a user of the run, who has a password and no certificate.
  const PrivateBroker& broker = shared_private_broker();
  std::string administrator = broker.management_uri();
  administrator.insert(administrator.find("//") + 2, broker.user() + ":" + broker.password() + "@");
  const ProgramResult in_vhost = load(address + ca + shown("client"), {"--management", administrator});
  ASSERT_EQ(in_vhost.status, 0) << in_vhost.err;
  const Json second = Json::parse(in_vhost.out);
  EXPECT_EQ(second.at("runs").at(0).at("ledger").at("unique"), 50);
  EXPECT_EQ(second.at("environment").at("broker").at("kind"), "own_vhost");

  const ProgramResult shows_none = load(address + ca, {});
  EXPECT_EQ(shows_none.status, 1);
  EXPECT_THAT(shows_none.err, HasSubstr("certfile"));
  const ProgramResult trusts_none = load(address + shown("client"), {});
  EXPECT_EQ(trusts_none.status, 1);
  EXPECT_THAT(trusts_none.err, HasSubstr("not trusted"));
  const ProgramResult foreign = load(address + ca + shown("stranger"), {});
  EXPECT_EQ(foreign.status, 1);
  EXPECT_THAT(foreign.err, HasSubstr("certificate"));
  management->delete_user("client");
}

}  // namespace
}  // namespace brokerlab
