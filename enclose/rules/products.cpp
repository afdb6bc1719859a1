// Matrix products, row operations, and systems with a positive definite matrix.
#include "autodiff/ops/record_facts.hpp"
#include "enclose/balls/matrix.hpp"
#include "enclose/rules/rules.hpp"

namespace cotangent::enclosing {
namespace {

void times_exact(const Balls& y, double factor, slong bits) {
  if (factor == 1.0) return;
  const Ball s(factor);
  for (Index i = 0; i < y.size(); ++i) arb_mul(y[i], y[i], s, bits);
}

Balls matmul(const Call& c) {
  const Shape &a = c.in[0].shape(), &b = c.in[1].shape();
  const bool vector = b.rank() == 1;
  Matrix left(c.in[0], a[0], a[1], c.whole(0) != 0), right(c.in[1], b[0], vector ? 1 : b[1], c.whole(1) != 0);
  Balls y(c.shape());
  Matrix result(y, left.rows(), right.columns());
  arb_mat_mul(result, left, right, c.bits());
  times_exact(y, c.real(), c.bits());
  return y;
}

Balls linear(const Call& c) {
  const Shape &x = c.in[0].shape(), &weight = c.in[1].shape();
  Matrix left(c.in[0], x[0], x[1]), right(c.in[1], weight[0], weight[1], true);
  Balls y(c.shape());
  Matrix result(y, x[0], weight[0]);
  arb_mat_mul(result, left, right, c.bits());
  times_exact(y, c.real(0), c.bits());
  if (c.in.size() < 3) return y;
  const Ball s(c.real(1));
  Ball t;
  for (Index j = 0; j < weight[0]; ++j) {
    arb_mul(t, c.in[2][j], s, c.bits());
    for (Index i = 0; i < x[0]; ++i) arb_add(y[i * weight[0] + j], y[i * weight[0] + j], t, c.bits());
  }
  return y;
}

Balls batch_matmul(const Call& c) {
  const Shape &a = c.in[0].shape(), &b = c.in[1].shape(), &to = c.shape();
  const int k = a.rank();
  const Index size_a = a[k - 2] * a[k - 1], size_b = b[k - 2] * b[k - 1], size = to[k - 2] * to[k - 1];
  Balls y(to);
  for (Index p = 0; size > 0 && p < to.size() / size; ++p) {
    Matrix left(c.in[0], a[k - 2], a[k - 1], c.whole(0) != 0, p * size_a),
        right(c.in[1], b[k - 2], b[k - 1], c.whole(1) != 0, p * size_b);
    Matrix result(y, to[k - 2], to[k - 1], false, p * size);
    arb_mat_mul(result, left, right, c.bits());
  }
  times_exact(y, c.real(), c.bits());
  return y;
}

Balls dot(const Call& c) {
  Balls y(c.shape());
  // <w, w>: what stands in both places is one number.
  const std::uint32_t source = c.step.sources[0];
  if (source != kNoNode && source == c.step.sources[1]) {
    Ball square;
    for (Index i = 0; i < c.in[0].size(); ++i) {
      arb_sqr(square, c.in[0][i], c.bits());
      arb_nonnegative_part(square, square);
      arb_add(y[0], y[0], square, c.bits());
    }
    arb_nonnegative_part(y[0], y[0]);
    return y;
  }
  arb_dot(y[0], nullptr, 0, c.in[0].data(), 1, c.in[1].data(), 1, c.in[0].size(), c.bits());
  return y;
}

/// f(x_ij, r_j), or f(x_ij, s_i).
template <void (*f)(arb_ptr, arb_srcptr, arb_srcptr, slong), bool kByColumn>
Balls by_rows(const Call& c) {
  Balls y(c.shape());
  const Index k = c.shape()[1];
  for (Index i = 0; i < y.size(); ++i) f(y[i], c.in[0][i], c.in[1][kByColumn ? i % k : i / k], c.bits());
  return y;
}

/// The Cholesky factor of the symmetric part of a, as the operations have it.
class Factor {
 public:
  Factor(const Balls& a, slong bits) : size_(a.shape()[0]) {
    arb_mat_init(factor_, size_, size_);
    Balls part(a.shape());
    for (Index i = 0; i < size_; ++i)
      for (Index j = 0; j < size_; ++j) {
        arb_add(part[i * size_ + j], a[i * size_ + j], a[j * size_ + i], bits);
        arb_mul_2exp_si(part[i * size_ + j], part[i * size_ + j], -1);
      }
    Matrix symmetric(part, size_, size_);
    known_ = arb_mat_cho(factor_, symmetric, bits) != 0;
  }
  Factor(const Factor&) = delete;
  Factor& operator=(const Factor&) = delete;
  ~Factor() { arb_mat_clear(factor_); }
  /// False if these bits do not show that a is positive definite.
  bool known() const { return known_; }
  arb_mat_struct* get() { return factor_; }

 private:
  Index size_;
  arb_mat_t factor_;
  bool known_ = false;
};

Balls nothing_known(const Shape& shape) {
  Balls y(shape);
  for (Index i = 0; i < y.size(); ++i) arb_indeterminate(y[i]);
  return y;
}

Balls solve_spd(const Call& c) {
  const Index n = c.in[0].shape()[0], columns = n ? c.in[1].size() / n : 0;
  Factor factor(c.in[0], c.bits());
  if (!factor.known()) return nothing_known(c.shape());
  Balls y(c.shape());
  Matrix right(c.in[1], n, columns), result(y, n, columns);
  arb_mat_solve_cho_precomp(result, factor.get(), right, c.bits());
  return y;
}

Balls log_det_spd(const Call& c) {
  Factor factor(c.in[0], c.bits());
  if (!factor.known()) return nothing_known(c.shape());
  Balls y(c.shape());
  Ball t;
  for (Index i = 0; i < c.in[0].shape()[0]; ++i) {
    arb_log(t, arb_mat_entry(factor.get(), i, i), c.bits());
    arb_add(y[0], y[0], t, c.bits());
  }
  arb_mul_2exp_si(y[0], y[0], 1);
  return y;
}

}  // namespace

void add_products(RuleTable& table) {
  table["matmul"] = matmul;
  table["linear"] = linear;
  table["batch_matmul"] = batch_matmul;
  table["dot"] = dot;
  table["add_rows"] = by_rows<arb_add, true>;
  table["mul_rows"] = by_rows<arb_mul, true>;
  table["scale_rows"] = by_rows<arb_mul, false>;
  table["solve_spd"] = solve_spd;
  table["log_det_spd"] = log_det_spd;
}

}  // namespace cotangent::enclosing
