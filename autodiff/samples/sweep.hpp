// Rows of derivatives, one for each sample and each of its outputs, made for all samples together. Behind
// per_sample_jacobian, per_sample_gradients and the tangent kernels. Other rooms include this header too.
#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "autodiff/params.hpp"
#include "autodiff/plan.hpp"
#include "autodiff/plan/planner.hpp"
#include "autodiff/sample_functions.hpp"
#include "autodiff/tape.hpp"

namespace cotangent::detail {

/// Consecutive positions of the flat vector w that are columns of the Jacobian, from column `column` on.
struct ColumnRange {
  Index first;
  Index last;
  Index column;
};

/// Columns for the parameters whose names match a pattern (all if there are none), and their table.
/// Throws: DomainError for a pattern that nothing matches.
std::vector<ColumnRange> select_columns(const std::vector<ParamEntry>& table, Index size,
                                        const std::vector<std::string>& patterns,
                                        std::vector<ParamEntry>& selected);
Index count_columns(const std::vector<ColumnRange>& columns);

/// The first k samples; where there are fewer, it begins again with the first.
Tensor some_samples(const Tensor& x, Index k);

/// n samples, and a function that treats them alike and apart, of which each sample has one or more outputs:
/// a model differentiated by parameters or by its inputs, or a loss differentiated by parameters. The
/// function itself must outlive it.
class SampleSource {
 public:
  /// The outputs f(w, X)[i, ...], by the parameters in `columns`.
  /// Throws, as the others: ShapeError without samples.
  static SampleSource model(ModelFunction f, const Tensor& w, const Tensor& x,
                            std::vector<ColumnRange> columns);
  /// The same outputs, by the sample's own numbers in X.
  static SampleSource inputs(ModelFunction f, const Tensor& w, const Tensor& x);
  /// The loss of each sample and its target. Throws: ShapeError unless there is one target for each sample.
  static SampleSource losses(SampleLoss f, const Tensor& w, const Tensor& x, const Tensor& targets,
                             std::vector<ColumnRange> columns);

  Index samples() const { return x_.size(0); }
  const std::vector<ColumnRange>& columns() const { return columns_; }
  Wrt wrt() const { return wrt_; }
  bool of_loss() const { return std::holds_alternative<SampleLoss>(f_); }
  /// The public function whose rows these are; errors begin with it.
  const char* operation() const { return of_loss() ? "per_sample_gradients" : "per_sample_jacobian"; }

  /// Samples first .. last - 1 of these, or some_samples of them.
  SampleSource part(Index first, Index last) const;
  SampleSource some(Index k) const;

  /// f of samples first .. last - 1, recorded with w and X as the first two nodes of the tape.
  Var record(Tape& tape, Index first, Index last) const;
  /// f of sample i alone, recorded from `leaf` on, which is what it is differentiated by.
  Var record_alone(Tape& tape, Index i, Var& leaf) const;

 private:
  using AnyFunction = std::variant<ModelFunction, SampleLoss>;
  SampleSource(AnyFunction f, Wrt wrt, const Tensor& w, const Tensor& x, const Tensor& targets,
               std::vector<ColumnRange> columns);
  Var value(const Var& w, const Var& x, Index first, Index last) const;

  AnyFunction f_;
  Wrt wrt_;
  Tensor w_, x_, targets_;
  std::vector<ColumnRange> columns_;
};

/// One place where the slice [offset, offset + size) of w meets the data. Sample i's gradient of output c
/// there is the outer product of delta[c]_i and data_i (data first if so marked); without data delta[c]_i.
struct ParamUse {
  Index offset = 0;
  Index size = 0;
  Tensor data = {};
  bool data_first = false;
  std::vector<Tensor> delta = {};  // [C] tensors [n, p]
  bool outer() const { return data.rank() == 2; }
};

/// What one forward pass over all samples and one backward pass for each output tell.
struct SampleSweep {
  Index samples = 0;
  Index outputs = 0;
  /// With respect to inputs there is one use: all numbers of a sample.
  std::vector<ParamUse> uses = {};
  /// Why the uses are not complete, although samples do not mix; empty: they are.
  std::string slow_reason = {};
  /// False if a sample alone has other values or gradients than within the batch.
  bool alike = true;
};

/// A sweep over all samples, compared with sweeps over some of them alone. If these have other gradients, or
/// if a loss has other values, it has a slow_reason and is not `alike`; so has, but is alike, one where a
/// parameter reaches the data through other operations, or of a loss that is neither [n] nor a multiple of
/// the sum of its samples' parts.
/// Throws: ShapeError unless a model returns [n, ...] and a loss [n] or one number; TapeError naming the
/// operation that mixes samples, or for a model whose values are others for a sample alone.
SampleSweep sweep_samples(const SampleSource& source);

/// The same without the comparison, and what the record costs.
SampleSweep sweep_once(const SampleSource& source, RecordCosts& costs);

/// The Jacobian [n*C, P] from the sweep's uses, or, where they are not complete, by one record after the
/// other of each sample alone, which is its definition. Written to the rows from `first_row` on of a larger
/// one, or a new one.
void write_rows(const SampleSweep& sweep, const SampleSource& source, Tensor& jacobian, Index first_row);
Tensor rows_of(const SampleSweep& sweep, const SampleSource& source);

/// The same of samples with so many outputs, always by one record of each alone.
Tensor rows_alone(const SampleSource& source, Index outputs);

/// |row|^2 for each of these rows, without forming it: written from number `first` on. Needs complete uses.
void write_row_squares(const SampleSweep& sweep, Tensor& squares, Index first);

/// What rows cost for any number of samples, known from sweeps over two and three of them and one alone.
struct SampleForecast {
  Index samples = 0;
  /// Over two samples. Its uses tell the sizes of Delta and of the data.
  SampleSweep sweep = {};
  RecordCosts two = {};
  RecordCosts three = {};
  RecordCosts alone = {};  // of the record of one sample
  SampleTrace trace = {};
  /// Of one sample's rows by themselves, without structure if need be.
  std::vector<BlockEvent> trace_alone = {};

  bool structured() const { return sweep.slow_reason.empty(); }
  /// Costs of a record of so many samples, in which they are affine.
  RecordCosts at(Index count) const;
  /// A sweep over so many samples, and over those of them that are taken alone to compare.
  double sweep_bytes(Index count) const;
  double sweep_flops(Index count) const;
  /// One sample after the other, in the way that its own record allows.
  double alone_bytes() const { return BlockReplay().run(trace_alone).peak(); }
  double alone_flops(Index count) const;
};

/// Throws: as sweep_samples where samples mix.
SampleForecast forecast_samples(const SampleSource& source);

/// The names of plan_samples' ways.
inline constexpr const char* kStructuredWay = "structured";
inline constexpr const char* kChunksWay = "chunks";
inline constexpr const char* kSingleWay = "single";

/// The ways to a result of so many numbers made from rows: all samples at once, in chunks, or one by one.
Plan plan_samples(std::string task, const SampleForecast& forecast, Index numbers,
                  std::optional<Index> memory);

/// How many of so many samples a way takes at a time.
Index samples_at_a_time(const Way& way, Index samples);

/// work(first, last) for chunks of samples of one size, so that blocks of memory serve again: the last chunk
/// takes some samples twice.
template <class Work>
void each_chunk(Index samples, Index chunk, Work work) {
  for (Index first = 0; first < samples; first += chunk) {
    const Index from = std::max<Index>(0, std::min(first, samples - chunk));
    work(from, std::min(from + chunk, samples));
  }
}

}  // namespace cotangent::detail
