#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "broker/gateway.h"
#include "broker/queue_desk.h"
#include "cli/command.h"
#include "core/clock.h"
#include "experiments/interrupts.h"

namespace brokerlab {
namespace {

constexpr int kTries = 5;
constexpr Nanoseconds kPause = 2 * kNanosecondsPerSecond;

struct GatewayOptions {
  std::string listen = "127.0.0.1:8081";
  std::string broker = "amqp://127.0.0.1";
  std::string token;
  std::vector<std::string> names;
  bool tls_insecure = false;
  bool quiet = false;
};

// Also from the threads of the service. Not fmt::print, which throws when nobody reads standard error.
void say(const std::string& text) {
  char now[32];
  std::fputs(fmt::format("{} {}\n", WallClock::iso8601_now(now), text).c_str(), stderr);
}

// False when Ctrl-C ended it. Throws the last failure.
bool connect(QueueDesk& desk, const Interrupts& interrupts) {
  for (int tried = 1; interrupts.count() == 0; ++tried) {
    try {
      desk.connect();
      return true;
    } catch (const Error& error) {
      if (tried == kTries) throw;
      say(fmt::format("try {} of {}: {}; again in {} s", tried, kTries, error.summary(),
                      kPause / kNanosecondsPerSecond));
    }
    interrupts.wait(kPause);
  }
  return false;
}

void serve(const GatewayOptions& options) {
  const Interrupts interrupts;
  const amqp::Uri uri = amqp::Uri::parse(options.broker);
  amqp::TlsOptions tls;
  tls.insecure = options.tls_insecure;
  QueueDesk desk(uri, tls);
  Gateway::Options wanted{ListenAddress::parse(options.listen), options.token, options.names, {}};
  if (!options.quiet) wanted.log = say;
  // Listens first: an address that cannot be used is wrong whatever the broker does, and whoever asks
  // meanwhile is told that the broker is away.
  const auto gateway = Gateway::start(wanted, desk);
  if (connect(desk, interrupts)) {
    say(fmt::format("listening on http://{}/ in front of {}; end it with Ctrl-C", gateway->address().text(),
                    uri.safe()));
  }
  while (interrupts.wait(kPause)) {
  }
  say("Ctrl-C: ending");
}

}  // namespace

void add_gateway_command(CLI::App& app, CommandContext&) {
  CLI::App* command = app.add_subcommand("gateway", "a web service in front of queues");
  const auto options = std::make_shared<GatewayOptions>();
  add_option(*command, "--listen", options->listen, "HOST:PORT; port 0 takes a free one")
      ->capture_default_str();
  add_option(*command, "--broker", options->broker, "amqp[s]://user:password@host:port/vhost")
      ->capture_default_str();
  add_option(*command, "--token", options->token,
             "what clients must send as Authorization: Bearer TOKEN; needed beyond loopback");
  add_option(*command, "--allow-host", options->names,
             "a further name by which clients reach this service, e.g. that of its container");
  add_switch(*command, "--tls-insecure", options->tls_insecure, "do not verify the broker's certificate");
  add_switch(*command, "--quiet", options->quiet, "no line for each request");
  command->callback([options] { serve(*options); });
}

}  // namespace brokerlab
