#pragma once

#include <string>
#include <utility>
#include <vector>

#include "amqp/properties.h"
#include "core/random.h"
#include "loadgen/load_spec.h"
#include "loadgen/template.h"

namespace brokerlab {

// The properties and headers of the messages of one instance: the same ones every time, or rendered for each.
// One thread.
class MessageProperties {
 public:
  // `content_type`: what the body says of itself; used where the specification does not say. Throws Error
  // (kUsage) for a template that cannot be read.
  MessageProperties(const LoadSpec& spec, std::string_view content_type, std::uint64_t seed,
                    std::uint32_t instance);

  bool fixed() const { return headers_.empty() && texts_.empty(); }
  const amqp::Properties& next(const MessageContext& context);

 private:
  using Text = std::optional<std::string> amqp::Properties::*;

  std::string render(const Template& text, const MessageContext& context);

  amqp::Properties properties_;
  std::vector<std::pair<std::string, Template>> headers_;  // those that differ from message to message
  std::vector<std::pair<Text, Template>> texts_;
  Random random_;
};

}  // namespace brokerlab
