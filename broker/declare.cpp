// Topology on a real broker: declare() and remove() of broker/topology.h.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "amqp/declaration.h"
#include "amqp/session.h"
#include "broker/topology.h"
#include "core/error.h"

namespace brokerlab {
namespace {

amqp::TlsOptions tls_of(const DeclarationOptions& options) {
  amqp::TlsOptions tls;
  tls.insecure = options.tls_insecure;
  return tls;
}

[[noreturn]] void missing(const std::string& object, const std::string& uri) {
  throw Error(object + " does not exist on the broker, though the experiment calls it predeclared",
              amqp::Uri::parse(uri).safe(), "create it first, or leave \"predeclared\" out");
}

void check_predeclared_queues(amqp::Session& session, const Topology& topology, const std::string& uri) {
  std::vector<std::string> names;
  for (const Queue& queue : topology.queues) {
    if (queue.predeclared) names.push_back(queue.name);
  }
  std::vector<std::optional<amqp::QueueStatus>> statuses;
  session.queues(names, statuses);
  const auto absent = std::find(statuses.begin(), statuses.end(), std::nullopt);
  if (absent == statuses.end()) return;
  missing("queue \"" + names[static_cast<std::size_t>(absent - statuses.begin())] + "\"", uri);
}

void declare_exchange(amqp::Session& session, const Exchange& exchange) {
  amqp::ExchangeDeclaration wanted;
  wanted.name = exchange.name;
  wanted.type = exchange.type;
  wanted.durable = exchange.durable;
  wanted.auto_delete = exchange.auto_delete;
  wanted.internal = exchange.internal;
  wanted.arguments = exchange.arguments;
  if (!exchange.alternate_exchange.empty())
    wanted.arguments["alternate-exchange"] = exchange.alternate_exchange;
  session.declare(wanted);
}

// Of the process that consumes it: it belongs to the connection that declares it.
bool left_to_its_consumer(const Queue& queue) { return queue.exclusive && !queue.predeclared; }

amqp::QueueDeclaration declaration_of(const Queue& queue) {
  amqp::QueueDeclaration wanted;
  wanted.name = queue.name;
  wanted.durable = queue.durable;
  wanted.auto_delete = queue.auto_delete;
  wanted.arguments = queue.arguments;
  return wanted;
}

std::vector<amqp::QueueDeclaration> own_queues(const Topology& topology) {
  std::vector<amqp::QueueDeclaration> wanted;
  for (const Queue& queue : topology.queues) {
    if (!queue.predeclared && !left_to_its_consumer(queue)) wanted.push_back(declaration_of(queue));
  }
  return wanted;
}

// Those from the start on; of exclusive queues their consumers make them.
std::vector<amqp::BindingDeclaration> own_bindings(const Topology& topology) {
  std::set<std::string> exclusive;
  for (const Queue& queue : topology.queues) {
    if (left_to_its_consumer(queue)) exclusive.insert(queue.name);
  }
  std::vector<amqp::BindingDeclaration> wanted;
  for (const Binding& binding : topology.bindings) {
    const bool to_queue = binding.destination_kind == Binding::Destination::kQueue;
    if (!binding.from_ns && !(to_queue && exclusive.contains(binding.destination)))
      wanted.push_back(declaration_of(binding));
  }
  return wanted;
}

}  // namespace

amqp::BindingDeclaration declaration_of(const Binding& binding) {
  amqp::BindingDeclaration wanted;
  wanted.source = binding.exchange;
  wanted.to = binding.destination_kind == Binding::Destination::kQueue
                  ? amqp::BindingDeclaration::To::kQueue
                  : amqp::BindingDeclaration::To::kExchange;
  wanted.destination = binding.destination;
  wanted.routing_key = binding.routing_key;
  wanted.arguments = binding.arguments;
  return wanted;
}

void declare(const Topology& topology, const std::string& uri, const DeclarationOptions& options) {
  amqp::Session session(amqp::Uri::parse(uri), tls_of(options));
  // What has to be there is checked before anything is created.
  for (const Exchange& exchange : topology.exchanges) {
    if (exchange.predeclared && !session.exchange_exists(exchange.name))
      missing("exchange \"" + exchange.name + "\"", uri);
  }
  check_predeclared_queues(session, topology, uri);
  for (const Exchange& exchange : topology.exchanges) {
    if (!exchange.predeclared) declare_exchange(session, exchange);
  }
  const std::vector<amqp::QueueDeclaration> queues = own_queues(topology);
  const std::vector<amqp::BindingDeclaration> bindings = own_bindings(topology);
  const auto told = [&](std::size_t before) {
    return [&, before](std::size_t done) {
      if (options.on_progress) options.on_progress(before + done, queues.size() + bindings.size());
    };
  };
  session.declare(queues, told(0));
  session.bind(bindings, told(queues.size()));
}

void remove(const Topology& topology, const std::string& uri, const DeclarationOptions& options) {
  std::vector<std::string> queues, exchanges;
  for (const Queue& queue : topology.queues) {
    if (!queue.predeclared && !left_to_its_consumer(queue)) queues.push_back(queue.name);
  }
  for (const Exchange& exchange : topology.exchanges) {
    if (!exchange.predeclared) exchanges.push_back(exchange.name);
  }
  remove_named(queues, exchanges, uri, options);
}

void remove_named(const std::vector<std::string>& queues, const std::vector<std::string>& exchanges,
                  const std::string& uri, const DeclarationOptions& options) {
  amqp::Session session(amqp::Uri::parse(uri), tls_of(options));
  std::optional<Error> refusal;
  const auto remove_one = [&](const auto& remove, const auto& exists) {
    try {
      remove();
    } catch (const Error& error) {
      // Who may not make a thing may not delete it either: then it was never made, and nothing is left.
      if (!session.alive() || exists()) refusal = refusal.value_or(error);
    }
  };
  try {
    session.remove_queues(queues, [&](std::size_t done) {
      if (options.on_progress) options.on_progress(done, queues.size());
    });
  } catch (const Error& error) {
    if (error.status() == ExitStatus::kInterrupted) throw;
    // One by one, to leave nothing for one that cannot go.
    for (const std::string& queue : queues) {
      remove_one([&] { session.remove_queue(queue); }, [&] { return session.queue(queue).has_value(); });
    }
  }
  for (const std::string& exchange : exchanges) {
    remove_one([&] { session.remove_exchange(exchange); }, [&] { return session.exchange_exists(exchange); });
  }
  if (refusal) throw *refusal;
}

}  // namespace brokerlab
