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
void sigmoid_slope(arb_ptr y, arb_srcptr x, slong bits) {
  Ball t, s;
  arb_neg(t, x);
  sigmoid(s, t, bits);
  sigmoid(t, x, bits);
  arb_mul(y, s, t, bits);
}

/// What the factor of `times` stands for, where that is no quotient.
void set_factor(Ball& s, const Call& c) {
  const Index stands_for = c.whole(1);
  if (stands_for == detail::kTwoOverRootPi || stands_for == detail::kRootHalf) {
    if (stands_for == detail::kRootHalf)
      arb_set_ui(s, 2);
    else
      arb_const_pi(s, c.bits() + kGuard);
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
  table["sigmoid_slope"] = map<sigmoid_slope>;
  table["softplus"] = map<softplus>;
  table["expm1"] = map<arb_expm1>;
  table["log1p"] = map<arb_log1p>;
  table["erf"] = map<arb_hypgeom_erf>;
  table["erfc"] = map<arb_hypgeom_erfc>;
  table["pow"] = pow_of;
  table["pow_var"] = zip<power>;
}

}  // namespace cotangent::enclosing
