// Cholesky factors and quadratic forms in balls.
#include "enclose/definiteness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "enclose/balls/matrix.hpp"
#include "enclose/replay/access.hpp"

namespace cotangent {

using enclosing::Account;
using enclosing::Ball;
using enclosing::Balls;

namespace {

constexpr slong kMost = 4096;

/// The numbers of k, and its size.
const Balls& square_of(const char* name, const Enclosure& k) {
  const Shape& shape = k.lower().shape();
  if (shape.rank() != 2 || shape[0] != shape[1] || shape[0] == 0)
    throw ShapeError(
        fmt::format("[{}] the matrix is {}; it must be square and not empty", name, shape.to_string()));
  const Balls& b = EnclosureAccess::balls(k);
  const Index n = shape[0];
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < i; ++j)
      if (!arb_overlaps(b[i * n + j], b[j * n + i]))
        throw DomainError(fmt::format("[{}] the matrix is not symmetric: {} at [{}, {}], {} at [{}, {}]",
                                      name, k.digits(i * n + j, 17), i, j, k.digits(j * n + i, 17), j, i));
  return b;
}

/// The symmetric part of b, less mu I: its lower triangle, all that Arb looks at.
Balls shifted(const Balls& b, double mu, slong bits) {
  const Index n = b.shape()[0];
  Balls y(b.shape());
  const Ball shift(mu);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < i; ++j) {
      arb_add(y[i * n + j], b[i * n + j], b[j * n + i], bits);
      arb_mul_2exp_si(y[i * n + j], y[i * n + j], -1);
    }
    arb_sub(y[i * n + i], b[i * n + i], shift, bits);
  }
  return y;
}

bool all_exact(const Balls& b) {
  for (Index i = 0; i < b.size(); ++i)
    if (!arb_is_exact(b[i])) return false;
  return true;
}

}  // namespace

Enclosure enclosure_of(const Tensor& exact) { return EnclosureAccess::of(Balls::of(exact), {.bits = 53}); }

bool certainly_positive_definite(const Enclosure& k, double mu) {
  const Balls& b = square_of("certainly_positive_definite", k);
  if (!std::isfinite(mu))
    throw DomainError(fmt::format("[certainly_positive_definite] mu is {}; give a finite number", mu));
  for (Index i = 0; i < b.size(); ++i)
    if (!arb_is_finite(b[i])) return false;
  const slong n = b.shape()[0], most = all_exact(b) ? kMost : std::min<slong>(kMost, k.bits());
  for (slong bits = 64;; bits *= 2) {
    const Balls a = shifted(b, mu, bits);
    enclosing::Matrix matrix(a, n, n);
    arb_mat_t factor;
    arb_mat_init(factor, n, n);
    const bool proved = arb_mat_cho(factor, matrix, bits) != 0;
    arb_mat_clear(factor);
    if (proved || bits >= most) return proved;
  }
}

Enclosure rayleigh_quotient(const Enclosure& k, const Tensor& v) {
  const Balls& b = square_of("rayleigh_quotient", k);
  const Index n = b.shape()[0];
  if (!(v.shape() == Shape{n}))
    throw ShapeError(fmt::format("[rayleigh_quotient] v is {}, the matrix {}; give a number for each row",
                                 v.shape().to_string(), b.shape().to_string()));
  Account account{.bits = std::max(256, k.bits())};
  const Balls at = Balls::of(v);
  Balls quotient((Shape()));
  Ball row, length;
  for (Index i = 0; i < n; ++i) {
    arb_dot(row, nullptr, 0, b.data() + i * n, 1, at.data(), 1, n, account.bits);
    arb_addmul(quotient[0], row, at[i], account.bits);
  }
  arb_dot(length, nullptr, 0, at.data(), 1, at.data(), 1, n, account.bits);
  if (!arb_is_positive(length) || !arb_is_finite(length))
    throw DomainError("[rayleigh_quotient] v must be finite and not 0");
  arb_div(quotient[0], quotient[0], length, account.bits);
  return EnclosureAccess::of(quotient, account);
}

}  // namespace cotangent
