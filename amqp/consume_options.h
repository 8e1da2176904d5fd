#pragma once

#include <string>

#include "core/json.h"

namespace brokerlab::amqp {

struct ConsumeOptions {
  std::string queue;
  std::string consumer_tag;  // "" lets the channel choose one
  bool auto_ack = false;
  bool exclusive = false;
  bool no_local = false;
  Json arguments = Json::object();
};

}  // namespace brokerlab::amqp
