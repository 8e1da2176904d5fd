#pragma once

#include "core/clock.h"

namespace brokerlab {

// Counts Ctrl-C (SIGINT) and SIGTERM from construction to destruction. The first asks for an orderly end with
// a partial result, the second for an end at once. One object at a time: signal handlers are the process's.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  int count() const;
  // Blocks for so long; false as soon as there was one, also before.
  bool wait(Nanoseconds for_ns) const;
};

}  // namespace brokerlab
