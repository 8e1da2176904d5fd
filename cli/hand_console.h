#pragma once

#include <string>

#include "core/clock.h"
#include "experiments/hand_run.h"

namespace brokerlab {

// Prints the steps of processes run by hand to standard output: they are what was asked for. On a terminal, a
// bar in the last line shows how far the work in hand is.
class HandConsole final : public StepObserver {
 public:
  HandConsole(const Clock& clock, bool terminal);
  ~HandConsole() override;

  void step(const std::string& line) override;
  void working(const std::string& who, Nanoseconds for_ns) override;
  void done_working(const std::string& who) override;
  void tick() override;

 private:
  void erase();

  const Clock& clock_;
  const bool terminal_;
  std::string worker_;  // whose bar is shown; "" for none
  Nanoseconds since_ns_ = 0;
  Nanoseconds for_ns_ = 0;
  bool drawn_ = false;
};

// The bar, without cursor movements; pure.
std::string work_bar(const std::string& who, Nanoseconds elapsed_ns, Nanoseconds for_ns, int width);

}  // namespace brokerlab
