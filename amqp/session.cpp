#include "amqp/session.h"

#include <uv.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "amqp/connection.h"
#include "core/units.h"

namespace brokerlab::amqp {
namespace {

constexpr std::uint16_t kNotFound = 404;
// Enough to keep the broker busy; more would only wait in its socket.
constexpr std::size_t kMostUnderWay = 128;
// The broker answers a channel's requests one after the other. Declaring queues takes it 2.5 times as long
// with one channel as with four, on two cores.
constexpr std::size_t kMostChannels = 8;

// A loop of our own that is left clean: every handle closed.
class PrivateLoop {
 public:
  PrivateLoop() { uv_loop_init(&loop_); }
  ~PrivateLoop() {
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  PrivateLoop(const PrivateLoop&) = delete;
  PrivateLoop& operator=(const PrivateLoop&) = delete;
  uv_loop_t* get() { return &loop_; }

 private:
  uv_loop_t loop_{};
};

std::string queue_named(const std::string& name) { return "queue '" + name + "'"; }

std::string binding_named(const BindingDeclaration& binding) {
  return "binding of '" + binding.destination + "' to exchange '" + binding.source + "'";
}

}  // namespace

class Session::Impl : public ChannelListener {
 public:
  Impl(const Uri& uri, const TlsOptions& tls, Nanoseconds timeout_ns)
      : where_(uri.safe()), timeout_ns_(timeout_ns) {
    ConnectionOptions options;
    options.uri = uri;
    options.tls = tls;
    options.heartbeat_s = 0;  // nobody answers between two calls
    options.client_name = "brokerlab controller";
    // A little earlier than a call's own limit: what the peer owes us says more than that it did not answer.
    options.handshake_timeout_ns = timeout_ns - timeout_ns / 10;
    options.close_timeout_ns = std::min(options.close_timeout_ns, timeout_ns);
    connection_ = std::make_unique<Connection>(loop_.get(), clock_, options);
    connection_->events().on_ended = [this](const AmqpError& reason) { ended_ = reason; };
    ask("", [this](const Done& done) { connection_->open([done] { done({}); }, done); });
    ask("", [this](const Done& done) { channel_ = &connection_->open_channel(this, done); });
    channels_ = {channel_};
  }

  ~Impl() override {
    bool closed = false;
    connection_->close([&closed] { closed = true; });
    while (!closed && uv_run(loop_.get(), UV_RUN_ONCE) != 0) {
    }
    connection_.reset();
  }

  // Runs the loop until `start`'s answer is there; whatever the callback captured lives until then.
  void ask(const std::string& what, const std::function<void(const Done&)>& start) {
    if (const auto refused = try_to(what, start); !refused.ok()) throw refused.error().to_error(where(what));
  }

  Outcome try_to(const std::string& what, const std::function<void(const Done&)>& start) {
    if (ended_) throw ended_->to_error(where(what));
    // Shared with the callback: a late answer must not write into a frame that is gone.
    auto answer = std::make_shared<std::optional<Outcome>>();
    const Nanoseconds deadline = clock_.now() + timeout_ns_;
    start([answer](const Outcome& outcome) { *answer = outcome; });
    run_until([&] { return answer->has_value() || ended_.has_value(); }, deadline);
    if (answer->has_value()) return **answer;
    if (ended_) throw ended_->to_error(where(what));
    end_unanswered();
    throw ended_->to_error(where(what));
  }

  void end_unanswered() {
    ended_ = AmqpError::make(ErrorKind::kUnreachable,
                             "the broker did not answer within " + format_duration(timeout_ns_),
                             "see whether it is paused, overloaded or under an alarm");
  }

  // One request of a list: what it is about, and how to ask. Where the order matters, one channel asks all.
  enum class Order { kKept, kAny };
  struct Listed {
    std::function<std::string(std::size_t)> what;
    std::function<void(Channel&, std::size_t, const Done&)> start;
    Progress on_progress;
    Order order = Order::kAny;
  };
  struct Refused {
    std::size_t index;
    AmqpError error;
  };
  // Asks for the elements [first, end) of a list; tells of the first that was refused.
  std::optional<Refused> ask_list(std::size_t first, std::size_t end, const Listed& list) {
    struct Progressed {
      std::size_t answered = 0;
      std::optional<Refused> refused;
    };
    const auto state =
        std::make_shared<Progressed>();  // a late answer must not write into a frame that is gone
    const std::size_t channels = list.order == Order::kKept ? 1 : open_channels(end - first);
    reopen();
    std::size_t asked = first;
    while (first + state->answered < end) {
      for (; asked < end && !state->refused && asked - first - state->answered < kMostUnderWay; ++asked) {
        list.start(*channels_[asked % channels], asked, [state, index = asked](const Outcome& outcome) {
          ++state->answered;
          if (!outcome.ok() && (!state->refused || index < state->refused->index))
            state->refused = Refused{index, outcome.error()};
        });
      }
      if (state->refused && first + state->answered == asked) return state->refused;
      const std::size_t before = state->answered;
      run_until([&] { return state->answered > before || ended_.has_value(); }, clock_.now() + timeout_ns_);
      if (!ended_ && state->answered == before) end_unanswered();
      // A connection that ends answers everything that was under way, the last of the list, too.
      if (ended_) throw ended_->to_error(where(list.what(std::min(first + state->answered, end - 1))));
      if (list.on_progress && !state->refused) list.on_progress(first + state->answered);
    }
    return state->refused;
  }

  void ask_whole_list(std::size_t count, const Listed& list) {
    if (const auto refused = ask_list(0, count, list))
      throw refused->error.to_error(where(list.what(refused->index)));
  }

  // How many there are for a list, as far as the broker allows them.
  std::size_t open_channels(std::size_t length) {
    const std::size_t wanted = std::min(kMostChannels, 1 + length / kMostUnderWay);
    try {
      while (channels_.size() < wanted) {
        ask("", [this](const Done& done) { channels_.push_back(&connection_->open_channel(nullptr, done)); });
      }
    } catch (const Error&) {
      if (ended_) throw;
    }
    return std::min(wanted, channels_.size());
  }

  // After a refusal a channel is closed.
  void reopen() {
    for (Channel* channel : channels_) {
      if (channel->state() != Channel::State::kClosed) continue;
      if (channel == channel_) confirming_ = false;
      ask("", [channel](const Done& done) { channel->reopen(done); });
    }
  }

  bool publish(const PublishOptions& options, const Properties& properties, std::string_view body) {
    const std::string what = "a publish to exchange '" + options.exchange + "'";
    reopen();
    if (!confirming_) ask(what, [this](const Done& done) { channel_->confirm_select(done); });
    confirming_ = true;
    returned_ = false;
    PublishTemplate message(options, properties, std::nullopt);
    ask(what, [&](const Done& done) {
      settled_ = done;
      channel_->publish(message, {}, std::as_bytes(std::span(body.data(), body.size())));
    });
    settled_ = nullptr;
    return !returned_;
  }

  void on_confirm(std::uint64_t, bool, bool acked) override {
    settle(acked ? Outcome()
                 : AmqpError::make(ErrorKind::kChannel, "the broker refused the message (nack)",
                                   "see whether the queue is full"));
  }
  void on_return(const Returned&) override { returned_ = true; }
  void on_undecided(std::uint64_t, const AmqpError& reason) override { settle(reason); }

  std::string where(const std::string& what) const { return what.empty() ? where_ : what + " at " + where_; }

  MonotonicClock clock_;
  const std::string where_;
  const Nanoseconds timeout_ns_;
  PrivateLoop loop_;
  std::unique_ptr<Connection> connection_;
  Channel* channel_ = nullptr;
  std::vector<Channel*> channels_;  // that one first; more once a long list asked for them
  std::optional<AmqpError> ended_;

 private:
  void run_until(const std::function<bool()>& done, Nanoseconds deadline) {
    uv_timer_t wake;
    uv_timer_init(loop_.get(), &wake);
    uv_update_time(loop_.get());
    constexpr Nanoseconds kMillisecond = 1'000'000;
    const auto wait_ms =
        static_cast<std::uint64_t>(std::max<Nanoseconds>(1, (deadline - clock_.now()) / kMillisecond));
    // Again and again, for whole milliseconds may end before the deadline: without another turn of the timer
    // the loop would sleep until the peer says something.
    uv_timer_start(
        &wake, [](uv_timer_t*) {}, wait_ms, 1);
    while (!done() && clock_.now() < deadline) uv_run(loop_.get(), UV_RUN_ONCE);
    bool closed = false;
    wake.data = &closed;
    uv_close(reinterpret_cast<uv_handle_t*>(&wake),
             [](uv_handle_t* handle) { *static_cast<bool*>(handle->data) = true; });
    while (!closed) uv_run(loop_.get(), UV_RUN_NOWAIT);
  }

  void settle(const Outcome& outcome) {
    if (auto settled = std::exchange(settled_, nullptr)) settled(outcome);
  }

  bool confirming_ = false;
  bool returned_ = false;
  Done settled_;
};

Session::Session(const Uri& uri, const TlsOptions& tls, Nanoseconds timeout_ns)
    : impl_(std::make_unique<Impl>(uri, tls, timeout_ns)) {}
Session::~Session() = default;

void Session::declare(const ExchangeDeclaration& exchange) {
  impl_->reopen();
  impl_->ask("exchange '" + exchange.name + "'",
             [&](const Done& done) { impl_->channel_->declare(exchange, done); });
}

QueueStatus Session::declare(const QueueDeclaration& queue) {
  impl_->reopen();
  auto status = std::make_shared<QueueStatus>();
  impl_->ask(queue_named(queue.name), [&](const Done& done) {
    impl_->channel_->declare(queue, [done, status](const Outcome& outcome, const QueueStatus& declared) {
      *status = declared;
      done(outcome);
    });
  });
  return *status;
}

void Session::bind(const BindingDeclaration& binding) {
  impl_->reopen();
  impl_->ask(binding_named(binding), [&](const Done& done) { impl_->channel_->bind(binding, done); });
}

void Session::unbind(const BindingDeclaration& binding) {
  impl_->reopen();
  impl_->ask(binding_named(binding), [&](const Done& done) { impl_->channel_->unbind(binding, done); });
}

void Session::declare(std::span<const QueueDeclaration> queues, const Progress& on_progress) {
  impl_->ask_whole_list(
      queues.size(), {[&](std::size_t i) { return queue_named(queues[i].name); },
                      [&](Channel& channel, std::size_t i, const Done& done) {
                        channel.declare(
                            queues[i], [done](const Outcome& outcome, const QueueStatus&) { done(outcome); });
                      },
                      on_progress});
}

void Session::bind(std::span<const BindingDeclaration> bindings, const Progress& on_progress) {
  impl_->ask_whole_list(bindings.size(), {[&](std::size_t i) { return binding_named(bindings[i]); },
                                          [&](Channel& channel, std::size_t i, const Done& done) {
                                            channel.bind(bindings[i], done);
                                          },
                                          on_progress, Impl::Order::kKept});
}

void Session::remove_queues(std::span<const std::string> queues, const Progress& on_progress) {
  impl_->ask_whole_list(queues.size(), {[&](std::size_t i) { return queue_named(queues[i]); },
                                        [&](Channel& channel, std::size_t i, const Done& done) {
                                          channel.delete_queue(queues[i], false, false,
                                                               [done](const Outcome& outcome, std::uint32_t) {
                                                                 done(outcome);
                                                               });
                                        },
                                        on_progress});
}

void Session::queues(std::span<const std::string> names, std::vector<std::optional<QueueStatus>>& statuses) {
  // Shared with answers that come late.
  const auto found = std::make_shared<std::vector<std::optional<QueueStatus>>>(names.size());
  const Impl::Listed list{[&](std::size_t i) { return queue_named(names[i]); },
                          [&, found](Channel& channel, std::size_t i, const Done& done) {
                            QueueDeclaration passive;
                            passive.name = names[i];
                            passive.passive = true;
                            channel.declare(
                                passive, [done, found, i](const Outcome& outcome, const QueueStatus& status) {
                                  if (outcome.ok()) (*found)[i] = status;
                                  done(outcome);
                                });
                          },
                          nullptr};
  try {
    for (std::size_t first = 0; first < names.size();) {
      const auto refused = impl_->ask_list(first, names.size(), list);
      if (refused && refused->error.code != kNotFound)
        throw refused->error.to_error(impl_->where(list.what(refused->index)));
      first = refused ? refused->index + 1 : names.size();  // one that is not there closes the channel
    }
  } catch (const Error&) {
    statuses = *found;
    throw;
  }
  statuses = *found;
}

void Session::declare(const Topology& topology) {
  for (const auto& exchange : topology.exchanges) declare(exchange);
  for (const auto& queue : topology.queues) declare(queue);
  for (const auto& binding : topology.bindings) bind(binding);
}

std::optional<QueueStatus> Session::queue(const std::string& name) {
  std::vector<std::optional<QueueStatus>> statuses;
  queues(std::span(&name, 1), statuses);
  return statuses.front();
}

bool Session::exchange_exists(const std::string& name) {
  impl_->reopen();
  ExchangeDeclaration passive;
  passive.name = name;
  passive.passive = true;
  const auto outcome = impl_->try_to("exchange '" + name + "'",
                                     [&](const Done& done) { impl_->channel_->declare(passive, done); });
  if (outcome.ok()) return true;
  if (outcome.error().code == kNotFound) return false;
  throw outcome.error().to_error(impl_->where("exchange '" + name + "'"));
}

std::uint32_t Session::purge(const std::string& queue) {
  impl_->reopen();
  auto gone = std::make_shared<std::uint32_t>(0);
  impl_->ask(queue_named(queue), [&](const Done& done) {
    impl_->channel_->purge(queue, [done, gone](const Outcome& outcome, std::uint32_t messages) {
      *gone = messages;
      done(outcome);
    });
  });
  return *gone;
}

std::uint32_t Session::remove_queue(const std::string& queue) {
  impl_->reopen();
  auto gone = std::make_shared<std::uint32_t>(0);
  impl_->ask(queue_named(queue), [&](const Done& done) {
    impl_->channel_->delete_queue(queue, false, false,
                                  [done, gone](const Outcome& outcome, std::uint32_t messages) {
                                    *gone = messages;
                                    done(outcome);
                                  });
  });
  return *gone;
}

void Session::remove_exchange(const std::string& exchange) {
  impl_->reopen();
  impl_->ask("exchange '" + exchange + "'",
             [&](const Done& done) { impl_->channel_->delete_exchange(exchange, false, done); });
}

bool Session::publish(const std::string& exchange, const std::string& routing_key,
                      const Properties& properties, std::string_view body) {
  return impl_->publish({exchange, routing_key, true}, properties, body);
}

namespace {

Session::Message message_of(const Delivery& got, std::uint32_t remaining) {
  return {std::string(got.exchange),
          std::string(got.routing_key),
          std::string(got.body_text()),
          got.properties(),
          got.redelivered,
          remaining};
}

}  // namespace

std::optional<Session::Message> Session::get(const std::string& queue) {
  impl_->reopen();
  auto message = std::make_shared<std::optional<Message>>();
  impl_->ask(queue_named(queue), [&](const Done& done) {
    impl_->channel_->get(
        queue, true, [done, message](const Outcome& outcome, const Delivery* got, std::uint32_t remaining) {
          // Nothing may be thrown through libuv: malformed properties become an outcome.
          Outcome result = outcome;
          try {
            if (got != nullptr) message->emplace(message_of(*got, remaining));
          } catch (const Error& error) {
            result = AmqpError::make(ErrorKind::kUsage, error.summary(), "see who published it");
          }
          done(result);
        });
  });
  return std::move(*message);
}

bool Session::alive() {
  // An end may lie behind data that came before it, and its callbacks run a turn later.
  constexpr int kTurns = 4;
  for (int turn = 0; turn < kTurns && !impl_->ended_; ++turn) uv_run(impl_->loop_.get(), UV_RUN_NOWAIT);
  return !impl_->ended_;
}

const std::string& Session::server_version() const { return impl_->connection_->server().version; }

}  // namespace brokerlab::amqp
