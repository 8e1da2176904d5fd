#pragma once

#include <csignal>

namespace brokerlab {

// While it lives, the signals that end a program are left to the thread that waits for them; threads made
// meanwhile inherit that.
class SignalsElsewhere {
 public:
  SignalsElsewhere() {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, &before_);
  }
  ~SignalsElsewhere() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsElsewhere(const SignalsElsewhere&) = delete;
  SignalsElsewhere& operator=(const SignalsElsewhere&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace brokerlab
