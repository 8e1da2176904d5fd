#include "broker/gateway_access.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace brokerlab {
namespace {

GatewayAccess loopback(const std::string& token = "") {
  return {ListenAddress::parse("127.0.0.1:8081"), token, {}};
}

int status_of(const GatewayAccess& access, const GatewayAccess::Request& request) {
  const auto refusal = access.refuse(request);
  return refusal ? refusal->status : 0;
}

TEST(ListenAddress, Parses) {
  EXPECT_EQ(ListenAddress::parse("8081").text(), "127.0.0.1:8081");
  EXPECT_EQ(ListenAddress::parse(":8081").text(), "127.0.0.1:8081");
  EXPECT_EQ(ListenAddress::parse("0.0.0.0:80").text(), "0.0.0.0:80");
  EXPECT_EQ(ListenAddress::parse("[::1]:0").text(), "[::1]:0");
  EXPECT_EQ(ListenAddress::parse("localhost:65535").port, 65535);
  for (const char* text : {"", ":", "host", "host:", "host:65536", "host:-1", "host:08", "host:8x", "::1:80",
                           "[::1]", "[::1", "[::1]80", "::80"}) {
    EXPECT_THROW(ListenAddress::parse(text), Error) << text;
  }
}

TEST(ListenAddress, KnowsWhatNobodyElseCanReach) {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1", "1"}) {
    EXPECT_TRUE(ListenAddress::parse(text).loopback()) << text;
  }
  for (const char* text :
       {"0.0.0.0:1", "[::]:1", "192.168.0.1:1", "localhost.example:1", "[::ffff:10.0.0.1]:1"}) {
    EXPECT_FALSE(ListenAddress::parse(text).loopback()) << text;
  }
}

TEST(GatewayAccess, BeyondLoopbackATokenIsNeeded) {
  EXPECT_THROW(GatewayAccess(ListenAddress::parse("0.0.0.0:8081"), "", {}), Error);
  const GatewayAccess access(ListenAddress::parse("0.0.0.0:8081"), "secret", {"gateway"});
  EXPECT_EQ(status_of(access, {"10.0.0.7:8081", "", "", "", false}), 401);
  EXPECT_EQ(status_of(access, {"10.0.0.7:8081", "", "", "Bearer secreT", false}), 401);
  EXPECT_EQ(status_of(access, {"10.0.0.7:8081", "", "", "Bearer secret1", false}), 401);
  EXPECT_EQ(status_of(access, {"10.0.0.7:8081", "", "", "secret", false}), 401);
  EXPECT_EQ(status_of(access, {"10.0.0.7:8081", "", "", "Bearer secret", false}), 0);
  EXPECT_EQ(status_of(access, {"gateway:8081", "", "", "Bearer secret", false}), 0);
  EXPECT_EQ(status_of(access, {"elsewhere:8081", "", "", "Bearer secret", false}), 421);
  EXPECT_EQ(status_of(access, {"10.0.0.7:8081", "", "", "", true}), 0) << "the page itself";
}

TEST(GatewayAccess, AForeignNameThatPointsHereIsRefused) {
  const GatewayAccess access = loopback();
  for (const char* host : {"127.0.0.1:8081", "localhost:8081", "LOCALHOST:8081", "[::1]:8081", "127.0.0.1"}) {
    EXPECT_EQ(status_of(access, {host, "", "", "", false}), 0) << host;
  }
  for (const char* host : {"evil.example:8081", "", "127.0.0.1.evil.example", "localhost.evil.example:8081",
                           "10.0.0.7:8081", "[::1", "a:b:c"}) {
    EXPECT_EQ(status_of(access, {host, "", "", "", false}), 421) << host;
    EXPECT_EQ(status_of(access, {host, "", "", "", true}), 421) << "the page, too: " << host;
  }
}

TEST(GatewayAccess, PagesOfOthersAreRefused) {
  const GatewayAccess access = loopback();
  const std::string host = "127.0.0.1:8081";
  EXPECT_EQ(status_of(access, {host, "http://127.0.0.1:8081", "same-origin", "", false}), 0);
  EXPECT_EQ(status_of(access, {host, "", "none", "", false}), 0) << "typed into the browser";
  for (const char* origin : {"http://evil.example", "null", "http://127.0.0.1:80", "http://127.0.0.1:80810",
                             "http://localhost:8081", "file://", "http://127.0.0.1:8081/"}) {
    EXPECT_EQ(status_of(access, {host, origin, "", "", false}), 403) << origin;
  }
  EXPECT_EQ(status_of(access, {host, "", "cross-site", "", false}), 403) << "a picture that is none";
  EXPECT_EQ(status_of(access, {host, "", "same-site", "", false}), 403) << "another port of this machine";
}

TEST(GatewayAccess, ATokenOnLoopbackHoldsToo) {
  const GatewayAccess access = loopback("secret");
  EXPECT_EQ(status_of(access, {"127.0.0.1:8081", "", "", "", false}), 401);
  EXPECT_EQ(status_of(access, {"127.0.0.1:8081", "", "", "Bearer secret", false}), 0);
}

}  // namespace
}  // namespace brokerlab
