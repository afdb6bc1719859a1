// explore: every operation of a record with its shape, its memory, its time and the size of its gradient.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "autodiff/transforms.hpp"

namespace cotangent {

/// One recorded operation.
struct TapeRow {
  Index node = 0;         // its place in the record
  std::string operation;  // "linear"; "input" for what is differentiated by
  std::string parameter;  // "0.weight" of a node that is a part of w; node 0 is "w", or "x" for a Tensor
  Shape shape;
  std::vector<Index> inputs;               // their nodes, -1 for constants
  Index bytes = 0;                         // numbers held for its rule that no row before holds
  double forward_seconds = 0.0;            // of its forward rule
  std::optional<double> backward_seconds;  // of its pullback, where it ran
  std::optional<double> gradient_norm;     // |dy / d output|_2, where a cotangent arrived
};

struct TapeReport {
  std::vector<TapeRow> rows;
  Index value_bytes = 0;         // sum of the rows' bytes
  Index record_bytes = 0;        // the record itself: nodes and their inputs
  double forward_seconds = 0.0;  // of the whole pass, with the work between the operations
  double backward_seconds = 0.0;
  Index runs = 0;

  /// A table of all rows, or, if there are more than `most`, of those that take the most time.
  std::string to_string(Index most = 60) const;
};

struct ExploreOptions {
  /// Each time is the least of so many runs, after one that warms up.
  Index runs = 5;
};

/// Runs f at w forwards and backwards under observation. report::save_tape_page writes what
/// it returns as HTML.
///
/// An operation is timed when it is computed a second time, its operands in the cache, with one reading of
/// the clock, some 30 ns, included; the pass times are those of runs that nobody watches. A checkpoint is one
/// row, as it is one node: to see inside, call its function instead.
/// Shapes: f: [P] -> [t]; a result of several elements is summed for the backward pass.
/// Cost: some 3 (runs + 1) gradients; nothing where it is not called.
/// Throws: DomainError if runs < 1, or if f records other operations or shapes from run to
/// run; what f throws.
TapeReport explore(VarFunction f, const Params& w, const ExploreOptions& options = {});
TapeReport explore(VarFunction f, const Tensor& x, const ExploreOptions& options = {});

/// The rows that take the most time, in order of the record; all if there are no more than `most`.
std::vector<TapeRow> costliest(const TapeReport& report, Index most);

}  // namespace cotangent
