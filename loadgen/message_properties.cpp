#include "loadgen/message_properties.h"

#include <array>

#include "loadgen/replies.h"

namespace brokerlab {

MessageProperties::MessageProperties(const LoadSpec& spec, std::string_view content_type, std::uint64_t seed,
                                     std::uint32_t instance)
    : random_(seed, "properties of " + spec.name, instance) {
  static const std::array<std::pair<const char*, Text>, 7> kTexts = {
      {{"content_encoding", &amqp::Properties::content_encoding},
       {"correlation_id", &amqp::Properties::correlation_id},
       {"reply_to", &amqp::Properties::reply_to},
       {"message_id", &amqp::Properties::message_id},
       {"type", &amqp::Properties::type},
       {"user_id", &amqp::Properties::user_id},
       {"app_id", &amqp::Properties::app_id}}};
  properties_.persistent = spec.persistent;
  properties_.priority = spec.priority;
  properties_.content_type = spec.content_type;
  if (!properties_.content_type && !content_type.empty())
    properties_.content_type = std::string(content_type);
  if (spec.expiration_ns) properties_.expiration = std::to_string(*spec.expiration_ns / 1'000'000);
  if (spec.properties.contains("timestamp"))
    properties_.timestamp = spec.properties.at("timestamp").get<std::uint64_t>();
  Json texts = spec.properties;
  if (spec.replies) {
    properties_.reply_to = Replies::kQueue;
    if (!texts.contains("correlation_id")) texts["correlation_id"] = Replies::kCorrelation;
  }
  properties_.headers = spec.headers;
  for (const auto& [name, value] : spec.headers.items()) {
    if (!value.is_string()) continue;
    Template text = Template::of_text(value.get<std::string>());
    properties_.headers[name] = render(text, {});
    if (!text.constant()) headers_.emplace_back(name, std::move(text));
  }
  for (const auto& [name, member] : kTexts) {
    if (!texts.contains(name)) continue;
    Template text = Template::of_text(texts.at(name).get<std::string>());
    properties_.*member = render(text, {});
    if (!text.constant()) texts_.emplace_back(member, std::move(text));
  }
}

std::string MessageProperties::render(const Template& text, const MessageContext& context) {
  std::string rendered;
  text.render(context, random_, rendered);
  return rendered;
}

const amqp::Properties& MessageProperties::next(const MessageContext& context) {
  for (const auto& [name, text] : headers_) properties_.headers[name] = render(text, context);
  for (const auto& [member, text] : texts_) properties_.*member = render(text, context);
  return properties_;
}

}  // namespace brokerlab
