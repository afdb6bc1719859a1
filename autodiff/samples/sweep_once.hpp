// Between the files of this room: the sweep of one record, the comparison with samples alone, rows of those.
#pragma once
#include <optional>
#include <vector>

#include "autodiff/samples/analysis.hpp"
#include "autodiff/samples/sweep.hpp"

namespace cotangent::detail {

/// The sweep over one record of samples first .. last - 1, uncompared. `values` are those of each sample, n
/// in all; they are left empty where a loss has none to compare. Costs are counted if asked for.
SampleSweep sweep_once(const SampleSource& source, Index first, Index last, Tensor& values,
                       RecordCosts* costs = nullptr);
SampleSweep sweep_losses_once(const SampleSource& source, Index first, Index last, Tensor& values,
                              RecordCosts* costs);

/// What the record says of the samples; if that is nothing, then there is one sample, and result.slow_reason
/// says why: nothing is refused for a single sample, which cannot be mixed with others, and whose axis of
/// size 1 can be mistaken for any other such axis.
std::optional<SampleAnalysis> analysis_of(const SampleSource& source, const TapeState& tape,
                                          std::uint32_t output, SampleSweep& result);

/// Runs `passes` backward passes from `output` down, each from its own seed, and collects the samples'
/// cotangents where parameters are used.
void collect(TapeState& state, std::uint32_t output, const SampleAnalysis& analysis, Index passes,
             FunctionRef<Tensor(Index)> seed, SampleSweep& result);

/// The samples that are taken alone to compare. Of one sample these are none, of a few all; of more the
/// first, the middle and the last, and by a fixed seed two others or so, one more for each 4-fold n.
std::vector<Index> samples_to_check(Index n);

/// Whether numbers agree up to `tolerance`; those that are not finite must be the same.
bool close_numbers(std::span<const double> a, std::span<const double> b, double tolerance);
double largest_finite(std::span<const double> numbers);

}  // namespace cotangent::detail
