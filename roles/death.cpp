#include "roles/death.h"

#include <algorithm>
#include <string_view>

#include "amqp/properties.h"
#include "core/error.h"
#include "core/json_fields.h"
#include "core/key_hash.h"

namespace brokerlab {
namespace {

constexpr std::int64_t kMostDeaths = 255;

// The header as it stands in a table: length and text of its name, and the type, an array.
constexpr std::string_view kHeader = "\x07x-deathA";

}  // namespace

void note_death(const amqp::Delivery& delivery, DeliveryRecord& record) {
  const std::string_view raw(reinterpret_cast<const char*>(delivery.raw_properties.data()),
                             delivery.raw_properties.size());
  if (raw.find(kHeader) == std::string_view::npos) return;
  Json deaths;
  try {
    deaths = delivery.properties().headers.value("x-death", Json::array());
  } catch (const Error&) {
    return;  // whoever published it, it must not end a role
  }
  if (!deaths.is_array() || deaths.empty() || !deaths.front().is_object()) return;
  std::int64_t times = 0;
  for (const Json& death : deaths) {
    if (!death.is_object()) continue;
    const auto count = death.find("count");
    const bool counted = count != death.end() && count->is_number_integer() && *count > 0;
    times += counted ? std::min(count->get<std::int64_t>(), kMostDeaths) : 1;
  }
  record.death = static_cast<std::uint8_t>(death_reason(known_text(deaths.front(), "reason")));
  record.deaths = static_cast<std::uint8_t>(std::min(times, kMostDeaths));
  record.death_queue = queue_hash(known_text(deaths.front(), "queue"));
}

}  // namespace brokerlab
