#include "live/server.h"

#include <httplib.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "broker/gateway_access.h"
#include "broker/http_defaults.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/signals_elsewhere.h"
#include "live/metrics.h"
#include "live/page.h"
#include "live/page_json.h"

namespace brokerlab::live {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kMostWaiting = 16;
constexpr time_t kReadLimit_s = 5;
constexpr time_t kWriteLimit_s = 5;
constexpr std::chrono::milliseconds kLastMoments{500};
constexpr std::size_t kLargestBody = 1024;  // nobody has anything to send
// A page that asked so recently is still there.
constexpr Nanoseconds kPageGone = 3 * kNanosecondsPerSecond;

// Everything on the page is ours; nothing else may run, be drawn or be asked for.
constexpr const char* kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action "
    "'none'; base-uri 'none'; frame-ancestors 'none'";

// So many connections are served, so many more wait; beyond that none is accepted until there is room.
class BoundedPool final : public httplib::TaskQueue {
 public:
  // `cut_off` ends the connections that are still open when the service ends.
  explicit BoundedPool(std::function<void()> cut_off) : cut_off_(std::move(cut_off)) {
    for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { work(); });
  }

  void enqueue(std::function<void()> task) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return tasks_.size() < kMostWaiting || over_; });
    tasks_.push_back(std::move(task));
    changed_.notify_all();
  }

  // Answers get some moments; whoever has not finished asking by then is cut off.
  void shutdown() override {
    {
      std::unique_lock lock(mutex_);
      over_ = true;
      changed_.notify_all();
      changed_.wait_for(lock, kLastMoments, [this] { return busy_ == 0 && tasks_.empty(); });
      cut_off_();
    }
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void work() {
    for (std::unique_lock lock(mutex_);;) {
      changed_.wait(lock, [this] { return !tasks_.empty() || over_; });
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      ++busy_;
      changed_.notify_all();
      lock.unlock();
      task();
      lock.lock();
      --busy_;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::function<void()> cut_off_;
  std::vector<std::thread> threads_;
  std::size_t busy_ = 0;
  bool over_ = false;
};

std::uint64_t number_of(const httplib::Request& request, const char* name) {
  const std::string text = request.get_param_value(name);
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

class HttpServer final : public Server {
 public:
  HttpServer(const Options& options, const State& state, const char* option)
      : options_(options), state_(state), address_(options.listen), access_(address_, options.token, {}) {
    set_limits();
    set_checks();
    if (options_.metrics) set_metrics();
    if (options_.page) set_page();
    if (!options_.page) say_where();
    listen(option);
  }
  ~HttpServer() override {
    server_.stop();
    serving_.join();
  }

  const ListenAddress& address() const override { return address_; }

  void await_page(Nanoseconds limit) override {
    std::unique_lock lock(mutex_);
    if (page_asked_ns_ == 0 || clock_.now() - page_asked_ns_ > kPageGone) return;
    end_seen_.wait_for(lock, std::chrono::nanoseconds(limit), [this] { return page_saw_end_; });
  }

 private:
  void set_limits() {
    server_.new_task_queue = [this] { return new BoundedPool([this] { cut_off(); }); };
    server_.set_payload_max_length(kLargestBody);
    server_.set_read_timeout(kReadLimit_s);
    server_.set_write_timeout(kWriteLimit_s);
    // One that stays open and asks nothing would keep a thread.
    server_.set_keep_alive_max_count(1);
    set_http_defaults(server_);
  }

  void set_checks() {
    using Handled = httplib::Server::HandlerResponse;
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      const auto refuse = [&](int status, const std::string& why) {
        response.status = status;
        response.set_content(why + "\n", "text/plain; charset=utf-8");
        return Handled::Handled;
      };
      if (request.method != "GET" && request.method != "HEAD")
        return refuse(405, "there is nothing to change");
      const std::string authorization = request.get_header_value("Authorization");
      const bool of_figures = request.path == "/metrics" || request.path == "/live.json";
      if (!address_.loopback()) {
        // It is reached by names that we cannot know, and a page of somebody else's has no token.
        if (!of_figures || access_.authorised(authorization)) return Handled::Unhandled;
        return refuse(401, "a token is needed: send it as Authorization: Bearer TOKEN");
      }
      const auto refusal =
          access_.refuse({request.get_header_value("Host"), request.get_header_value("Origin"),
                          request.get_header_value("Sec-Fetch-Site"), authorization, !of_figures});
      return refusal ? refuse(refusal->status, refusal->why) : Handled::Unhandled;
    });
    server_.set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
          response.status = 500;
          response.set_content("brokerlab met something unforeseen\n", "text/plain; charset=utf-8");
        });
  }

  void set_metrics() {
    server_.Get("/metrics", [this](const httplib::Request& request, httplib::Response& response) {
      const MetricFormat format = wanted_format(request.get_header_value("Accept"));
      response.set_content(metrics_text(state_.snapshot(), format, options_.tags), content_type(format));
    });
  }

  void set_page() {
    for (const PageFile& file : page_files()) {
      server_.Get(file.path, [file](const httplib::Request&, httplib::Response& response) {
        response.set_header("Content-Security-Policy", kPagePolicy);
        response.set_content(file.text.data(), file.text.size(), file.type);
      });
    }
    server_.Get("/live.json", [this](const httplib::Request& request, httplib::Response& response) {
      const Snapshot snapshot = state_.snapshot();
      const Points points = state_.points(number_of(request, "generation"), number_of(request, "from"));
      response.set_content(page_json(snapshot, points), "application/json");
      const std::lock_guard lock(mutex_);
      page_asked_ns_ = clock_.now();
      page_saw_end_ |= snapshot.outcome.has_value();
      end_seen_.notify_all();
    });
  }

  void say_where() {
    server_.Get("/", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("brokerlab: the figures are at /metrics\n", "text/plain; charset=utf-8");
    });
  }

  // The library has no way to the connections it serves: they are found by our port.
  void cut_off() const {
    std::error_code unreadable;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", unreadable)) {
      const int descriptor = std::stoi(entry.path().filename().string());
      sockaddr_storage own{}, peer{};
      socklen_t own_bytes = sizeof own, peer_bytes = sizeof peer;
      if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &own_bytes) != 0 ||
          ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &peer_bytes) != 0)
        continue;
      const bool ipv6 = own.ss_family == AF_INET6;
      if (!ipv6 && own.ss_family != AF_INET) continue;
      const std::uint16_t port = ipv6 ? reinterpret_cast<const sockaddr_in6&>(own).sin6_port
                                      : reinterpret_cast<const sockaddr_in&>(own).sin_port;
      if (ntohs(port) == address_.port) ::shutdown(descriptor, SHUT_RDWR);
    }
  }

  void listen(const char* option) {
    const int port = address_.port == 0
                         ? server_.bind_to_any_port(address_.host)
                         : (server_.bind_to_port(address_.host, address_.port) ? address_.port : -1);
    if (port < 0) {
      throw Error(
          std::string("cannot listen for ") + option + ": " + std::strerror(errno), address_.text(),
          "see whether another program listens there, or choose another port; port 0 takes a free one");
    }
    address_.port = static_cast<std::uint16_t>(port);
    const SignalsElsewhere masked;
    serving_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() has no effect before the server runs, and would then wait for ever.
    while (!server_.is_running()) std::this_thread::yield();
  }

  const Options options_;
  const State& state_;
  MonotonicClock clock_;
  ListenAddress address_;
  const GatewayAccess access_;
  std::mutex mutex_;
  std::condition_variable end_seen_;
  Nanoseconds page_asked_ns_ = 0;
  bool page_saw_end_ = false;
  httplib::Server server_;
  std::thread serving_;
};

}  // namespace

std::unique_ptr<Server> Server::start(const Options& options, const State& state, const char* option) {
  return std::make_unique<HttpServer>(options, state, option);
}

}  // namespace brokerlab::live
