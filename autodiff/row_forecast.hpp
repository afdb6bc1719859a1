// Costs of a model's row sweep for any number of samples, from its records on two and three. Behind the planners.
#pragma once
#include "autodiff/plan.hpp"
#include "autodiff/rows.hpp"

namespace cotangent::detail {

struct RowForecast {
  /// Of the first two samples: its uses tell the sizes of Delta and H.
  RowSweep sweep;
  RowCosts two;
  RowCosts three;

  /// Costs are affine in the number of samples.
  RowCosts at(Index samples) const;
  /// Bytes of a sweep of this many samples, and operations of it and of as many single gradients.
  double sweep_bytes(Index samples) const;
  double sweep_flops(Index samples) const;
  double single_flops(Index samples) const;
};

/// Throws: as sweep_rows where samples mix.
RowForecast forecast_rows(ModelFunction f, const Tensor& w, const Tensor& x,
                          const std::vector<ColumnRange>& columns);

/// The three ways to the Jacobian [n*C, P].
Plan plan_rows(const RowForecast& forecast, const Tensor& w, const Tensor& x, Index width,
               std::optional<Index> memory);

/// The two ways to the Jacobian of y by x on y's record.
Plan plan_passes(const TapeState& tape, const Var& y, const Tensor& x, const FullJacobianOptions& options);

}  // namespace cotangent::detail
