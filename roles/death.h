#pragma once

#include "amqp/delivery.h"
#include "core/recording.h"

namespace brokerlab {

// Notes in `record` what the broker's x-death header tells of a message that was dead-lettered before it
// came: the newest reason, its queue, and how often it died in all. A message without the header, nearly
// every one, costs a search through its properties; one whose header is malformed is taken for one without.
void note_death(const amqp::Delivery& delivery, DeliveryRecord& record);

}  // namespace brokerlab
