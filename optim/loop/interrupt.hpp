// Ctrl-C during a run.
#pragma once

namespace cotangent::optim {

/// While one lives, SIGINT sets a flag instead of ending the program; a second SIGINT ends it. A handler of
/// the program's own is left alone, and so is the flag then.
///
/// Global state: the flag and the number of guards, with the signal's action, for a signal has no other
/// place.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// Whether there was a SIGINT since the first of the guards that live now was made: all that is under way
  /// inside one another then ends.
  static bool taken() noexcept;
};

}  // namespace cotangent::optim
