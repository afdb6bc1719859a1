// Costs of a model's row sweep for any number of samples, from its records on two and three. Behind the planners.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "autodiff/memory/block_trace.hpp"
#include "autodiff/plan.hpp"
#include "autodiff/samples/sweep.hpp"

namespace cotangent::detail {

struct RowForecast {
  /// Of the first two samples: its uses tell the sizes of Delta and H.
  RowSweep sweep;
  RowCosts two;
  RowCosts three;
  RowCosts alone;  // of the record of one sample
  SampleTrace trace;
  std::vector<BlockEvent> trace_alone;  // of one sample's rows by themselves, without structure if need be

  bool structured() const { return sweep.slow_reason.empty(); }
  /// Costs are affine in the number of samples.
  RowCosts at(Index samples) const;
  /// A sweep of this many samples, and of those evaluated alone to check it.
  double sweep_bytes(Index samples) const;
  double sweep_flops(Index samples) const;
  /// One sample after the other, in the way its own record allows.
  double alone_bytes() const { return BlockReplay().run(trace_alone).peak(); }
  double alone_flops(Index samples) const;
};

/// Throws: as sweep_rows where samples mix.
RowForecast forecast_rows(ModelFunction f, const Tensor& w, const Tensor& x,
                          const std::vector<ColumnRange>& columns);
RowForecast forecast_losses(LossFunction f, const Tensor& w, const Tensor& x, const Tensor& targets,
                            const std::vector<ColumnRange>& columns);
RowForecast forecast_inputs(ModelFunction f, const Tensor& w, const Tensor& x);

/// The ways to a result of so many numbers made from rows: all samples at once, in chunks, or one by one.
Plan plan_rows(std::string task, const RowForecast& forecast, Index samples, Index numbers,
               std::optional<Index> memory);

/// The first k samples, beginning again where there are fewer.
Tensor some_samples(const Tensor& x, Index k);

/// Bytes of the block behind so many numbers.
inline double block_of(Index numbers) {
  return static_cast<double>(block_bytes(static_cast<std::size_t>(numbers)));
}

/// Samples the way takes at a time.
Index samples_at_a_time(const Way& way, Index samples);

/// work(first, last) for chunks of one size, so that blocks serve again: the last takes some samples twice.
template <class Work>
void each_chunk(Index samples, Index chunk, Work work) {
  for (Index first = 0; first < samples; first += chunk) {
    const Index from = std::max<Index>(0, std::min(first, samples - chunk));
    work(from, std::min(from + chunk, samples));
  }
}

/// Throws: DomainError, beginning with the operation, for a budget below 0.
void check_memory(const char* operation, const std::optional<Index>& memory);

}  // namespace cotangent::detail
