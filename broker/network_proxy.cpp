#include "broker/network_proxy.h"

#include <fmt/format.h>
#include <netdb.h>
#include <uv.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "broker/ports.h"
#include "broker/proxied_connection.h"
#include "core/error.h"
#include "core/random.h"

namespace brokerlab {
namespace {

constexpr int kBacklog = 1024;  // a process may open a thousand connections at once

sockaddr_storage resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0)
    throw Error(fmt::format("cannot find the host {}: {}", host, gai_strerror(status)), "network faults",
                "correct the broker's URI");
  sockaddr_storage address{};
  std::memcpy(&address, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return address;
}

}  // namespace

// The proxy's thread and everything that lives on it.
class NetworkProxy::Engine {
 public:
  Engine(const Clock& clock, std::uint64_t seed) : clock_(clock), random_(seed, "network", 0) {
    uv_loop_init(&loop_);
    uv_async_init(&loop_, &wake_, [](uv_async_t* handle) { static_cast<Engine*>(handle->data)->work(); });
    wake_.data = this;
    thread_ = std::thread([this] { uv_run(&loop_, UV_RUN_DEFAULT); });
  }

  ~Engine() {
    call([this] {
      for (const auto& way : ways_) way->close();
      uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
    });
    thread_.join();  // the loop ends with its last handle
    uv_loop_close(&loop_);
  }

  // Runs `task` on the proxy's thread and waits for it; what it throws is thrown here.
  void call(std::function<void()> task) {
    std::packaged_task<void()> packaged(std::move(task));
    std::future<void> done = packaged.get_future();
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(packaged));
    }
    uv_async_send(&wake_);
    done.get();
  }

  // All below on the proxy's thread.

  // A port of ours and where it leads.
  struct Way {
    struct Active {
      std::size_t number = 0;
      Toxic toxic;
    };
    struct Passing {
      std::unique_ptr<ProxiedConnection> connection;
      std::map<std::size_t, bool> befallen;  // toxic -> does it befall this one?
    };

    Way(Engine& engine, const sockaddr_storage& broker, std::uint16_t port)
        : engine(engine), broker(broker), port(port) {
      listen();
    }

    bool down() const {
      return std::any_of(toxics.begin(), toxics.end(),
                         [](const Active& active) { return active.toxic.kind == Toxic::Kind::kDown; });
    }
    void listen();
    void stop_listening();
    void accept();
    void add(std::size_t number, const Toxic& toxic);
    void remove(std::size_t number);
    void close();

    Engine& engine;
    sockaddr_storage broker;
    std::uint16_t port;
    uv_tcp_t* listener = nullptr;  // belongs to libuv once it is closing
    std::vector<Active> toxics;
    std::map<std::size_t, Passing> passing;
    Counts counts;

   private:
    void apply(Passing& passing);
  };

  std::size_t add_way(const std::string& host, std::uint16_t port) {
    const sockaddr_storage broker = resolve(host, port);
    ways_.push_back(std::make_unique<Way>(*this, broker, free_ports(1).front()));
    return ways_.size() - 1;
  }
  Way& way(std::size_t number) { return *ways_.at(number); }
  std::size_t next_number() { return ++numbers_; }
  std::size_t ways() const { return ways_.size(); }

 private:
  void work() {
    std::vector<std::packaged_task<void()>> tasks;
    {
      const std::lock_guard lock(mutex_);
      tasks.swap(tasks_);
    }
    for (auto& task : tasks) task();
  }

  const Clock& clock_;
  Random random_;
  uv_loop_t loop_{};
  uv_async_t wake_{};
  std::thread thread_;
  std::mutex mutex_;
  std::vector<std::packaged_task<void()>> tasks_;  // under mutex_
  std::vector<std::unique_ptr<Way>> ways_;
  std::size_t numbers_ = 0;
};

void NetworkProxy::Engine::Way::listen() {
  listener = new uv_tcp_t;
  uv_tcp_init(&engine.loop_, listener);
  listener->data = this;
  sockaddr_in address{};
  uv_ip4_addr("127.0.0.1", port, &address);
  int status = uv_tcp_bind(listener, reinterpret_cast<const sockaddr*>(&address), 0);
  if (status == 0)
    status = uv_listen(reinterpret_cast<uv_stream_t*>(listener), kBacklog,
                       [](uv_stream_t* stream, int) { static_cast<Way*>(stream->data)->accept(); });
  if (status == 0) return;
  stop_listening();
  throw Error(fmt::format("cannot listen on 127.0.0.1:{}: {}", port, uv_strerror(status)), "network faults",
              "try again: another program took the port");
}

void NetworkProxy::Engine::Way::stop_listening() {
  if (listener == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(listener),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_tcp_t*>(handle); });
  listener = nullptr;
}

void NetworkProxy::Engine::Way::accept() {
  const std::size_t number = engine.next_number();
  ++counts.connections;
  ProxiedConnection::Events events;
  events.on_passed = [this](std::size_t bytes, Toxic::Stream stream) {
    (stream == Toxic::Stream::kUpstream ? counts.bytes_up : counts.bytes_down) += bytes;
  };
  events.on_cut = [this] { ++counts.cut; };
  events.on_gone = [this, number] { passing.erase(number); };
  Passing& entry = passing[number];
  entry.connection =
      std::make_unique<ProxiedConnection>(&engine.loop_, engine.clock_, number, std::move(events));
  entry.connection->open(reinterpret_cast<uv_stream_t*>(listener),
                         reinterpret_cast<const sockaddr*>(&broker));
  apply(entry);
}

void NetworkProxy::Engine::Way::apply(Passing& entry) {
  std::vector<Toxic> own;
  for (const Active& active : toxics) {
    const auto [befallen, fresh] = entry.befallen.try_emplace(active.number, false);
    if (fresh) befallen->second = engine.random_.uniform() < active.toxic.toxicity;
    if (befallen->second) own.push_back(active.toxic);
  }
  entry.connection->set_toxics(own);
}

void NetworkProxy::Engine::Way::add(std::size_t number, const Toxic& toxic) {
  toxics.push_back({number, toxic});
  if (toxic.kind == Toxic::Kind::kDown) {
    stop_listening();
    for (auto& [key, entry] : passing) entry.connection->cut();
  } else {
    for (auto& [key, entry] : passing) apply(entry);
  }
}

void NetworkProxy::Engine::Way::remove(std::size_t number) {
  std::erase_if(toxics, [&](const Active& active) { return active.number == number; });
  for (auto& [key, entry] : passing) apply(entry);
  if (listener == nullptr && !down()) listen();
}

void NetworkProxy::Engine::Way::close() {
  stop_listening();
  for (auto& [key, entry] : passing) entry.connection->close();
}

NetworkProxy::NetworkProxy(const Clock& clock, std::uint64_t seed)
    : engine_(std::make_unique<Engine>(clock, seed)) {}

NetworkProxy::~NetworkProxy() = default;

std::size_t NetworkProxy::add_way(const std::string& host, std::uint16_t port) {
  std::size_t way = 0;
  engine_->call([&] { way = engine_->add_way(host, port); });
  return way;
}

std::uint16_t NetworkProxy::port(std::size_t way) const {
  std::uint16_t port = 0;
  engine_->call([&] { port = engine_->way(way).port; });
  return port;
}

std::size_t NetworkProxy::add(std::size_t way, const Toxic& toxic) {
  std::size_t number = 0;
  engine_->call([&] {
    number = engine_->next_number();
    engine_->way(way).add(number, toxic);
  });
  return number;
}

void NetworkProxy::remove(std::size_t way, std::size_t toxic) {
  engine_->call([&] { engine_->way(way).remove(toxic); });
}

void NetworkProxy::remove_all() {
  engine_->call([&] {
    for (std::size_t way = 0; way < engine_->ways(); ++way) {
      while (!engine_->way(way).toxics.empty())
        engine_->way(way).remove(engine_->way(way).toxics.front().number);
    }
  });
}

NetworkProxy::Counts NetworkProxy::counts(std::size_t way) {
  Counts counts;
  engine_->call([&] { counts = engine_->way(way).counts; });
  return counts;
}

}  // namespace brokerlab
