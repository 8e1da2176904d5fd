#include "roles/death.h"

#include <gtest/gtest.h>

#include "amqp/properties.h"
#include "core/key_hash.h"

namespace brokerlab {
namespace {

DeliveryRecord noted(const Json& headers) {
  amqp::Properties properties;
  properties.headers = headers;
  const std::vector<std::byte> raw = properties.encode();
  amqp::Delivery delivery;
  delivery.raw_properties = raw;
  DeliveryRecord record{};
  note_death(delivery, record);
  return record;
}

Json death(const char* reason, const char* queue, std::int64_t count) {
  return {{"reason", reason}, {"queue", queue}, {"count", count}, {"exchange", ""}, {"time", 1}};
}

TEST(Death, OfAMessageThatNeverDiedNothingIsNoted) {
  EXPECT_EQ(noted(Json::object()).death, 0);
  EXPECT_EQ(noted({{"x-death", "my own text"}}).death, 0);
  EXPECT_EQ(noted({{"other", 1}}).deaths, 0);
}

TEST(Death, TheNewestEntryTellsReasonAndQueueAndAllTellHowOften) {
  const DeliveryRecord record =
      noted({{"x-death", {death("expired", "retry", 2), death("rejected", "tasks", 3)}}});
  EXPECT_EQ(record.death, static_cast<std::uint8_t>(DeathReason::kExpired));
  EXPECT_EQ(record.deaths, 5);
  EXPECT_EQ(record.death_queue, queue_hash("retry"));
}

TEST(Death, EveryReasonOfTheBrokerIsKnown) {
  for (const char* reason : {"rejected", "expired", "maxlen", "delivery_limit"}) {
    const DeliveryRecord record = noted({{"x-death", Json::array({death(reason, "q", 1)})}});
    EXPECT_EQ(to_text(static_cast<DeathReason>(record.death)), reason);
    EXPECT_EQ(record.deaths, 1);
  }
  EXPECT_EQ(noted({{"x-death", Json::array({death("old age", "q", 1)})}}).death,
            static_cast<std::uint8_t>(DeathReason::kOther));
}

TEST(Death, AStrangeHeaderIsNoReasonToFail) {
  EXPECT_EQ(noted({{"x-death", Json::array()}}).death, 0);
  EXPECT_EQ(noted({{"x-death", {1, 2}}}).death, 0);
  const DeliveryRecord empty = noted({{"x-death", Json::array({Json::object({{"count", "many"}})})}});
  EXPECT_EQ(empty.death, static_cast<std::uint8_t>(DeathReason::kOther));
  EXPECT_EQ(empty.deaths, 1);
  EXPECT_EQ(noted({{"x-death", Json::array({death("rejected", "q", INT64_MAX)})}}).deaths, 255);
  EXPECT_EQ(noted({{"x-death", Json::array({death("rejected", "q", -5)})}}).deaths, 1);
}

TEST(Death, DamagedPropertiesAreTakenForThoseOfAPlainMessage) {
  amqp::Properties properties;
  properties.headers = {{"x-death", Json::array({death("rejected", "q", 1)})}};
  std::vector<std::byte> raw = properties.encode();
  raw.resize(raw.size() - 10);
  amqp::Delivery delivery;
  delivery.raw_properties = raw;
  DeliveryRecord record{};
  note_death(delivery, record);
  EXPECT_EQ(record.death, 0);
}

}  // namespace
}  // namespace brokerlab
