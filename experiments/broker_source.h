#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "broker/broker_sample.h"

namespace brokerlab {

// Where a BrokerWatch has its samples from. Controller, on its loop; nothing blocks but last_look().
class BrokerSource {
 public:
  virtual ~BrokerSource() = default;

  // Asks for one round of samples. Whoever still owes an answer to an earlier one is not asked again, and
  // leaves a sample that says so.
  virtual void ask(std::int64_t round) = 0;
  // What has come since the last call.
  virtual std::vector<BrokerSample> take() = 0;
  // An answer is still owed.
  virtual bool waiting() const = 0;
  // What will not be heard of, and why.
  virtual std::map<std::string, std::string> given_up() const = 0;
  // The depths of the queues at this instant, where the source can tell these without any lag; else nothing.
  // Blocks, bounded by two seconds.
  virtual std::vector<BrokerSample> last_look() = 0;
};

}  // namespace brokerlab
