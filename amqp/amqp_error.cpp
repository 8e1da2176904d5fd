#include "amqp/amqp_error.h"

#include <fmt/format.h>

#include <array>

#include "amqp/method_codec.h"
#include "core/shown_text.h"

namespace brokerlab::amqp {
namespace {

struct Advice {
  std::string summary;
  std::string remedy;
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The text between the first pair of single quotes, as RabbitMQ names things: "no queue 'a' in vhost '/'".
std::string_view quoted(std::string_view text) {
  const auto begin = text.find('\'');
  if (begin == std::string_view::npos) return {};
  const auto end = text.find('\'', begin + 1);
  return end == std::string_view::npos ? std::string_view{} : text.substr(begin + 1, end - begin - 1);
}

std::string_view plugin_of_exchange_type(std::string_view type) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPlugins{{
      {"x-consistent-hash", "rabbitmq_consistent_hash_exchange"},
      {"x-random", "rabbitmq_random_exchange"},
      {"x-recent-history", "rabbitmq_recent_history_exchange"},
      {"x-delayed-message", "rabbitmq_delayed_message_exchange (a community plugin)"},
      {"x-modulus-hash", "rabbitmq_sharding"},
      {"x-jms-topic", "rabbitmq_jms_topic_exchange"},
  }};
  for (const auto& [name, plugin] : kPlugins) {
    if (name == type) return plugin;
  }
  return {};
}

Advice advice_on_refusal(ErrorKind kind, std::string_view text) {
  if (kind == ErrorKind::kRefusedLogin || contains(text, "Login was refused")) {
    if (contains(text, "EXTERNAL")) {
      return {"the broker refused the login by certificate",
              "show it a certificate of a CA that it trusts (certfile and keyfile of the URI), made out to "
              "one of its "
              "users"};
    }
    return {"the broker refused the login: wrong user name or password",
            "check both in the broker's URI; the user guest may log in only from the broker's own host"};
  }
  if (contains(text, "reserved prefix")) {
    return {fmt::format("the name '{}' begins with amq., which is reserved for the broker", quoted(text)),
            "choose another name"};
  }
  if (contains(text, "exclusive use")) {
    return {fmt::format("queue '{}' has an exclusive consumer already", quoted(text)),
            "end the other consumer, or consume without \"exclusive\""};
  }
  return {"the broker's user has no permission for this",
          "give it configure, write and read permissions (rabbitmqctl set_permissions)"};
}

Advice advice_on_precondition(std::string_view text) {
  if (contains(text, "inequivalent arg")) {
    return {"it exists already, with other properties",
            "delete the existing one, or declare it with the same properties"};
  }
  if (contains(text, "unknown delivery tag")) {
    return {"a delivery was acknowledged twice, or on another channel than its own",
            "acknowledge each delivery once; with \"multiple\", never a lower tag afterwards"};
  }
  if (contains(text, "delivery acknowledgement on channel") && contains(text, "timed out")) {
    return {"a delivery was not acknowledged within the broker's consumer timeout",
            "acknowledge earlier, or raise consumer_timeout in the broker's configuration"};
  }
  return {"the broker refused: a condition does not hold", "see the broker's words"};
}

Advice advice_on_command(std::string_view text) {
  if (!contains(text, "unknown exchange type"))
    return {"the broker calls the command invalid", "see the broker's words"};
  const auto type = quoted(text);
  const auto plugin = plugin_of_exchange_type(type);
  return {fmt::format("the broker knows no exchange type '{}'", type),
          plugin.empty() ? std::string("check the type's spelling, or enable the plugin that provides it")
                         : fmt::format("enable the plugin {}: rabbitmq-plugins enable {}", plugin,
                                       plugin.substr(0, plugin.find(' ')))};
}

Advice advice_on_not_allowed(std::string_view text) {
  const auto name = quoted(text);
  if (contains(text, "vhost") && contains(text, "not found")) {
    return {"the broker has no such vhost",
            "check the path of the broker's URI (/ in a name is written %2F), or create "
            "it: rabbitmqctl add_vhost NAME"};
  }
  if (contains(text, "access to vhost")) {
    return {fmt::format("the user may not use vhost '{}'", name),
            "rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*'"};
  }
  if (contains(text, "vhost") && contains(text, "is down")) {
    return {"the vhost is down on that node", "see the broker's log; rabbitmqctl restart_vhost"};
  }
  return {"the broker does not allow this", "see the broker's words"};
}

Advice advice(ErrorKind kind, std::uint16_t code, std::string_view text) {
  switch (code) {
    case 311:
      return {"the message is larger than the broker takes", "make it smaller, or raise max_message_size"};
    case 320:
      return {"the broker closed the connection on purpose (a shutdown, or an operator)",
              "see the broker's log"};
    case 403:
      return advice_on_refusal(kind, text);
    case 404:
      return {fmt::format("not found: {}", text.substr(0, 200)), "declare it first, or check its name"};
    case 405:
      return {fmt::format("queue '{}' is exclusive to another connection", quoted(text)),
              "use another name, or end the connection that owns it"};
    case 406:
      return advice_on_precondition(text);
    case 503:
      return advice_on_command(text);
    case 530:
      return advice_on_not_allowed(text);
    case 540:
      return {"the broker does not implement this", "check type and arguments"};
    default:
      return {fmt::format("the broker reported error {}", code), "see the broker's words and its log"};
  }
}

}  // namespace

AmqpError AmqpError::from_reply(ErrorKind kind, std::uint16_t code, std::string text,
                                std::uint32_t method_id) {
  AmqpError error;
  error.kind = kind;
  error.code = code;
  error.method = method_name(method_id);
  text = shown_words(text);  // whoever the peer is: its words reach terminals and files
  auto [summary, remedy] = advice(kind, code, text);
  error.summary = std::move(summary);
  error.remedy = std::move(remedy);
  error.text = std::move(text);
  return error;
}

AmqpError AmqpError::make(ErrorKind kind, std::string summary, std::string remedy) {
  AmqpError error;
  error.kind = kind;
  error.summary = std::move(summary);
  error.remedy = std::move(remedy);
  return error;
}

std::string AmqpError::describe() const {
  if (code == 0) return text.empty() ? summary : fmt::format("{} [{}]", summary, text);
  return fmt::format("{} [{} {}{}{}]", summary, code, text, method.empty() ? "" : " at ", method);
}

bool AmqpError::retry_may_help() const {
  return kind == ErrorKind::kUnreachable || kind == ErrorKind::kHeartbeat || kind == ErrorKind::kConnection;
}

BrokerError AmqpError::to_error(std::string where) const {
  return {describe(), std::move(where), remedy, retry_may_help()};
}

}  // namespace brokerlab::amqp
