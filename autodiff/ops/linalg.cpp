// Products of many matrices at once, and symmetric positive definite systems by Cholesky factors.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/kernels/lapack.hpp"
#include "autodiff/kernels/products.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {
namespace {

const Op kBatchMatmul({
    .name = "batch_matmul",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const Shape &left = in.shape(0), &right = in.shape(1);
          const int rank = left.rank();
          bool fits = rank >= 3 && right.rank() == rank;
          for (int k = 0; fits && k < rank - 2; ++k) fits = left[k] == right[k];
          if (!fits)
            throw ShapeError(
                fmt::format("[batch_matmul] a is {}, b is {}; give [.., m, k] and [.., k, n] with equal "
                            "leading axes: matmul takes two matrices, broadcast_to repeats one",
                            left.to_string(), right.to_string()));
          const MatmulOptions options = matmul_options(a);
          const Shape block_a{left[rank - 2], left[rank - 1]}, block_b{right[rank - 2], right[rank - 1]};
          const Shape block = matmul_shape("batch_matmul", block_a, block_b, options);
          const Shape shape = left.with(rank - 2, block[0]).with(rank - 1, block[1]);
          Tensor out = uninitialized(shape);
          Index count = 1;
          for (int k = 0; k < rank - 2; ++k) count *= left[k];
          const Index inner = block_a[options.transpose_a ? 0 : 1];
          kernel::matmul_blocks(mutable_data(out), in[0].data().data(), in[1].data().data(), count,
                                {.rows = block[0], .inner = inner, .columns = block[1]}, options);
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor& out) {
          MatmulOptions options = matmul_options(a);
          options.scale = std::fabs(options.scale);
          const Index inner = in.shape(0)[out.rank() - (options.transpose_a ? 2 : 1)];
          return (static_cast<double>(inner + 1) * batch_matmul(abs(in[0]), abs(in[1]), options)).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const auto [ta, tb, scale] = matmul_options(p.attributes());
          if (out.needs(0))
            out.add(0, ta ? batch_matmul(p.in(1), g, {.transpose_a = tb, .transpose_b = true, .scale = scale})
                          : batch_matmul(g, p.in(1), {.transpose_b = !tb, .scale = scale}));
          if (out.needs(1))
            out.add(1, tb ? batch_matmul(g, p.in(0), {.transpose_a = true, .transpose_b = ta, .scale = scale})
                          : batch_matmul(p.in(0), g, {.transpose_a = !ta, .scale = scale}));
        },
    .keep = Keep::kInputs,
    .row_rule =
        [](const NodeView& node, int axis, int j) {
          const int rows = node.out().rank() - 2;
          if (axis < rows) return axis;
          if (j != axis - rows) return kFactor;
          const bool transposed = node.whole(j) != 0;
          return rows + ((axis == rows) == transposed ? 1 : 0);
        },
    .flops =
        [](const OpRecord& p, int) {
          const Shape& a = p.shape(0);
          const Index k = a[a.rank() - (p.whole(0) != 0 ? 2 : 1)];
          return 2.0 * static_cast<double>(p.out_shape().size()) * static_cast<double>(k);
        },
});

/// Operations of factoring a [n, n].
double factoring_flops(const Shape& a) {
  const auto n = static_cast<double>(a[0]);
  return n * n * n / 3.0;
}

/// The Cholesky factor of a symmetric matrix, in one triangle. Throws: ShapeError, DomainError.
Tensor factored(const char* name, const Tensor& a) {
  if (a.rank() != 2 || a.size(0) != a.size(1))
    throw ShapeError(fmt::format("[{}] a is {}; it must be a square matrix", name, a.shape().to_string()));
  const Index n = a.size(0);
  const double* from = a.data().data();
  double largest = 0.0;
  for (Index i = 0; i < n * n; ++i) {
    if (!std::isfinite(from[i]))
      throw DomainError(fmt::format("[{}] a, which is {}, holds {}; give finite numbers", name,
                                    a.shape().to_string(), from[i]));
    largest = std::max(largest, std::fabs(from[i]));
  }
  Tensor out = uninitialized(a.shape());
  double* factor = mutable_data(out);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j <= i; ++j) {
      if (std::fabs(from[i * n + j] - from[j * n + i]) > 1e-8 * largest)
        throw DomainError(
            fmt::format("[{}] a, which is {}, is not symmetric: a({}, {}) is {} and a({}, {}) is {}; give "
                        "0.5 * (a + transpose(a))",
                        name, a.shape().to_string(), i, j, from[i * n + j], j, i, from[j * n + i]));
      factor[i * n + j] = factor[j * n + i] = 0.5 * from[i * n + j] + 0.5 * from[j * n + i];
    }
  if (const Index minor = kernel::cholesky(name, factor, n))
    throw DomainError(fmt::format(
        "[{}] a, which is {}, is not positive definite: its leading minor of order {} is not positive; "
        "add a multiple of the identity, or look for dependent rows up to there",
        name, a.shape().to_string(), minor));
  return out;
}

Var symmetric(const Var& a) { return 0.5 * (a + transpose(a)); }

// From a x = b: da x + a dx = db, so that b's cotangent h solves a h = g, and a's is -h x^T, made symmetric.
const Op kSolveSpd({
    .name = "solve_spd",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          const Tensor &a = in[0], &b = in[1];
          if (a.rank() != 2 || a.size(0) != a.size(1) || b.rank() < 1 || b.rank() > 2 ||
              b.size(0) != a.size(0))
            throw ShapeError(fmt::format("[solve_spd] a is {}, b is {}; a must be [n, n] and b [n] or [n, k]",
                                         a.shape().to_string(), b.shape().to_string()));
          const Index n = a.size(0), columns = b.rank() == 2 ? b.size(1) : 1;
          kernel::check_side("solve_spd", columns);
          const Tensor factor = factored("solve_spd", a);
          // LAPACK counts columns first: its b is the transpose of ours.
          Tensor solved = columns == 1 ? Tensor::from(b.data(), Shape{n}) : transpose(Var(b)).value();
          Tensor out = uninitialized(solved.shape());
          std::copy(solved.data().begin(), solved.data().end(), mutable_data(out));
          kernel::cholesky_solve("solve_spd", factor.data().data(), n, mutable_data(out), columns);
          return columns == 1 ? out.reshape(b.shape()) : transpose(Var(out)).value();
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes&, const Tensor& out) {
          // The computed x solves (a + e) x = b with |e_ij| <= (3 n + 2) u sqrt(a_ii a_jj).
          const Index n = in.shape(0)[0], columns = n ? out.size() / n : 0;
          const Var roots = sqrt(diag(in[0])), x = abs(reshape(out, Shape{n, columns}));
          const Var sides = outer(roots, matmul(x, roots, {.transpose_a = true}));
          const Var inverse = abs(solve_spd(in[0], Tensor::eye(n)));
          return reshape(static_cast<double>(3 * n + 2) * matmul(inverse, sides), out.shape()).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const Var h = solve_spd(p.in(0), g);
          out.add(1, h);
          if (!out.needs(0)) return;
          const Index n = p.shape(0)[0], columns = n ? g.size() / n : 0;
          const Var product = matmul(reshape(h, Shape{n, columns}), reshape(p.out(), Shape{n, columns}),
                                     {.transpose_b = true, .scale = -1.0});
          out.add(0, symmetric(product));
        },
    .keep = Keep::kInputsAndOutput,
    .row_rule = [](const NodeView&, int axis, int j) { return axis == 0 ? kBlocked
                                                              : j == 0  ? kFactor
                                                                        : 1; },
    .flops =
        [](const OpRecord& p, int) {
          const auto n = static_cast<double>(p.shape(0)[0]);
          return factoring_flops(p.shape(0)) + 2.0 * n * static_cast<double>(p.out_shape().size());
        },
});

const Op kLogDetSpd({
    .name = "log_det_spd",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          const Tensor factor = factored("log_det_spd", in[0]);
          const Index n = factor.size(0);
          double half = 0.0;
          for (Index i = 0; i < n; ++i) half += std::log(factor.flat(i * (n + 1)));
          return Tensor::scalar(2.0 * half);
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes&, const Tensor&) {
          // That of a + e with |e_ij| <= (n + 2) u sqrt(a_ii a_jj); and n logarithms, added up, of pivots
          // that lie between 1 / (a^-1)_ii and a_ii.
          const Index n = in.shape(0)[0];
          const Var inverse = abs(solve_spd(in[0], Tensor::eye(n))), roots = sqrt(diag(in[0]));
          const Var logs = maximum(log(diag(inverse)), log(diag(in[0])));  // (a^-1)_ii a_ii >= 1
          return (static_cast<double>(n + 2) * (dot(roots, matmul(inverse, roots)) + sum(logs))).value();
        },
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, g * solve_spd(p.in(0), Tensor::eye(p.shape(0)[0]))); },
    .keep = Keep::kInputs,
    .flops = [](const OpRecord& p, int) { return 3.0 * factoring_flops(p.shape(0)); },  // and an inverse
});

}  // namespace
}  // namespace detail

using detail::apply;

Var batch_matmul(const Var& a, const Var& b, MatmulOptions options) {
  return apply(detail::kBatchMatmul, a, b, detail::attributes_of(options));
}

Var outer(const Var& a, const Var& b) {
  if (a.rank() != 1 || b.rank() != 1)
    throw ShapeError(fmt::format("[outer] a is {}, b is {}; give two vectors", a.shape().to_string(),
                                 b.shape().to_string()));
  return matmul(reshape(a, Shape{a.size(), 1}), reshape(b, Shape{1, b.size()}));
}

Var solve_spd(const Var& a, const Var& b) { return apply(detail::kSolveSpd, a, b); }
Var log_det_spd(const Var& a) { return apply(detail::kLogDetSpd, a); }

}  // namespace cotangent
