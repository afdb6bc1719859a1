// The flag that a signal may set, and the action that sets it.
#include "optim/loop/interrupt.hpp"

#include <csignal>
#include <mutex>

namespace cotangent::optim {
namespace {

volatile std::sig_atomic_t seen = 0;
std::mutex mutex;
int guards = 0;     // under the mutex
bool ours = false;  // under the mutex: the action is this file's

extern "C" void cotangent_on_interrupt(int signal) {
  if (seen != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  seen = 1;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  const std::lock_guard<std::mutex> lock(mutex);
  if (guards++ > 0) return;
  seen = 0;
  struct sigaction now {};
  if (::sigaction(SIGINT, nullptr, &now) != 0 || (now.sa_flags & SA_SIGINFO) != 0 ||
      now.sa_handler != SIG_DFL)
    return;
  struct sigaction action {};
  action.sa_handler = cotangent_on_interrupt;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ours = ::sigaction(SIGINT, &action, nullptr) == 0;
}

InterruptGuard::~InterruptGuard() {
  const std::lock_guard<std::mutex> lock(mutex);
  if (--guards > 0 || !ours) return;
  struct sigaction now {};
  // Only if nobody has put another action there since.
  if (::sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler == cotangent_on_interrupt)
    std::signal(SIGINT, SIG_DFL);
  ours = false;
}

bool InterruptGuard::taken() noexcept { return seen != 0; }

}  // namespace cotangent::optim
