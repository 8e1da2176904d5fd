#pragma once

#include <string>

#include "core/clock.h"
#include "experiments/hand_run.h"

namespace brokerlab {

// Prints the steps of processes run by hand to standard output: they are what was asked for. On a terminal, a
// bar in the last line shows how far the work in hand is.
class HandConsole final : public StepObserver {
 public:
  // `watcher`: is told the figures; null for nobody.
  HandConsole(const Clock& clock, bool terminal, RunObserver* watcher = nullptr);
  ~HandConsole() override;

  void step(const std::string& line) override;
  void working(const std::string& who, Nanoseconds for_ns) override;
  void done_working(const std::string& who) override;
  void tick() override;
  void begin(const RunIdentity& identity) override;
  void progress(const RunProgress& progress) override;

 private:
  void erase();

  const Clock& clock_;
  const bool terminal_;
  RunObserver* const watcher_;
  std::string worker_;  // whose bar is shown; "" for none
  Nanoseconds since_ns_ = 0;
  Nanoseconds for_ns_ = 0;
  bool drawn_ = false;
};

// The bar, without cursor movements; pure.
std::string work_bar(const std::string& who, Nanoseconds elapsed_ns, Nanoseconds for_ns, int width);

}  // namespace brokerlab
