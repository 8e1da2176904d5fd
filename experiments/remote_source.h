#pragma once

#include <uv.h>

#include <memory>
#include <vector>

#include "broker/remote_reading.h"
#include "experiments/background_work.h"
#include "experiments/broker_source.h"

namespace brokerlab {

// A broker that is not ours, over HTTP: the calls block, so they are made in libuv's thread pool, one round
// at a time.
class RemoteSource final : public BrokerSource {
 public:
  RemoteSource(std::unique_ptr<RemoteReading> reading, uv_loop_t* loop, const Clock& clock);

  void ask(std::int64_t round) override;
  std::vector<BrokerSample> take() override;
  bool waiting() const override { return asked_; }
  std::map<std::string, std::string> given_up() const override { return given_up_; }
  std::vector<BrokerSample> last_look() override { return {}; }  // what it hears lags

 private:
  const std::shared_ptr<RemoteReading> reading_;  // a round that goes on when the run has ended keeps it
  const Clock& clock_;
  BackgroundWork work_;
  bool asked_ = false;
  std::vector<BrokerSample> late_;
  std::map<std::string, std::string> given_up_;
};

}  // namespace brokerlab
