// Of the library's kinds of global state this file holds three: the bounded thread-local cache, its part for
// tapes; the handles' epoch cells; and the list of operations, those of the library and those of scripts.
// Blocks have their cache in memory/block_cache.cpp.
#include "autodiff/tape/registry.hpp"

#include <utility>
#include <vector>

#include "autodiff/tape/state.hpp"

namespace cotangent {
namespace detail {
namespace {

constexpr std::size_t kCachedTapes = 8;
constexpr std::size_t kCachedNodes = std::size_t{1} << 16;

struct TapeCache {
  TapeState* tapes[kCachedTapes] = {};
  std::size_t count = 0;
  bool open = true;
};
// Trivially destructible: still readable while other thread_locals are torn down.
thread_local TapeCache cache;

struct EpochCells {
  std::mutex mutex;
  std::vector<std::unique_ptr<EpochCell[]>> blocks;
  EpochCell* free = nullptr;
};
EpochCells& epoch_cells() {
  // Never destroyed: a handle may be asked for its epoch after every other static has gone.
  static EpochCells& cells = *std::make_unique<EpochCells>().release();
  return cells;
}
constexpr std::size_t kCellsPerBlock = 64;

EpochCell* acquire_epoch_cell() {
  EpochCells& cells = epoch_cells();
  const std::lock_guard lock(cells.mutex);
  if (!cells.free) {
    auto block = std::make_unique<EpochCell[]>(kCellsPerBlock);
    for (std::size_t k = 0; k < kCellsPerBlock; ++k) {
      block[k].next_free = cells.free;
      cells.free = &block[k];
    }
    cells.blocks.push_back(std::move(block));
  }
  EpochCell* cell = cells.free;
  cells.free = cell->next_free;
  return cell;
}

void recycle_epoch_cell(EpochCell* cell) noexcept {
  EpochCells& cells = epoch_cells();
  const std::lock_guard lock(cells.mutex);
  cell->next_free = cells.free;
  cells.free = cell;
}

void destroy(TapeState* state) noexcept {
  state->cell->tape = nullptr;
  recycle_epoch_cell(state->cell);
  delete state;
}

struct TapeCacheGuard {
  bool alive = true;
  ~TapeCacheGuard() {
    while (cache.count) destroy(cache.tapes[--cache.count]);
    cache.open = false;
  }
};
thread_local TapeCacheGuard cache_guard;

}  // namespace

TapeState* acquire_tape_state() {
  if (cache.count) return cache.tapes[--cache.count];
  cache_guard.alive = true;
  auto state = std::make_unique<TapeState>();
  state->cell = acquire_epoch_cell();
  state->cell->tape = state.get();
  return state.release();
}

void recycle_tape_state(TapeState* state) noexcept {
  state->cell->advance();
  state->clear();
  if (!cache.open || cache.count == kCachedTapes || state->nodes.capacity() > kCachedNodes ||
      state->inputs.capacity() > 4 * kCachedNodes ||
      (state->scratch && state->scratch->slots.capacity() > kCachedNodes))
    return destroy(state);
  cache_guard.alive = true;
  cache.tapes[cache.count++] = state;
}

CustomOps& custom_ops() {
  // Never destroyed, like the cells: statics of a script may use their operations to the end.
  static CustomOps& ops = *std::make_unique<CustomOps>().release();
  return ops;
}

}  // namespace detail

namespace {
constinit const Op* last_op = nullptr;  // the operations of the library, complete before main
}

Op::Op(const detail::OpSpec& spec) : spec_(spec), next_(std::exchange(last_op, this)) {}
const Op* Op::first() noexcept { return last_op; }

}  // namespace cotangent
