#pragma once

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
};

}  // namespace brokerlab
