#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/ledger.h"

namespace brokerlab {

// A history in memory, as the recordings of a run would give it to the ledger.
struct LedgerHistory {
  struct Publish {
    std::uint32_t publisher;
    PublishRecord record;
  };
  struct Delivery {
    std::uint32_t consumer, queue;
    DeliveryRecord record;
  };
  std::vector<QueueEvidence> queues;
  std::vector<RouteEvidence> routes;  // of every publisher
  std::uint32_t publishers = 1;
  std::vector<Publish> publishes;
  std::vector<Delivery> deliveries;  // of each consumer in the order of receipt

  LedgerAccount account() const {
    Ledger ledger(queues, true);
    for (std::uint32_t publisher = 0; publisher < publishers; ++publisher)
      ledger.declare_publisher(publisher, routes, {}, true);
    for (const Publish& publish : publishes) ledger.add_publish(publish.publisher, publish.record);
    for (const Delivery& delivery : deliveries)
      ledger.add_delivery(delivery.record, delivery.consumer, delivery.queue);
    return ledger.finish();
  }

  static QueueEvidence empty_queue(std::string name) {
    QueueEvidence queue;
    queue.name = std::move(name);
    queue.ready_at_end = 0;
    queue.dead_letter_queues.emplace();
    return queue;
  }
  static PublishRecord published(std::uint32_t sequence, std::uint8_t route, std::uint8_t outcome) {
    return {1, 1, outcome != 0 ? 2 : 0, sequence, 0, route, outcome};
  }
  static DeliveryRecord delivered(std::uint32_t publisher, std::uint32_t sequence, Settlement settlement,
                                  std::uint8_t flags = 0) {
    const bool worked = settlement == Settlement::kAcked || settlement == Settlement::kAutomatic;
    DeliveryRecord record{};
    record.intended_ns = record.sent_ns = 1;
    record.received_ns = record.started_ns = 2;
    record.done_ns = worked ? 3 : 0;
    record.settled_ns = settlement == Settlement::kNone ? 0 : 3;
    record.publisher = publisher;
    record.sequence = sequence;
    record.settlement = static_cast<std::uint8_t>(settlement);
    record.flags = flags;
    return record;
  }
};

}  // namespace brokerlab
