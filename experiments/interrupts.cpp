#include "experiments/interrupts.h"

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

}  // namespace brokerlab
