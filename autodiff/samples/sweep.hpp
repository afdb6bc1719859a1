// Row sweeps: the cotangent rows at every place where a parameter meets the data. Behind per_sample_jacobian,
// per_sample_gradients and the tangent kernels.
#pragma once
#include <string>
#include <vector>

#include "autodiff/jacobian.hpp"
#include "autodiff/op.hpp"

namespace cotangent::detail {

/// Consecutive positions of the flat vector w that are columns of the Jacobian, from column `column` on.
struct ColumnRange {
  Index first;
  Index last;
  Index column;
};

/// One place where the slice [offset, offset + size) of w meets the data. Sample i's gradient of output c
/// there is the outer product of delta[c]_i and data_i (data first if so marked), or delta[c]_i alone if data
/// is empty.
struct ParamUse {
  Index offset = 0;
  Index size = 0;
  Tensor data = {};
  bool data_first = false;
  std::vector<Tensor> delta = {};  // [C] tensors [n, p]
  bool outer() const { return data.rank() == 2; }
};

/// What one forward pass and C backward passes tell of a model.
struct RowSweep {
  Index samples = 0;
  Index outputs = 0;
  std::vector<ParamUse> uses = {};
  /// Why the structure cannot be used, although samples do not mix; empty: the uses are complete.
  std::string slow_reason = {};
  /// False if a sample alone has other values or rows than within the batch.
  bool alike = true;
};

/// Floating-point operations of a record, and of a backward pass by the data alone, and by the parameters.
struct RowCosts {
  double forward_flops = 0.0;
  double rows_flops = 0.0;
  double gradient_flops = 0.0;
};

/// A loss of samples against targets, [n] losses or one that is their mean or sum.
using LossFunction = FunctionRef<Var(const Var& w, const Var& x, const Tensor& targets)>;

/// Throws: ShapeError unless f returns [n, ...]; TapeError naming the operation that mixes samples, or for values that
/// are others alone.
RowSweep sweep_rows(ModelFunction f, const Tensor& w, const Tensor& x,
                    const std::vector<ColumnRange>& columns);

/// The same without the evaluations of samples alone, with its costs.
RowSweep sweep_rows_once(ModelFunction f, const Tensor& w, const Tensor& x,
                         const std::vector<ColumnRange>& columns, RowCosts& costs);

/// n of X [n, ...] and targets [n, ...]. Throws: ShapeError unless they agree.
Index samples_of(const Tensor& x, const Tensor& targets);

/// Rows of the losses' gradients, as of a model with one output. A loss that is neither [n] nor a multiple of the
/// sum of its samples' parts has a slow_reason, as has one with other values alone. Throws: as sweep_rows.
RowSweep sweep_losses(LossFunction f, const Tensor& w, const Tensor& x, const Tensor& targets,
                      const std::vector<ColumnRange>& columns);
RowSweep sweep_losses_once(LossFunction f, const Tensor& w, const Tensor& x, const Tensor& targets,
                           const std::vector<ColumnRange>& columns, RowCosts& costs);

/// df/dx for each sample: [n*C, d]. Throws: as sweep_rows.
Tensor input_rows(ModelFunction f, const Tensor& w, const Tensor& x, Index& outputs);
Tensor input_rows_once(ModelFunction f, const Tensor& w, const Tensor& x, Index& outputs, RowCosts& costs);

/// The Jacobian [n*C, P] by one single-sample record after the other: needs no structure, and is the definition. Written
/// to the rows from `first_row` on of a larger one, or to rows of its own.
void write_slow_rows(ModelFunction f, const Tensor& w, const Tensor& x, Index outputs,
                     const std::vector<ColumnRange>& columns, Tensor& jacobian, Index first_row);
Tensor slow_rows(ModelFunction f, const Tensor& w, const Tensor& x, Index outputs,
                 const std::vector<ColumnRange>& columns);
Tensor slow_losses(LossFunction f, const Tensor& w, const Tensor& x, const Tensor& targets,
                   const std::vector<ColumnRange>& columns);

/// Writes the Jacobian [n*C, P] from the uses, or the rows from `first_row` on of a larger one.
Tensor rows_from(const RowSweep& sweep, const std::vector<ColumnRange>& columns);
void write_rows(const RowSweep& sweep, const std::vector<ColumnRange>& columns, Tensor& jacobian,
                Index first_row);

/// |row|^2 for every row of that Jacobian, without forming it: [n*C], from `first_row` on of a larger one.
void write_row_squares(const RowSweep& sweep, Tensor& squares, Index first_row);

/// Columns for the parameters whose names match a pattern (all if there are none), and their table.
/// Throws: DomainError for a pattern that nothing matches.
std::vector<ColumnRange> select_columns(const std::vector<ParamEntry>& table, Index size,
                                        const std::vector<std::string>& patterns,
                                        std::vector<ParamEntry>& selected);
Index count_columns(const std::vector<ColumnRange>& columns);

}  // namespace cotangent::detail
