#include "experiments/interrupts.h"

#include <poll.h>

#include <csignal>

namespace brokerlab {
namespace {

// A signal handler can reach nothing but static storage.
volatile std::sig_atomic_t interrupts_seen = 0;

void count_interrupt(int) { interrupts_seen = interrupts_seen + 1; }

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupts::Interrupts() {
  interrupts_seen = 0;
  handle(SIGINT, count_interrupt);
  handle(SIGTERM, count_interrupt);
}

Interrupts::~Interrupts() {
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
}

int Interrupts::count() const { return interrupts_seen; }

bool Interrupts::wait(Nanoseconds for_ns) const {
  constexpr int kLook_ms = 20;
  for (Nanoseconds waited = 0; waited < for_ns && count() == 0; waited += kLook_ms * 1'000'000) {
    poll(nullptr, 0, kLook_ms);
  }
  return count() == 0;
}

}  // namespace brokerlab
