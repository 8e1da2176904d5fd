#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/topology.h"

namespace brokerlab {

// Where a message goes, as far as a name and a key tell.
struct Routes {
  // Every one of these queues gets a copy. Sorted, unique.
  std::vector<std::string> queues;
  // And of each of these sets exactly one queue (consistent hash, random); sorted sets.
  std::vector<std::vector<std::string>> one_of;
  // False where the answer depends on more than is given (a headers exchange without the headers, a type we
  // do not model, an exchange that is not declared here): then nothing may be concluded.
  bool known = true;

  bool unroutable() const { return known && queues.empty() && one_of.empty(); }
  // How many queues get a copy; 0 when unroutable. Only where known.
  std::size_t copies() const { return queues.size() + one_of.size(); }
};

// Pure model of RabbitMQ's routing over a topology: default, direct, fanout and topic exchanges,
// exchange-to-exchange bindings, alternate exchanges, and "one of these" for x-consistent-hash and x-random.
// A queue gets one copy, however many ways lead to it.
Routes route(const Topology& topology, const std::string& exchange, const std::string& routing_key);
// The same of a message with these headers, an object: headers exchanges are known, too.
Routes route(const Topology& topology, const std::string& exchange, const std::string& routing_key,
             const Json& headers);

// Whether a headers exchange takes a message with `headers` for a binding with `arguments`: all of them by
// default, any with x-match any; those that begin with "x-" count only with all-with-x and any-with-x; null
// asks only that the header is there.
bool headers_match(const Json& arguments, const Json& headers);

// A topic pattern: words split by dots, `*` is one word, `#` is zero or more.
bool topic_matches(std::string_view pattern, std::string_view routing_key);

}  // namespace brokerlab
