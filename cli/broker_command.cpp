#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "broker/cleanup.h"
#include "broker/private_broker.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "core/units.h"
#include "experiments/interrupts.h"

namespace brokerlab {
namespace {

struct BrokerOptions {
  std::string directory;
  std::string id;
  int nodes = 1;
  std::uint16_t port = 0;
};

void start_broker(const BrokerOptions& options) {
  const MonotonicClock clock;
  const Interrupts interrupts;
  PrivateBrokerSpec spec;
  spec.nodes = options.nodes;
  spec.directory = options.directory;
  if (options.port != 0) spec.port = options.port;
  spec.detached = true;
  spec.interrupted = [&] { return interrupts.count() > 0; };
  const auto view = make_observer(progress_style(false));
  const auto broker = PrivateBroker::start(spec, clock, [&](const std::string& stage, Nanoseconds elapsed) {
    view->stage(fmt::format("{} ({})", stage, format_duration(elapsed)));
  });
  view->stage("ready");
  // The password has to be shown to somebody: whoever asked for a broker to work with by hand.
  fmt::print("{}\nmanagement: {} (user {}, password {})\nend it with: brokerlab broker stop\n", broker->uri(),
             broker->management_uri(), broker->user(), broker->password());
}

void print_status() {
  const MonotonicClock clock;
  const std::vector<PrivateBrokerStatus> brokers = private_brokers(clock);
  if (brokers.empty()) fmt::print("no private broker is running\n");
  for (const PrivateBrokerStatus& status : brokers) {
    fmt::print("{}  {}  since {}  {}\n  {}\n", status.record.id,
               status.record.detached ? "by hand" : "of a run", status.record.started_at,
               status.accepting ? "accepting connections"
                                : (status.guard_alive ? "not accepting connections" : "dead"),
               status.record.detached ? status.record.uri : status.record.directory.string());
  }
}

}  // namespace

void add_broker_command(CLI::App& app, CommandContext&) {
  CLI::App* command = app.add_subcommand("broker", "a private broker for work by hand");
  command->require_subcommand(1);
  const auto options = std::make_shared<BrokerOptions>();
  CLI::App* start = command->add_subcommand("start", "start one that stays");
  add_option(*start, "--dir", options->directory, "folder for its files; a fresh one by default");
  add_option(*start, "--nodes", options->nodes, "nodes of the cluster")
      ->check(CLI::Range(1, 5))
      ->capture_default_str();
  add_option(*start, "--port", options->port, "AMQP port of the first node; a free one by default");
  start->callback([options] { start_broker(*options); });

  CLI::App* stop = command->add_subcommand("stop", "end it and remove its files");
  stop->add_option("ID", options->id, "as `broker status` shows it; not needed when there is one only");
  stop->callback([options] {
    const MonotonicClock clock;
    fmt::print("stopped {}\n", stop_private_broker(options->id, clock).id);
  });

  command->add_subcommand("status", "what is running")->callback(print_status);
}

void add_cleanup_command(CLI::App& app, CommandContext&) {
  CLI::App* command = app.add_subcommand("cleanup", "remove what a killed run left");
  const auto uri = std::make_shared<std::string>();
  add_option(*command, "--broker", *uri, "an external broker on which a killed run left objects");
  command->callback([uri] {
    const MonotonicClock clock;
    const std::vector<std::string> lines = cleanup(*uri, clock);
    if (lines.empty()) fmt::print("nothing to clean up\n");
    for (const std::string& line : lines) fmt::print("{}\n", line);
  });
}

}  // namespace brokerlab
