#include "live/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "core/error.h"

namespace brokerlab::live {
namespace {

using testing::HasSubstr;

class Silent final : public RunObserver {
 public:
  void stage(const std::string&) override {}
  void progress(const RunProgress&) override {}
  void notice(const std::string&) override {}
};

class LiveServerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Server> serve(bool metrics, bool page) {
    return Server::start({ListenAddress{}, metrics, page, {}, ""}, state_, "--metrics");
  }
  static httplib::Client client(const Server& server) {
    return httplib::Client(server.address().host, server.address().port);
  }

  MonotonicClock clock_;
  Silent shown_;
  State state_{clock_, shown_};
};

TEST_F(LiveServerTest, ServesWhatWasAskedForAndNothingElse) {
  const auto metrics = serve(true, false), page = serve(false, true);
  auto of_metrics = client(*metrics), of_page = client(*page);
  auto scraped = of_metrics.Get("/metrics");
  EXPECT_EQ(scraped->status, 200);
  EXPECT_EQ(scraped->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  scraped = of_metrics.Get("/metrics", {{"Accept", "application/openmetrics-text"}});
  EXPECT_THAT(scraped->get_header_value("Content-Type"),
              HasSubstr("application/openmetrics-text; version=1.0.0"));
  EXPECT_THAT(scraped->body, testing::EndsWith("# EOF\n"));
  EXPECT_EQ(of_metrics.Get("/live.json")->status, 404);
  EXPECT_EQ(of_metrics.Post("/metrics", "x", "text/plain")->status, 405);
  EXPECT_EQ(of_page.Get("/metrics")->status, 404);
  for (const char* path :
       {"/", "/live.css", "/live.js", "/report.css", "/charts.js", "/echarts.js", "/live.json"})
    EXPECT_EQ(of_page.Get(path)->status, 200) << path;
  EXPECT_THAT(of_page.Get("/")->get_header_value("Content-Security-Policy"), HasSubstr("default-src 'none'"));
}

// A page of another site that runs in the browser of somebody on this machine reaches loopback, too.
TEST_F(LiveServerTest, ForeignPagesAndNamesAreRefused) {
  const auto server = serve(true, true);
  auto browser = client(*server);
  EXPECT_EQ(browser.Get("/metrics", {{"Host", "evil.example"}})->status, 421);
  EXPECT_EQ(browser.Get("/live.json", {{"Origin", "http://evil.example"}})->status, 403);
  EXPECT_EQ(browser.Get("/live.json", {{"Sec-Fetch-Site", "cross-site"}})->status, 403);
  EXPECT_EQ(browser.Get("/metrics", {{"Host", "localhost:9100"}})->status, 200);
}

TEST_F(LiveServerTest, BeyondThisMachineATokenIsNeeded) {
  Server::Options options{ListenAddress{"0.0.0.0", 0}, true, true, {}, ""};
  EXPECT_THROW(Server::start(options, state_, "--metrics"), Error);
  options.token = "secret";
  const auto server = Server::start(options, state_, "--metrics");
  httplib::Client prometheus("127.0.0.1", server->address().port);
  const httplib::Headers host{{"Host", "bench.example:9100"}};  // by which name is not known
  EXPECT_EQ(prometheus.Get("/metrics", host)->status, 401);
  EXPECT_EQ(prometheus.Get("/live.json", host)->status, 401);
  EXPECT_EQ(prometheus.Get("/", host)->status, 200) << "the page holds nothing that is secret";
  EXPECT_EQ(prometheus.Get("/metrics", {{"Authorization", "Bearer wrong"}})->status, 401);
  EXPECT_EQ(prometheus.Get("/metrics", {{"Authorization", "Bearer secret"}})->status, 200);
}

TEST_F(LiveServerTest, APortThatIsTakenIsAnErrorThatNamesIt) {
  const auto first = serve(true, false);
  try {
    Server::start({first->address(), true, false, {}, ""}, state_, "--metrics");
    FAIL() << "two programs on one port";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kFailed);
    EXPECT_THAT(error.what(), HasSubstr(first->address().text()));
    EXPECT_THAT(error.what(), HasSubstr("--metrics"));
  }
}

int connected_to(const Server& server, int more_flags = 0) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | more_flags, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.address().port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return descriptor;
}

// Each of them could keep a thread for as long as it likes to spell.
TEST_F(LiveServerTest, EndsWithThoseWhoHaveNotFinishedAsking) {
  auto server = serve(true, false);
  std::vector<int> spelling;
  for (int i = 0; i < 3; ++i) {
    spelling.push_back(connected_to(*server));
    EXPECT_EQ(::send(spelling.back(), "GET /met", 8, MSG_NOSIGNAL), 8);
  }
  EXPECT_EQ(client(*server).Get("/metrics")->status, 200) << "those before have been accepted";
  server.reset();
  for (const int descriptor : spelling) ::close(descriptor);
}

// Those who connect and say nothing, more of them than are served at once, do not keep the controller
// waiting.
TEST_F(LiveServerTest, SilentClientsKeepNobodyFromTellingTheState) {
  const auto server = serve(true, false);
  std::vector<int> silent;
  for (int i = 0; i < 40; ++i) {
    silent.push_back(connected_to(*server, SOCK_NONBLOCK));
  }
  for (int i = 0; i < 10'000; ++i) state_.stage("still telling");
  EXPECT_EQ(state_.snapshot().activity, "still telling");
  for (const int descriptor : silent) ::close(descriptor);
  EXPECT_EQ(client(*server).Get("/metrics")->status, 200) << "and once they have gone, others are served";
}

}  // namespace
}  // namespace brokerlab::live
