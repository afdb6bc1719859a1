// Matrix products and row operations: the places where parameters meet data, with their per-sample factors.
#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/kernels/elements.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/kernels/products.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {
namespace {

Tensor transposed(const Tensor& x) { return transpose(x).value(); }

Tensor scaled(const Tensor& x, double c) {
  if (c == 1.0) return x;
  Tensor out = uninitialized(x.shape());
  std::transform(x.data().begin(), x.data().end(), mutable_data(out), [c](double v) { return c * v; });
  return out;
}

/// Sizes of op(a) op(b) for operands that fit; a vector b is a column.
kernel::ProductSizes sizes_of(const Shape& a, const Shape& b, const MatmulOptions& options) {
  const bool ta = options.transpose_a, tb = options.transpose_b;
  return {.rows = a[ta ? 1 : 0], .inner = a[ta ? 0 : 1], .columns = b.rank() == 1 ? 1 : b[tb ? 0 : 1]};
}

}  // namespace

Shape matmul_shape(const char* operation, const Shape& a, const Shape& b, const MatmulOptions& options) {
  const bool vector = b.rank() == 1 && !options.transpose_b;
  if (a.rank() != 2 || (b.rank() != 2 && !vector))
    throw ShapeError(
        fmt::format("[{}] a is {}, b is {}{}; a matrix product takes two matrices, or a matrix "
                    "and a vector: reshape first",
                    operation, a.to_string(), b.to_string(),
                    b.rank() == 1 && options.transpose_b ? " (transposed)" : ""));
  const auto [rows, inner, columns] = sizes_of(a, b, options);
  const Index other = b[options.transpose_b ? 1 : 0];
  if (inner != other) {
    const char* ta = options.transpose_a ? " (transposed)" : "";
    const char* tb = options.transpose_b ? " (transposed)" : "";
    const char* hint = !vector && inner == columns ? "; did you mean transpose(b)?"
                       : rows == other             ? "; did you mean transpose(a)?"
                                                   : "; a's columns must equal b's rows";
    throw ShapeError(fmt::format("[{}] inner sizes differ: a is {}{}, b is {}{}{}", operation, a.to_string(),
                                 ta, b.to_string(), tb, hint));
  }
  kernel::check_sizes(operation, {.rows = rows, .inner = inner, .columns = columns});
  return vector ? Shape{rows} : Shape{rows, columns};
}

void matmul_into(double* y, const Tensor& a, const Tensor& b, const MatmulOptions& options, double keep) {
  kernel::matmul(y, a.data().data(), b.data().data(), sizes_of(a.shape(), b.shape(), options), options, keep);
}

namespace {

const Op kMatmul({
    .name = "matmul",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const MatmulOptions options = matmul_options(a);
          Tensor out = uninitialized(matmul_shape("matmul", in.shape(0), in.shape(1), options));
          matmul_into(mutable_data(out), in[0], in[1], options, 0.0);
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor&) {
          MatmulOptions options = matmul_options(a);
          options.scale = std::fabs(options.scale);
          const Index inner = in.shape(0)[options.transpose_a ? 0 : 1];
          return (static_cast<double>(inner + 1) * matmul(abs(in[0]), abs(in[1]), options)).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const auto [ta, tb, scale] = matmul_options(p.attributes());
          if (out.needs(0)) {
            if (p.shape(1).rank() == 1) {
              const Var& left = ta ? p.in(1) : g;
              const Var& right = ta ? g : p.in(1);
              out.add_matmul(0, reshape(left, Shape{left.size(), 1}), reshape(right, Shape{1, right.size()}),
                             {.scale = scale});
            } else if (ta) {
              out.add_matmul(0, p.in(1), g, {.transpose_a = tb, .transpose_b = true, .scale = scale});
            } else {
              out.add_matmul(0, g, p.in(1), {.transpose_b = !tb, .scale = scale});
            }
          }
          if (out.needs(1)) {
            if (tb)
              out.add_matmul(1, g, p.in(0), {.transpose_a = true, .transpose_b = ta, .scale = scale});
            else
              out.add_matmul(1, p.in(0), g, {.transpose_a = !ta, .scale = scale});
          }
        },
    .keep = Keep::kInputs,
    .row_rule =
        [](const NodeView& node, int axis, int j) {
          if (j != axis) return kFactor;
          const bool transposed_operand = node.whole(j) != 0;
          return (axis == 0) == transposed_operand ? 1 : 0;
        },
    .row_factor =
        [](const OpRecord& p, int axis, int j, const Tensor& g) {
          const auto [ta, tb, scale] = matmul_options(p.attributes());
          // y = A B: with samples along rows, B's gradient by sample i is A_i (x) g_i; along columns, A's is
          // g_i (x) B_i.
          const int data = 1 - j;
          const bool data_is_by_row = (axis == 0) != (data == 0 ? ta : tb);
          const Tensor rows = data_is_by_row ? p.in(data).value() : transposed(p.in(data).value());
          const Tensor columns = g.rank() == 1 ? g.reshape(Shape{g.size(), 1}) : g;
          const Tensor delta = scaled(axis == 0 ? columns : transposed(columns), scale);
          const bool swapped = j == 1 ? tb : ta;
          const bool data_first = (j == 1) != swapped;
          return RowFactor{delta, rows, data_first};
        },
    .flops =
        [](const OpRecord& p, int) {
          const Index k = p.shape(0)[p.whole(0) != 0 ? 0 : 1];
          return 2.0 * static_cast<double>(p.out_shape().size()) * static_cast<double>(k);
        },
});

const Op kLinear({
    .name = "linear",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const Tensor& x = in[0];
          const Tensor& weight = in[1];
          if (x.rank() != 2 || weight.rank() != 2 || x.size(1) != weight.size(1))
            throw ShapeError(
                fmt::format("[linear] x is {}, weight is {}; x must be [n, in] and weight [out, in]",
                            x.shape().to_string(), weight.shape().to_string()));
          const Index n = x.size(0), out_size = weight.size(0);
          kernel::check_sizes("linear", {.rows = n, .inner = x.size(1), .columns = out_size});
          Tensor out = uninitialized(Shape{n, out_size});
          double* y = mutable_data(out);
          double keep = 0.0;
          if (in.count() == 3) {
            const Tensor& bias = in[2];
            if (bias.rank() != 1 || bias.size(0) != out_size)
              throw ShapeError(fmt::format("[linear] weight is {}, bias is {}; bias must be [{}]",
                                           weight.shape().to_string(), bias.shape().to_string(), out_size));
            const double* b = bias.data().data();
            for (Index i = 0; i < n; ++i)
              for (Index j = 0; j < out_size; ++j) y[i * out_size + j] = a.real[1] * b[j];
            keep = 1.0;
          }
          matmul_into(y, x, weight, {.transpose_b = true, .scale = a.real[0]}, keep);
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor&) {
          const LinearScales scales{std::fabs(a.real[0]), std::fabs(a.real[1])};
          const Var x = abs(in[0]), weight = abs(in[1]);
          const Var sums =
              in.count() == 3 ? linear(x, weight, abs(in[2]), scales) : linear(x, weight, scales);
          return (static_cast<double>(in.shape(1)[1] + 2) * sums).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          out.add_matmul(0, g, p.in(1), {.scale = p.real(0)});
          out.add_matmul(1, g, p.in(0), {.transpose_a = true, .scale = p.real(0)});
          if (p.count() == 3 && out.needs(2))
            out.add(2, p.real(1) == 1.0 ? sum(g, 0) : p.real(1) * sum(g, 0));
        },
    .keep = Keep::kInputs,
    .row_rule = [](const NodeView&, int axis, int j) { return axis != 0 ? kBlocked
                                                              : j == 0  ? 0
                                                                        : kFactor; },
    .row_factor =
        [](const OpRecord& p, int, int j, const Tensor& g) {
          if (j == 1) return RowFactor{scaled(g, p.real(0)), p.in(0).value()};
          return RowFactor{scaled(g, p.real(1))};
        },
    .flops =
        [](const OpRecord& p, int j) {
          const auto product = static_cast<double>(p.out_shape().size()) * static_cast<double>(p.shape(0)[1]);
          return j == 2 ? 0.0 : 2.0 * product;
        },
});

const Op kDot({
    .name = "dot",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          if (!(in.shape(0) == in.shape(1)))
            throw ShapeError(fmt::format("[dot] shapes differ: a is {}, b is {}; reshape one of them",
                                         in.shape(0).to_string(), in.shape(1).to_string()));
          return Tensor::scalar(kernel::loops().dot(in[0].data().data(), in[1].data().data(), in[0].size()));
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes&, const Tensor&) {
          return ((additions(in[0].size()) + 1.0) * dot(abs(in[0]), abs(in[1]))).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (out.same(0, 1)) return out.add(0, (2.0 * g) * p.in(0));
          if (out.needs(0)) out.add(0, g * p.in(1));
          if (out.needs(1)) out.add(1, g * p.in(0));
        },
    .keep = Keep::kInputs,
});

void check_rows(const char* name, const char* what, const Shape& x, const Shape& r, int axis) {
  if (x.rank() != 2 || r.rank() != 1 || x[axis] != r[0])
    throw ShapeError(fmt::format("[{}] x is {}, {} is {}; x must be [n, k] and {} [{}]", name, x.to_string(),
                                 what, r.to_string(), what, axis == 1 ? "k" : "n"));
}

/// f(x_ij, r_j). Short rows go together, several at a time, beside as many copies of r.
Tensor by_rows(const Tensor& x, const Tensor& r, kernel::Elements::Binary f) {
  constexpr Index kTogether = 512;
  double repeated[kTogether];
  const Index k = x.size(1), copies = k > 0 && 2 * k <= kTogether ? kTogether / k : 1;
  Tensor out = uninitialized(x.shape());
  const double *from = x.data().data(), *beside = r.data().data();
  if (copies > 1) {
    for (Index i = 0; i < std::min(copies, x.size(0)); ++i) copy_run(repeated + i * k, beside, k);
    beside = repeated;
  }
  double* to = mutable_data(out);
  for (Index left = out.size(), step = copies * k; left > 0; left -= step, from += step, to += step)
    f(to, {from, false}, {beside, false}, std::min(step, left));
  return out;
}

int row_vector_axis(const NodeView&, int axis, int j) { return j == 0 ? axis : axis == 0 ? kFactor : 0; }

const Op kAddRows({
    .name = "add_rows",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          check_rows("add_rows", "r", in.shape(0), in.shape(1), 1);
          return by_rows(in[0], in[1], kernel::elements().add);
        },
    .roundings = 1,
    .pullback =
        [](const OpRecord&, const Var& g, OpCotangents& out) {
          out.add(0, g);
          if (out.needs(1)) out.add(1, sum(g, 0));
        },
    .row_rule = row_vector_axis,
    .row_factor = [](const OpRecord&, int, int, const Tensor& g) { return RowFactor{g}; },
});

const Op kMulRows({
    .name = "mul_rows",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          check_rows("mul_rows", "r", in.shape(0), in.shape(1), 1);
          return by_rows(in[0], in[1], kernel::elements().mul);
        },
    .roundings = 1,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (out.needs(0)) out.add(0, mul_rows(g, p.in(1)));
          if (out.needs(1)) out.add(1, sum(g * p.in(0), 0));
        },
    .keep = Keep::kInputs,
    .row_rule = row_vector_axis,
    .row_factor = [](const OpRecord& p, int, int,
                     const Tensor& g) { return RowFactor{(g * p.in(0)).value()}; },
});

const Op kScaleRows({
    .name = "scale_rows",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          check_rows("scale_rows", "s", in.shape(0), in.shape(1), 0);
          const Index n = in[0].size(0), k = in[0].size(1);
          Tensor out = uninitialized(in.shape(0));
          double* __restrict y = mutable_data(out);
          const double* x = in[0].data().data();
          for (Index i = 0; i < n; ++i) {
            const double s = in[1].flat(i);
            for (Index j = 0; j < k; ++j) y[i * k + j] = s * x[i * k + j];
          }
          return out;
        },
    .roundings = 1,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (out.needs(0)) out.add(0, scale_rows(g, p.in(1)));
          if (out.needs(1)) out.add(1, sum(g * p.in(0), 1));
        },
    .keep = Keep::kInputs,
    .row_rule = [](const NodeView&, int axis, int j) { return j == 0      ? axis
                                                              : axis == 0 ? 0
                                                                          : kFactor; },
});

}  // namespace
}  // namespace detail

using detail::apply;

Var matmul(const Var& a, const Var& b, MatmulOptions options) {
  return apply(detail::kMatmul, a, b, detail::attributes_of(options));
}
Var linear(const Var& x, const Var& weight, LinearScales scales) {
  return apply(detail::kLinear, x, weight, {.real = {scales.weight, scales.bias}});
}
Var linear(const Var& x, const Var& weight, const Var& bias, LinearScales scales) {
  return apply(detail::kLinear, x, weight, bias, {.real = {scales.weight, scales.bias}});
}
Var dot(const Var& a, const Var& b) { return apply(detail::kDot, a, b); }
Var add_rows(const Var& x, const Var& r) { return apply(detail::kAddRows, x, r); }
Var mul_rows(const Var& x, const Var& r) { return apply(detail::kMulRows, x, r); }
Var scale_rows(const Var& x, const Var& s) { return apply(detail::kScaleRows, x, s); }

}  // namespace cotangent
