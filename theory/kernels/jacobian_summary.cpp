// Singular values and what is read from them.
#include "theory/jacobian_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/kernels/lapack.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::theory {

Tensor singular_values(const Tensor& matrix) {
  if (matrix.rank() != 2 || matrix.size() == 0)
    throw ShapeError(fmt::format("[singular_values] the matrix is {}; it must be [m, n] and not empty",
                                 matrix.shape().to_string()));
  for (const int axis : {0, 1}) kernel::check_side("singular_values", matrix.size(axis));
  for (const double v : matrix.data())
    if (!std::isfinite(v))
      throw DomainError(
          fmt::format("[singular_values] the matrix {} holds {}; singular values need finite numbers",
                      matrix.shape().to_string(), v));
  // LAPACK's columns are our rows: it sees the transpose, whose singular values are the same.
  const Index m = matrix.size(1), n = matrix.size(0);
  std::vector<double> a(matrix.data().begin(), matrix.data().end());
  Tensor values = detail::uninitialized(Shape{std::min(m, n)});
  kernel::singular_values("singular_values", a.data(), m, n, detail::mutable_data(values));
  return values;
}

namespace {

std::vector<JacobianSummary::Block> blocks_of(const Jacobian& jacobian) {
  const Tensor& matrix = jacobian.matrix();
  const Index rows = matrix.size(0), width = matrix.size(1);
  std::vector<JacobianSummary::Block> blocks;
  for (const ParamEntry& entry : jacobian.columns()) {
    JacobianSummary::Block block{.name = entry.name, .shape = entry.shape, .norm = 0.0, .zero_columns = 0};
    for (Index j = entry.offset; j < entry.offset + entry.size(); ++j) {
      double squares = 0.0;
      bool zero = true;
      for (Index i = 0; i < rows; ++i) {
        const double v = matrix.data()[static_cast<std::size_t>(i * width + j)];
        squares += v * v;
        zero = zero && v == 0.0;
      }
      block.norm += squares;
      block.zero_columns += zero;
    }
    block.norm = std::sqrt(block.norm);
    blocks.push_back(std::move(block));
  }
  return blocks;
}

}  // namespace

JacobianSummary jacobian_summary(const Jacobian& jacobian, const JacobianSummaryOptions& options) {
  if (options.top < 0 || (options.threshold && !(*options.threshold >= 0.0)))
    throw DomainError(fmt::format("[jacobian_summary] top is {}, threshold {}; give numbers from 0 on",
                                  options.top, options.threshold.value_or(0.0)));
  JacobianSummary s;
  s.singular_values = singular_values(jacobian.matrix());
  const std::span<const double> values = s.singular_values.data();
  const Index longer = std::max(jacobian.matrix().size(0), jacobian.matrix().size(1));
  s.threshold = options.threshold.value_or(static_cast<double>(longer) *
                                           std::numeric_limits<double>::epsilon() * values.front());
  s.rank = std::count_if(values.begin(), values.end(), [&](double v) { return v > s.threshold; });
  s.full_rank = s.rank == s.singular_values.size();
  s.condition = s.full_rank ? values.front() / values.back() : std::numeric_limits<double>::infinity();
  s.condition_on_rank = s.rank > 0 ? values.front() / values[static_cast<std::size_t>(s.rank - 1)]
                                   : std::numeric_limits<double>::quiet_NaN();
  s.stable_rank = 0.0;  // of ratios, whose squares cannot overflow
  for (const double v : values) s.stable_rank += (v / values.front()) * (v / values.front());
  s.blocks = blocks_of(jacobian);
  for (const Jacobian::Entry& entry : jacobian.top(options.top))
    s.top.push_back({jacobian.row_name(entry.row), jacobian.column_name(entry.column), entry.value});
  return s;
}

std::string JacobianSummary::to_string() const {
  const Index count = singular_values.size();
  std::string text = fmt::format(
      "rank {} of {}{}; singular values from {:.6g} to {:.6g}, of which those up to {:.3g} count as 0; "
      "condition "
      "{:.6g}{}; stable rank {:.4g}",
      rank, count, full_rank ? " (full)" : "", singular_values(0), singular_values(count - 1), threshold,
      condition, full_rank ? "" : fmt::format(", {:.6g} on the rank", condition_on_rank), stable_rank);
  for (const Block& block : blocks)
    text +=
        fmt::format("\n  {:<12} {:<12} norm {:.6g}{}", block.name, block.shape.to_string(), block.norm,
                    block.zero_columns == 0 ? "" : fmt::format(", columns of zeros: {}", block.zero_columns));
  if (!top.empty()) text += "\nlargest entries:";
  for (const Entry& entry : top)
    text += fmt::format("\n  {: .8g}  {} by {}", entry.value, entry.row, entry.column);
  return text;
}

}  // namespace cotangent::theory
