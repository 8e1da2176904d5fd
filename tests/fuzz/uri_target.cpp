#include "amqp/uri.h"
#include "core/error.h"
#include "tests/fuzz/targets.h"

namespace brokerlab::fuzz {

void uri(Input input) {
  amqp::Uri parsed;
  try {
    parsed = amqp::Uri::parse(text_of(input));
  } catch (const Error&) {
    return;
  }
  const amqp::Uri again = amqp::Uri::parse(parsed.full());
  require(again.tls == parsed.tls && again.user == parsed.user && again.password == parsed.password &&
              again.host == parsed.host && again.port == parsed.port && again.vhost == parsed.vhost,
          "a URI written in full reads as the same");
  require(parsed.safe().find('@') == std::string::npos, "what is safe to print has no login");
  const amqp::Uri shown = amqp::Uri::parse(parsed.safe());
  require(shown.host == parsed.host && shown.port == parsed.port && shown.vhost == parsed.vhost,
          "what is printed names the same broker");
}

}  // namespace brokerlab::fuzz
