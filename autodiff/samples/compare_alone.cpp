// What the record cannot show, C++ that looks at values or at the number of samples, is looked for by
// evaluating some samples alone: their values and rows must be those within the batch.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops/own_rounding.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/samples/sweep_once.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::detail {

double largest_finite(std::span<const double> numbers) {
  double top = 0.0;
  for (const double v : numbers)
    if (std::isfinite(v)) top = std::max(top, std::fabs(v));
  return top;
}

bool close_numbers(std::span<const double> a, std::span<const double> b, double tolerance) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](double s, double t) {
    if (std::isfinite(s) && std::isfinite(t)) return std::fabs(s - t) <= tolerance;
    return s == t || (std::isnan(s) && std::isnan(t));
  });
}

std::vector<Index> samples_to_check(Index n) {
  if (n == 1) return {};
  constexpr Index kAll = 8;
  std::vector<Index> chosen{0, n / 2, n - 1};
  if (n <= kAll)
    for (Index i = 0; i < n; ++i) chosen.push_back(i);
  Rng rng(2009);
  for (Index k = 16; n > kAll && k < std::max<Index>(n, 65); k *= 4) chosen.push_back(rng.below(n));
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

namespace {

bool close_tensors(const Tensor& a, const Tensor& b) {
  if (a.rank() != 2 || b.rank() != 2) return a.rank() == b.rank();
  return close_numbers(a.data(), b.data(), 1e-9 * largest_finite(b.data()));
}

/// Sample i's part of a sweep.
SampleSweep sample_of(const SampleSweep& sweep, Index i) {
  SampleSweep part{.samples = 1, .outputs = sweep.outputs};
  const auto row = [&](const Tensor& t) { return t.rank() == 2 ? t.rows(i, i + 1) : t; };
  for (const ParamUse& use : sweep.uses) {
    part.uses.push_back({use.offset, use.size, row(use.data), use.data_first});
    for (const Tensor& delta : use.delta) part.uses.back().delta.push_back(row(delta));
  }
  return part;
}

/// Whether two sweeps of one sample agree use by use.
bool same_uses(const SampleSweep& a, const SampleSweep& b) {
  return b.slow_reason.empty() &&
         std::equal(a.uses.begin(), a.uses.end(), b.uses.begin(), b.uses.end(),
                    [](const ParamUse& u, const ParamUse& v) {
                      return u.offset == v.offset && u.size == v.size && u.data_first == v.data_first &&
                             close_tensors(u.data, v.data) &&
                             std::equal(u.delta.begin(), u.delta.end(), v.delta.begin(), v.delta.end(),
                                        close_tensors);
                    });
}

/// Of one sample alone axes may be mistaken, so that other uses make the same rows.
bool same_rows(const SampleSource& source, const SampleSweep& within, const SampleSweep& single, Index i) {
  if (same_uses(within, single)) return true;
  const SampleSource own = source.part(i, i + 1);
  const Tensor a = rows_of(within, own), b = rows_alone(own, within.outputs);
  for (Index c = 0; c < within.outputs; ++c)
    if (!close_tensors(a.rows(c, c + 1), b.rows(c, c + 1))) return false;
  return true;
}

/// The values of some samples once more, under observation: made only where they are about to be refused.
class WatchedValues {
 public:
  WatchedValues(const SampleSource& source, Index first, Index last)
      : source_(source), first_(first), last_(last) {}

  /// How far rounding may have moved number k of `count`; 0 if the function's are not those.
  double rounding(Index k, Index count) {
    TapeState& tape = VarAccess::state(tape_);
    if (!values_) {
      const Probing watch(tape, probe_);
      values_ = source_.record(tape_, first_, last_);
    }
    if (values_->size() != count) return 0.0;
    Tensor one = Tensor::zeros(values_->shape());
    mutable_data(one)[k] = 1.0;
    return probe_.bound(tape, *values_, one);
  }

 private:
  const SampleSource& source_;
  const Index first_, last_;
  Tape tape_;
  RoundingProbe probe_;
  std::optional<Var> values_;
};

/// How sample i's values alone differ from those within the batch, which is watched if need be; empty if they
/// do not, or by no more than rounding may have done to both.
std::string difference(const SampleSource& source, const Tensor& batch, WatchedValues& watched,
                       const Tensor& single, Index i) {
  const char* operation = source.operation();
  const Index n = batch.size(0), outputs = batch.size() / n;
  if (single.size() != outputs)
    throw ShapeError(
        fmt::format("[{}] f returned {} for the single sample {}, {} for all {}; it must treat samples alike",
                    operation, single.shape().to_string(), i, batch.shape().to_string(), n));
  WatchedValues alone(source, i, i + 1);
  for (Index c = 0; c < outputs; ++c) {
    double scale = 0.0;
    for (Index k = c; k < batch.size(); k += outputs)
      if (const double v = batch.flat(k); std::isfinite(v)) scale = std::max(scale, std::fabs(v));
    const std::span<const double> a = single.data().subspan(static_cast<std::size_t>(c), 1);
    const std::span<const double> b = batch.data().subspan(static_cast<std::size_t>(i * outputs + c), 1);
    if (close_numbers(a, b, 1e-9 * std::fabs(b[0]) + 1e-10 * scale)) continue;
    const Index k = i * outputs + c;
    if (!close_numbers(a, b, alone.rounding(c, outputs) + watched.rounding(k, batch.size())))
      return fmt::format("output {} of sample {} is {} alone but {} within the batch of {}", c, i, a[0], b[0],
                         n);
  }
  return "";
}

}  // namespace

SampleSweep sweep_samples(const SampleSource& source) {
  const Index n = source.samples();
  Tensor values, value;
  SampleSweep batch = sweep_once(source, 0, n, values);
  WatchedValues watched(source, 0, n);
  const auto single = [&](Index i) {
    try {
      return sweep_once(source, i, i + 1, value);
    } catch (const ShapeError& e) {
      throw ShapeError(fmt::format(
          "{} (while f was evaluated on sample {} of {} alone, as per-sample derivatives are defined)",
          e.what(), i, n));
    }
  };
  for (const Index i : samples_to_check(n)) {
    const SampleSweep alone = single(i);
    std::string differs = values.size() == 0 ? "" : difference(source, values, watched, value, i);
    if (!differs.empty() && !source.of_loss())
      throw TapeError(
          fmt::format("[{}] {}: f mixes samples where the record cannot show it (a branch, value(), detach, "
                      "the number of samples); use jacobian for the joint derivative",
                      source.operation(), differs));
    if (!batch.slow_reason.empty() && differs.empty()) continue;
    if (differs.empty() && !same_rows(source, sample_of(batch, i), alone, i))
      differs =
          fmt::format("the gradient of sample {} alone is another one than within the batch of {}", i, n);
    if (differs.empty()) continue;
    return {.samples = n, .outputs = batch.outputs, .slow_reason = std::move(differs), .alike = false};
  }
  return batch;
}

}  // namespace cotangent::detail
