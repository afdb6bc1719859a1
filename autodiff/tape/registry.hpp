// Global state of the tape: tapes and epoch cells to be used again, and the operations of scripts. The list
// of the library's operations, which Op::first begins, lies beside them.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace cotangent::detail {

class TapeState;
struct EpochCell;

/// An empty tape from the calling thread's cache, and back; at most eight are kept, none of them large.
TapeState* acquire_tape_state();
void recycle_tape_state(TapeState* state) noexcept;

/// A cell whose epoch only ever grows; cells live as long as the program.
EpochCell* acquire_epoch_cell();
void recycle_epoch_cell(EpochCell* cell) noexcept;

/// The operations of scripts, which live as long as the program: records hold on to them.
struct CustomOps {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<void>> by_name;
};
CustomOps& custom_ops();

}  // namespace cotangent::detail
