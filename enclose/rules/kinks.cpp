// Operations with a kink or a step: one side where that is decided, else the hull of both.
#include <set>
#include <string_view>

#include "autodiff/ops/record_facts.hpp"
#include "enclose/rules/rules.hpp"

namespace cotangent::enclosing {

int side(arb_srcptr x, Account& account) {
  ++account.comparisons;
  if (arb_is_nonnegative(x)) return 1;
  if (arb_is_negative(x)) return -1;
  ++account.undecided;
  return 0;
}

void choose(arb_ptr y, arb_srcptr x, arb_srcptr right, arb_srcptr left, Account& account) {
  const int known = side(x, account);
  if (known > 0)
    arb_set(y, right);
  else if (known < 0)
    arb_set(y, left);
  else
    arb_union(y, right, left, account.bits);
}

void absolute(arb_ptr y, arb_srcptr x, Account& account) {
  const bool known = side(x, account) != 0;
  arb_abs(y, x);
  if (!known) arb_nonnegative_part(y, y);
}

void choose_by_mask(arb_ptr y, arb_srcptr mask, arb_srcptr a, arb_srcptr b, Account& account) {
  ++account.comparisons;
  if (arb_is_zero(mask)) {
    arb_set(y, b);
  } else if (arb_is_nonzero(mask)) {
    arb_set(y, a);
  } else {
    ++account.undecided;
    arb_union(y, a, b, account.bits);
  }
}

namespace {

Balls leaky(const Call& c, double slope) {
  Balls y(c.shape());
  const Ball m(slope);
  Ball left;
  for (Index i = 0; i < y.size(); ++i) {
    arb_mul(left, c.in[0][i], m, c.bits());
    choose(y[i], c.in[0][i], c.in[0][i], left, c.account);
  }
  return y;
}
Balls relu(const Call& c) { return leaky(c, 0.0); }
Balls leaky_relu(const Call& c) { return leaky(c, c.real()); }

Balls leaky_mask(const Call& c) {
  Balls y(c.shape());
  const Ball m(c.real());
  Ball left;
  for (Index i = 0; i < y.size(); ++i) {
    arb_mul(left, c.in[0][i], m, c.bits());
    choose(y[i], c.in[1][i], c.in[0][i], left, c.account);
  }
  return y;
}

Balls abs_of(const Call& c) {
  Balls y(c.shape());
  for (Index i = 0; i < y.size(); ++i) absolute(y[i], c.in[0][i], c.account);
  return y;
}

Balls sign(const Call& c) {
  Balls y(c.shape());
  const Ball plus(1.0), minus(-1.0);
  for (Index i = 0; i < y.size(); ++i) choose(y[i], c.in[0][i], plus, minus, c.account);
  return y;
}

Balls elu(const Call& c) {
  Balls y(c.shape());
  const Ball alpha(c.real());
  Ball left;
  for (Index i = 0; i < y.size(); ++i) {
    arb_expm1(left, c.in[0][i], c.bits());
    arb_mul(left, left, alpha, c.bits());
    choose(y[i], c.in[0][i], c.in[0][i], left, c.account);
  }
  return y;
}

Balls exp_mask(const Call& c) {
  Balls y(c.shape());
  const Ball alpha(c.real(0)), beyond(c.real(1));
  Ball left, right;
  for (Index i = 0; i < y.size(); ++i) {
    arb_mul(right, c.in[0][i], beyond, c.bits());
    arb_exp(left, c.in[1][i], c.bits());
    arb_mul(left, left, alpha, c.bits());
    arb_mul(left, left, c.in[0][i], c.bits());
    choose(y[i], c.in[1][i], right, left, c.account);
  }
  return y;
}

Balls clip(const Call& c) {
  Balls y(c.shape());
  const Ball low(c.real(0)), high(c.real(1));
  for (Index i = 0; i < y.size(); ++i) {
    arb_max(y[i], c.in[0][i], low, c.bits());
    arb_min(y[i], y[i], high, c.bits());
  }
  return y;
}

Balls band_mask(const Call& c) {
  Balls y(c.shape());
  const Index step[] = {c.in[0].rank() ? 1 : 0, c.in[1].rank() ? 1 : 0};
  const Ball low(c.real(0)), high(c.real(1)), zero;
  for (Index i = 0; i < y.size(); ++i) {
    arb_srcptr g = c.in[0][i * step[0]], x = c.in[1][i * step[1]];
    ++c.account.comparisons;
    if (arb_ge(x, low) && arb_le(x, high)) {
      arb_set(y[i], g);
    } else if (!arb_lt(x, low) && !arb_gt(x, high)) {
      ++c.account.undecided;
      arb_union(y[i], g, zero, c.bits());
    }
  }
  return y;
}

template <int (*holds)(const arb_t, const arb_t), int (*fails)(const arb_t, const arb_t)>
Balls compare_all(const Call& c) {
  Balls y(c.shape());
  const Index step[] = {c.in[0].rank() ? 1 : 0, c.in[1].rank() ? 1 : 0};
  for (Index i = 0; i < y.size(); ++i)
    compare<holds, fails>(y[i], c.in[0][i * step[0]], c.in[1][i * step[1]], c.account);
  return y;
}

Balls where(const Call& c) {
  Balls y(c.shape());
  Index step[3];
  for (std::size_t j = 0; j < 3; ++j) step[j] = c.in[j].rank() ? 1 : 0;
  for (Index i = 0; i < y.size(); ++i)
    choose_by_mask(y[i], c.in[0][i * step[0]], c.in[1][i * step[1]], c.in[2][i * step[2]], c.account);
  return y;
}

Balls extreme(const Call& c, void (*larger)(arb_ptr, arb_srcptr, arb_srcptr, slong)) {
  const detail::Around s(c.in[0].shape(), static_cast<int>(c.whole(0)));
  Balls y(c.shape());
  for (Index o = 0; o < s.outer; ++o)
    for (Index k = 0; k < s.inner; ++k) {
      arb_srcptr x = c.in[0][o * s.middle * s.inner + k];
      arb_ptr to = y[o * s.inner + k];
      arb_set(to, x);
      for (Index m = 1; m < s.middle; ++m) larger(to, to, x + m * s.inner, c.bits());
    }
  return y;
}
Balls max_of(const Call& c) { return extreme(c, arb_max); }
Balls min_of(const Call& c) { return extreme(c, arb_min); }

}  // namespace

// A maximum's value is continuous; these are not, or need not be.
bool jumps(const Op& op) {
  static const std::set<std::string_view> names{"sign",     "less",          "less_equal", "greater",
                                                "equal_to", "greater_equal", "where",      "leaky_mask",
                                                "exp_mask", "band_mask"};
  return names.contains(op.name());
}

void add_kinks(RuleTable& table) {
  table["relu"] = relu;
  table["leaky_relu"] = leaky_relu;
  table["leaky_mask"] = leaky_mask;
  table["abs"] = abs_of;
  table["sign"] = sign;
  table["elu"] = elu;
  table["exp_mask"] = exp_mask;
  table["clip"] = clip;
  table["band_mask"] = band_mask;
  table["less"] = compare_all<arb_lt, arb_ge>;
  table["less_equal"] = compare_all<arb_le, arb_gt>;
  table["greater"] = compare_all<arb_gt, arb_le>;
  table["greater_equal"] = compare_all<arb_ge, arb_lt>;
  table["equal_to"] = compare_all<arb_eq, arb_ne>;
  table["maximum"] = zip<arb_max>;
  table["minimum"] = zip<arb_min>;
  table["where"] = where;
  table["max"] = max_of;
  table["min"] = min_of;
}

}  // namespace cotangent::enclosing
