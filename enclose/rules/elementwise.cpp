// Smooth functions of each element.
#include <cmath>

#include "autodiff/ops/record_facts.hpp"
#include "enclose/rules/rules.hpp"

namespace cotangent::enclosing {

// log(1 + e^x), as x + log(1 + e^-x) where e^x may be large.
void softplus(arb_ptr y, arb_srcptr x, slong bits) {
  Ball t;
  if (arb_is_positive(x)) {
    arb_neg(t, x);
    arb_exp(t, t, bits);
    arb_log1p(t, t, bits);
    arb_add(y, x, t, bits);
  } else {
    arb_exp(t, x, bits);
    arb_log1p(y, t, bits);
  }
}

void sigmoid(arb_ptr y, arb_srcptr x, slong bits) {
  Ball t, one_more;
  if (arb_is_negative(x)) {
    arb_exp(t, x, bits);
    arb_add_ui(one_more, t, 1, bits);
    arb_div(y, t, one_more, bits);
  } else {
    arb_neg(t, x);
    arb_exp(t, t, bits);
    arb_add_ui(t, t, 1, bits);
    arb_inv(y, t, bits);
  }
}

// Of a ball around 0 neither has negative numbers.
void squared(arb_ptr y, arb_srcptr x, slong bits) {
  arb_sqr(y, x, bits);
  arb_nonnegative_part(y, y);
}
void root(arb_ptr y, arb_srcptr x, slong bits) {
  arb_sqrt(y, x, bits);
  arb_nonnegative_part(y, y);
}

void power(arb_ptr y, arb_srcptr x, arb_srcptr p, slong bits) {
  if (arb_is_int(p)) {  // then it is exact
    fmpz_t whole;
    fmpz_init(whole);
    arb_get_unique_fmpz(whole, p);
    arb_pow_fmpz(y, x, whole, bits);
    fmpz_clear(whole);
  } else if (arb_is_zero(x) && arb_is_positive(p)) {
    arb_zero(y);
  } else {
    arb_pow(y, x, p, bits);
  }
}

namespace {

// Guard bits of constants, whose error would be that of every product with them.
constexpr slong kGuard = 10;
// p - k is exact at so many bits for doubles p and small k.
constexpr slong kExact = 2200;

// s(x) s(-x).
void logistic_slope(arb_ptr y, arb_srcptr x, slong bits) {
  Ball t, s;
  arb_neg(t, x);
  sigmoid(s, t, bits);
  sigmoid(t, x, bits);
  arb_mul(y, s, t, bits);
}

// The derivatives below are multiplied by g.
void sigmoid_slope(arb_ptr y, arb_srcptr g, arb_srcptr x, slong bits) {
  Ball t;
  logistic_slope(t, x, bits);
  arb_mul(y, g, t, bits);
}

void sigmoid_moment(arb_ptr y, arb_srcptr g, arb_srcptr x, slong bits) {
  Ball t;
  logistic_slope(t, x, bits);
  arb_mul(t, t, x, bits);
  arb_mul(y, g, t, bits);
}

// 1 - tanh^2 = 4 s(2x) s(-2x).
void tanh_slope(arb_ptr y, arb_srcptr g, arb_srcptr x, slong bits) {
  Ball t;
  arb_mul_2exp_si(t, x, 1);
  logistic_slope(t, t, bits);
  arb_mul_2exp_si(t, t, 2);
  arb_mul(y, g, t, bits);
}

// s + x s' = s (1 + x s(-x)).
void silu_slope(arb_ptr y, arb_srcptr g, arb_srcptr x, slong bits) {
  Ball t, s;
  arb_neg(t, x);
  sigmoid(s, t, bits);
  arb_mul(t, x, s, bits);
  arb_add_ui(t, t, 1, bits);
  sigmoid(s, x, bits);
  arb_mul(t, t, s, bits);
  arb_mul(y, g, t, bits);
}

template <void (*f)(arb_ptr, arb_srcptr, slong)>
void times_x(arb_ptr y, arb_srcptr x, slong bits) {
  Ball t;
  f(t, x, bits);
  arb_mul(y, x, t, bits);
}

// erfc(-x / sqrt 2) / 2.
void normal_cdf(arb_ptr y, arb_srcptr x, slong bits) {
  Ball root;
  arb_sqrt_ui(root, 2, bits + kGuard);
  arb_div(y, x, root, bits);
  arb_neg(y, y);
  arb_hypgeom_erfc(y, y, bits);
  arb_mul_2exp_si(y, y, -1);
}

// F + x F' for the normal distribution function F and its density F'.
void gelu_slope(arb_ptr y, arb_srcptr g, arb_srcptr x, slong bits) {
  Ball t, density;
  arb_const_pi(t, bits + kGuard);
  arb_mul_2exp_si(t, t, 1);
  arb_rsqrt(t, t, bits + kGuard);
  arb_sqr(density, x, bits);
  arb_mul_2exp_si(density, density, -1);
  arb_neg(density, density);
  arb_exp(density, density, bits);
  arb_mul(density, density, t, bits);
  arb_mul(density, density, x, bits);
  normal_cdf(t, x, bits);
  arb_add(t, t, density, bits);
  arb_mul(y, g, t, bits);
}

/// The whole(0)-th derivative of exp(-a x^2) for a = real(0): see autodiff/ops/gaussian.cpp.
Balls bell(const Call& c) {
  Balls y(c.shape());
  const Ball minus_twice_a(-2.0 * c.real());
  Ball before, next;
  for (Index i = 0; i < y.size(); ++i) {
    arb_srcptr x = c.in[0][i];
    arb_sqr(y[i], x, c.bits());
    arb_mul(y[i], y[i], minus_twice_a, c.bits());
    arb_mul_2exp_si(y[i], y[i], -1);
    arb_exp(y[i], y[i], c.bits());
    arb_zero(before);
    for (Index j = 0; j < c.whole(0); ++j) {
      arb_mul_si(before, before, j, c.bits());
      arb_mul(next, x, y[i], c.bits());
      arb_add(next, next, before, c.bits());
      arb_mul(next, next, minus_twice_a, c.bits());
      arb_swap(before, y[i]);
      arb_swap(y[i], next);
    }
  }
  return y;
}

/// What the factor of `times` stands for, where that is no quotient.
void set_factor(Ball& s, const Call& c) {
  const Index stands_for = c.whole(1);
  if (stands_for == detail::kTwoOverRootPi || stands_for == detail::kOneOverRootTwoPi) {
    arb_const_pi(s, c.bits() + kGuard);
    if (stands_for == detail::kOneOverRootTwoPi) arb_mul_2exp_si(s, s, 1);
    arb_rsqrt(s, s, c.bits() + kGuard);
    if (stands_for == detail::kTwoOverRootPi) arb_mul_2exp_si(s, s, 1);
    if (c.real() < 0.0) arb_neg(s, s);
  } else if (stands_for <= detail::kReduced) {
    arb_set_d(s, c.real(1));
    arb_sub_si(s, s, detail::kReduced - stands_for, kExact);
  } else {
    arb_set_d(s, c.real());
  }
}

Balls scale(const Call& c) {
  Balls y(c.shape());
  const Index divisor = c.whole(1);
  Ball s;
  set_factor(s, c);
  for (Index i = 0; i < y.size(); ++i)
    if (divisor > 0)
      arb_div_si(y[i], c.in[0][i], divisor, c.bits());
    else
      arb_mul(y[i], c.in[0][i], s, c.bits());
  return y;
}

// g / x where x > 0; nothing is known of it elsewhere.
void over_positive(arb_ptr y, arb_srcptr g, arb_srcptr x, slong bits) {
  if (arb_is_positive(x))
    arb_div(y, g, x, bits);
  else
    arb_indeterminate(y);
}

/// b x^(b - 1).
void pow_slope(arb_ptr y, arb_srcptr x, arb_srcptr b, slong bits) {
  if (arb_is_zero(b)) {
    arb_zero(y);
    return;
  }
  Ball lower;
  arb_sub_ui(lower, b, 1, kExact);
  power(y, x, lower, bits);
  arb_mul(y, y, b, bits);
}

/// x^b (log x)^k for k = whole(0) >= 1, and 0 at x = 0 where b >= 0.
Balls pow_log(const Call& c) {
  Balls y(c.shape());
  const Index a = c.in[0].rank() ? 1 : 0, b = c.in[1].rank() ? 1 : 0;
  Ball t;
  for (Index i = 0; i < y.size(); ++i) {
    arb_srcptr x = c.in[0][i * a], exponent = c.in[1][i * b];
    if (arb_is_zero(x) && arb_is_nonnegative(exponent)) continue;
    arb_log(t, x, c.bits());
    arb_pow_ui(t, t, static_cast<ulong>(c.whole(0)), c.bits());
    power(y[i], x, exponent, c.bits());
    arb_mul(y[i], y[i], t, c.bits());
  }
  return y;
}

Balls pow_of(const Call& c) {
  Balls y(c.shape());
  Ball p(c.real(1));
  arb_sub_si(p, p, c.whole(0), kExact);
  for (Index i = 0; i < y.size(); ++i) power(y[i], c.in[0][i], p, c.bits());
  return y;
}

}  // namespace

void add_elementwise(RuleTable& table) {
  table["add"] = zip<arb_add>;
  table["sub"] = zip<arb_sub>;
  table["mul"] = zip<arb_mul>;
  table["div"] = zip<arb_div>;
  table["scale"] = scale;
  table["exp"] = map<arb_exp>;
  table["log"] = map<arb_log>;
  table["sqrt"] = map<root>;
  table["square"] = map<squared>;
  table["sin"] = map<arb_sin>;
  table["cos"] = map<arb_cos>;
  table["tanh"] = map<arb_tanh>;
  table["sigmoid"] = map<sigmoid>;
  table["sigmoid_slope"] = zip<sigmoid_slope>;
  table["softplus"] = map<softplus>;
  table["expm1"] = map<arb_expm1>;
  table["log1p"] = map<arb_log1p>;
  table["tanh_slope"] = zip<tanh_slope>;
  table["sigmoid_moment"] = zip<sigmoid_moment>;
  table["silu_slope"] = zip<silu_slope>;
  table["silu"] = map<times_x<sigmoid>>;
  table["normal_cdf"] = map<normal_cdf>;
  table["gelu"] =
      map<times_x<normal_cdf>>;  // the distribution function, its second input, encloses no better
  table["gelu_slope"] = zip<gelu_slope>;
  table["bell"] = bell;
  table["erf"] = map<arb_hypgeom_erf>;
  table["erfc"] = map<arb_hypgeom_erfc>;
  table["pow"] = pow_of;
  table["over_positive"] = zip<over_positive>;
  table["pow_slope"] = zip<pow_slope>;
  table["pow_log"] = pow_log;
  table["pow_var"] = zip<power>;
}

}  // namespace cotangent::enclosing
