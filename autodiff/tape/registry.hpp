// The library's only mutable globals, all defined in globals.cpp.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "autodiff/memory/buffer.hpp"

namespace cotangent {
class Op;
}

namespace cotangent::detail {

class TapeState;
struct EpochCell;

/// An empty tape from the calling thread's cache, and back; at most eight are kept, none of them large.
TapeState* acquire_tape_state();
void recycle_tape_state(TapeState* state) noexcept;

/// A cell whose epoch only ever grows; cells live as long as the program.
EpochCell* acquire_epoch_cell();
void recycle_epoch_cell(EpochCell* cell) noexcept;

/// Puts an operation at the head of the list and returns the one listed before it.
const Op* list_op(const Op* op) noexcept;
const Op* listed_ops() noexcept;

/// The operations of scripts, which live as long as the program: records hold on to them.
struct CustomOps {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<void>> by_name;
};
CustomOps& custom_ops();

}  // namespace cotangent::detail
