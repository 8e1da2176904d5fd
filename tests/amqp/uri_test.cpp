#include "amqp/uri.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace brokerlab::amqp {
namespace {

TEST(Uri, TakesEveryPart) {
  const auto uri = Uri::parse("amqp://user:secret@example.org:5673/lab");
  EXPECT_FALSE(uri.tls);
  EXPECT_EQ(uri.user, "user");
  EXPECT_EQ(uri.password, "secret");
  EXPECT_EQ(uri.host, "example.org");
  EXPECT_EQ(uri.port, 5673);
  EXPECT_EQ(uri.vhost, "lab");
}

TEST(Uri, HasDefaults) {
  const auto uri = Uri::parse("amqps://localhost");
  EXPECT_TRUE(uri.tls);
  EXPECT_EQ(uri.user, "guest");
  EXPECT_EQ(uri.port, 5671);
  EXPECT_EQ(uri.vhost, "/");
  EXPECT_EQ(Uri::parse("amqp://h/").vhost, "/");
  EXPECT_EQ(Uri::parse("amqp://h/%2F").vhost, "/");
  EXPECT_EQ(Uri::parse("amqp://h").port, 5672);
}

TEST(Uri, DecodesPercentSigns) {
  const auto uri = Uri::parse("amqp://us%40er:p%3Aa%2Fss@h/a%20b");
  EXPECT_EQ(uri.user, "us@er");
  EXPECT_EQ(uri.password, "p:a/ss");
  EXPECT_EQ(uri.vhost, "a b");
  EXPECT_EQ(Uri::parse(uri.full()).password, uri.password);
}

TEST(Uri, TakesIpv6InBrackets) {
  const auto uri = Uri::parse("amqp://[::1]:5673/x");
  EXPECT_EQ(uri.host, "::1");
  EXPECT_EQ(uri.port, 5673);
  EXPECT_EQ(uri.safe(), "amqp://[::1]:5673/x");
}

TEST(Uri, AHostIsWrittenAsItWasRead) {
  const auto zone = Uri::parse("amqp://[fe80::1%25eth0]/v");
  EXPECT_EQ(zone.host, "fe80::1%eth0");
  EXPECT_EQ(zone.safe(), "amqp://[fe80::1%25eth0]:5672/v");
  EXPECT_EQ(Uri::parse(zone.full()).host, zone.host);
  EXPECT_EQ(Uri::parse("amqp://a%40b/v").safe(), "amqp://a%40b:5672/v");
  for (const char* text :
       {"amqp://a%3Ab/", "amqp://%5B%3A%3A1%5D/", "amqp://[host]/", "amqp://[::1%2F@h]/", "amqp://[]/"}) {
    EXPECT_THROW(Uri::parse(text), Error) << text;
  }
}

TEST(Uri, SafeTextHasNoPassword) {
  const auto uri = Uri::parse("amqp://user:canary@h:1/v");
  EXPECT_EQ(uri.safe(), "amqp://h:1/v");
}

TEST(Uri, TlsComesWithTheUri) {
  const auto uri = Uri::parse(
      "amqps://u:canary@h/v?cacertfile=/etc/a%20b.pem&certfile=c.pem&keyfile=k.pem&auth_mechanism=external&"
      "server_name_indication=broker.lab");
  EXPECT_EQ(uri.ca_file, "/etc/a b.pem");
  EXPECT_EQ(uri.certificate_file, "c.pem");
  EXPECT_EQ(uri.key_file, "k.pem");
  EXPECT_EQ(uri.server_name, "broker.lab");
  EXPECT_TRUE(uri.external);
  EXPECT_EQ(uri.vhost, "v");
  EXPECT_EQ(uri.safe(), "amqps://h:5671/v");
  EXPECT_EQ(Uri::parse(uri.full()).full(), uri.full());
  EXPECT_FALSE(Uri::parse("amqps://h?auth_mechanism=plain").external);
  for (const char* text : {"amqps://h?", "amqps://h?cacertfile", "amqps://h?cafile=x", "amqps://h?certfile=",
                           "amqp://h?cacertfile=x", "amqps://h?auth_mechanism=magic", "amqps://h#x"}) {
    EXPECT_THROW(Uri::parse(text), Error) << text;
  }
}

TEST(Uri, RefusesNonsenseWithoutShowingThePassword) {
  for (const char* text :
       {"http://h", "amqp://", "amqp://h:0", "amqp://h:65536", "amqp://h:x", "amqp://::1", "amqp://[::1",
        "amqp://h/a/b", "amqp://canary:canary@h/%zz", "amqp://h/%0", "amqp://h/%00", "amqp://h?x=1", "h", "",
        "amqp://canary:canary@h:99999999999999"}) {
    try {
      Uri::parse(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      EXPECT_EQ(std::string(error.what()).find("canary"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace brokerlab::amqp
