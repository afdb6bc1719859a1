// Global state of the tape: tapes and epoch cells to be used again, and the operations of scripts. The list
// of the library's operations, which Op::first begins, lies beside them.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace cotangent::detail {

class TapeState;

/// An empty tape from the calling thread's cache, and back, when its handles have ended; at most eight are
/// kept, none of them large. Its cell is its own; cells live as long as the program, and their epochs only
/// grow.
TapeState* acquire_tape_state();
void recycle_tape_state(TapeState* state) noexcept;

/// The operations of scripts, which live as long as the program: records hold on to them.
struct CustomOps {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<void>> by_name;
};
CustomOps& custom_ops();

}  // namespace cotangent::detail
