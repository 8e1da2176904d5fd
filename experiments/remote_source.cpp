#include "experiments/remote_source.h"

#include <utility>

#include "core/error.h"
#include "core/json.h"

namespace brokerlab {

RemoteSource::RemoteSource(std::unique_ptr<RemoteReading> reading, uv_loop_t* loop, const Clock& clock)
    : reading_(std::move(reading)), clock_(clock), work_(loop), given_up_(reading_->given_up()) {}

void RemoteSource::ask(std::int64_t round) {
  if (asked_) {
    BrokerSample& sample = late_.emplace_back();
    sample.round = round;
    sample.source = "management";
    sample.at_ns = clock_.now();
    sample.failed = "the broker has not answered yet";
    return;
  }
  asked_ = true;
  work_.begin([reading = reading_, round] {
    Json samples = Json::array();
    for (const BrokerSample& sample : reading->read(round)) samples.push_back(sample.to_json());
    return Json{{"samples", std::move(samples)}, {"given_up", reading->given_up()}}.dump(
        -1, ' ', false, Json::error_handler_t::replace);
  });
}

std::vector<BrokerSample> RemoteSource::take() {
  std::vector<BrokerSample> samples = std::exchange(late_, {});
  const auto answer = asked_ ? work_.result() : std::nullopt;
  if (!answer) return samples;
  asked_ = false;
  const Json heard = Json::parse(*answer);
  for (const Json& sample : heard.at("samples")) samples.push_back(BrokerSample::from_json(sample));
  given_up_ = heard.at("given_up").get<std::map<std::string, std::string>>();
  return samples;
}

}  // namespace brokerlab
