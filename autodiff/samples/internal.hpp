// Between the files of the row sweeps: what a sweep is made of, and the check of some samples alone.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "autodiff/samples/analysis.hpp"
#include "autodiff/samples/sweep.hpp"

namespace cotangent::detail {

/// A function as row sweeps of samples first .. last - 1, with its values [last - first, ...] there (an empty tensor
/// where there are none to compare), and sample i's rows [C, width] by their definition.
struct RowFunction {
  const char* operation;
  Index samples;
  const std::vector<ColumnRange>& columns;
  FunctionRef<RowSweep(Index first, Index last, Tensor& values)> sweep;
  FunctionRef<Tensor(Index i)> alone;
  /// What to do with a value that is another one alone: an error, or else the slow way as for other rows.
  bool refuse_values;
};

/// Of one sample none; all of a few; else the first, the middle, the last and, by a fixed seed, some two more, one more
/// for each 4-fold n.
std::vector<Index> samples_to_check(Index n);

/// The sweep of all samples, if a choice of them alone has the same values and rows; else one with a slow_reason and
/// not `alike`. Throws: TapeError, ShapeError.
RowSweep checked_sweep(const RowFunction& f);

/// Equal up to `tolerance`; numbers that are not finite must be the same.
bool close_numbers(std::span<const double> a, std::span<const double> b, double tolerance);
double largest_finite(std::span<const double> numbers);

/// The analysis, or nothing and result.slow_reason. Of one sample nothing is refused: there is nothing to mix, and
/// axes of size 1 can be mistaken for the samples'.
std::optional<RowAnalysis> analysis_of(const char* operation, const TapeState& tape, std::uint32_t output,
                                       const std::vector<ColumnRange>& columns, RowSweep& result);

/// Runs `passes` passes, each for its own seed, from `output` down and collects the cotangent rows at the uses.
void collect(TapeState& state, std::uint32_t output, const RowAnalysis& analysis, Index passes,
             FunctionRef<Tensor(Index)> seed, RowSweep& result);

void check_tape(const char* operation, const TapeState& state, const Var& y);
/// Throws: ShapeError unless there are samples.
void check_inputs(const char* operation, const Tensor& x);

/// Rows [n*C, width] by n records: `record` makes f(sample i) on the tape from the leaf to differentiate by. Written to
/// the rows from `first_row` on of a larger one, or to rows of their own.
void write_rows_alone(const char* operation, Index samples, Index outputs,
                      const std::vector<ColumnRange>& columns,
                      FunctionRef<Var(Tape& tape, Index i, Var& leaf)> record, Tensor& jacobian,
                      Index first_row);
Tensor rows_alone(const char* operation, Index samples, Index outputs,
                  const std::vector<ColumnRange>& columns,
                  FunctionRef<Var(Tape& tape, Index i, Var& leaf)> record);

}  // namespace cotangent::detail
