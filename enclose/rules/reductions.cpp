// Sums, lengths and exponential sums along an axis.
#include <vector>

#include "autodiff/ops/record_facts.hpp"
#include "enclose/rules/rules.hpp"

namespace cotangent::enclosing {
namespace {

using detail::Around;

/// The sum of numbers that lie a step apart, rounded once.
void sum_into(arb_ptr y, arb_srcptr x, Index step, Index count, slong bits) {
  const Ball one(1.0);
  arb_dot(y, nullptr, 0, x, step, one, 0, count, bits);
  // Nothing below 0 comes of numbers that are not, whatever rounding did to the radius.
  bool nonnegative = true;
  for (Index m = 0; m < count; ++m) nonnegative = nonnegative && arb_is_nonnegative(x + m * step);
  if (nonnegative) arb_nonnegative_part(y, y);
}

Balls sum(const Call& c) {
  Balls y(c.shape());
  sum_into(y[0], c.in[0].data(), 1, c.in[0].size(), c.bits());
  return y;
}

Around around(const Call& c) { return Around(c.in[0].shape(), static_cast<int>(c.whole(0))); }

/// f(result, first number, step to the next, how many, bits) for each line along the axis whole(0).
template <class F>
Balls along(const Call& c, F f) {
  const Around s = around(c);
  Balls y(c.shape());
  for (Index o = 0; o < s.outer; ++o)
    for (Index k = 0; k < s.inner; ++k)
      f(y[o * s.inner + k], c.in[0].data() + o * s.middle * s.inner + k, s.inner, s.middle, c.bits());
  return y;
}

Balls sum_axis(const Call& c) { return along(c, sum_into); }

Balls norm_axis(const Call& c) {
  return along(c, [](arb_ptr y, arb_srcptr x, Index step, Index count, slong bits) {
    arb_dot(y, nullptr, 0, x, step, x, step, count, bits);
    arb_sqrtpos(y, y, bits);
    arb_nonnegative_part(y, y);
  });
}

Balls centred(const Call& c) {
  const Around s = around(c);
  Balls y(c.shape());
  Ball mean;
  for (Index o = 0; o < s.outer; ++o)
    for (Index k = 0; k < s.inner; ++k) {
      const Index first = o * s.middle * s.inner + k;
      sum_into(mean, c.in[0].data() + first, s.inner, s.middle, c.bits());
      arb_div_si(mean, mean, s.middle, c.bits());
      for (Index i = first; i < first + s.middle * s.inner; i += s.inner)
        arb_sub(y[i], c.in[0][i], mean, c.bits());
    }
  return y;
}

Balls squared_deviations(const Call& c) {
  return along(c, [](arb_ptr y, arb_srcptr x, Index step, Index count, slong bits) {
    Ball mean, t;
    sum_into(mean, x, step, count, bits);
    arb_div_si(mean, mean, count, bits);
    for (Index m = 0; m < count; ++m) {
      arb_sub(t, x + m * step, mean, bits);
      arb_sqr(t, t, bits);
      arb_add(y, y, t, bits);
    }
  });
}

/// x / |x| of every line, and 0 of a line that is 0; of one that may be 0 each number is in [-1, 1].
Balls unit(const Call& c) {
  const Around s = around(c);
  Balls y(c.shape());
  Ball length;
  for (Index o = 0; o < s.outer; ++o)
    for (Index k = 0; k < s.inner; ++k) {
      const Index first = o * s.middle * s.inner + k;
      arb_srcptr x = c.in[0].data() + first;
      arb_dot(length, nullptr, 0, x, s.inner, x, s.inner, s.middle, c.bits());
      arb_sqrtpos(length, length, c.bits());
      ++c.account.comparisons;
      const bool sure = arb_is_positive(length) || arb_is_zero(length);
      if (!sure) ++c.account.undecided, ++c.account.jumps;
      for (Index m = 0; m < s.middle; ++m) {
        arb_ptr to = y[first + m * s.inner];
        if (arb_is_positive(length)) {
          arb_div(to, x + m * s.inner, length, c.bits());
        } else if (!sure) {
          arb_zero(to);
          mag_one(arb_radref(to));
        }
      }
    }
  return y;
}

/// For each number of a line the sum of the others, terms(ball, m) being those of the sum.
template <class Terms>
void sum_others_into(Balls& y, Index first, Index step, Index count, slong bits, Terms terms) {
  Ball total, term;
  for (Index m = 0; m < count; ++m) {
    arb_set(y[first + m * step], total);
    terms(term, first + m * step);
    arb_add(total, total, term, bits);
  }
  arb_zero(total);
  for (Index m = count; m-- > 0;) {
    arb_add(y[first + m * step], y[first + m * step], total, bits);
    terms(term, first + m * step);
    arb_add(total, total, term, bits);
  }
}
template <class Terms>
Balls others_of(const Call& c, Terms terms) {
  const Around s = around(c);
  Balls y(c.in[0].shape());
  for (Index o = 0; o < s.outer; ++o)
    for (Index k = 0; k < s.inner; ++k)
      sum_others_into(y, o * s.middle * s.inner + k, s.inner, s.middle, c.bits(), terms);
  return y;
}

Balls sum_others(const Call& c) {
  return others_of(c, [&](Ball& t, Index i) { arb_set(t, c.in[0][i]); });
}

// s_c (g_c sum of the other s - sum of the other s g).
Balls softmax_slope(const Call& c) {
  const Balls &g = c.in[0], &s = c.in[1];
  Balls y = others_of(c, [&](Ball& t, Index i) { arb_mul(t, s[i], g[i], c.bits()); });
  const Balls rest = others_of(c, [&](Ball& t, Index i) { arb_set(t, s[i]); });
  Ball t;
  for (Index i = 0; i < y.size(); ++i) {
    arb_mul(t, g[i], rest[i], c.bits());
    arb_sub(y[i], t, y[i], c.bits());
    arb_mul(y[i], s[i], y[i], c.bits());
  }
  return y;
}

// g_c sum of the other s - s_c sum of the other g.
Balls log_softmax_slope(const Call& c) {
  const Balls &g = c.in[0], &s = c.in[1];
  Balls y = others_of(c, [&](Ball& t, Index i) { arb_set(t, g[i]); });
  const Balls rest = others_of(c, [&](Ball& t, Index i) { arb_set(t, s[i]); });
  Ball t;
  for (Index i = 0; i < y.size(); ++i) {
    arb_mul(t, g[i], rest[i], c.bits());
    arb_mul(y[i], s[i], y[i], c.bits());
    arb_sub(y[i], t, y[i], c.bits());
  }
  return y;
}

/// exp(x_m - top) of one line for an exact number near the largest, and their sum.
class Exponentials {
 public:
  Exponentials(arb_srcptr x, Index step, Index count, slong bits) : each_(Shape{count}) {
    Index best = 0;
    for (Index m = 1; m < count; ++m)
      if (arf_cmp(arb_midref(x + m * step), arb_midref(x + best * step)) > 0) best = m;
    arb_set_arf(top_, arb_midref(x + best * step));
    for (Index m = 0; m < count; ++m) {
      arb_sub(each_[m], x + m * step, top_, bits);
      arb_exp(each_[m], each_[m], bits);
      arb_add(total_, total_, each_[m], bits);
    }
  }
  arb_srcptr each(Index m) const { return each_[m]; }
  arb_srcptr total() const { return total_; }
  /// log sum_m exp(x_m).
  void log_into(arb_ptr y, slong bits) const {
    arb_log(y, total_, bits);
    arb_add(y, y, top_, bits);
  }

 private:
  Balls each_;
  Ball top_, total_;
};

Balls log_sum_exp(const Call& c) {
  return along(c, [](arb_ptr y, arb_srcptr x, Index step, Index count, slong bits) {
    Exponentials(x, step, count, bits).log_into(y, bits);
  });
}

/// Every number of a line by f(result, number, exponentials, position).
template <class F>
Balls each_of_line(const Call& c, F f) {
  const Around s = around(c);
  Balls y(c.shape());
  for (Index o = 0; o < s.outer; ++o)
    for (Index k = 0; k < s.inner; ++k) {
      const Index first = o * s.middle * s.inner + k;
      const Exponentials e(c.in[0].data() + first, s.inner, s.middle, c.bits());
      for (Index m = 0; m < s.middle; ++m) f(y[first + m * s.inner], c.in[0][first + m * s.inner], e, m);
    }
  return y;
}

Balls softmax(const Call& c) {
  return each_of_line(c, [&](arb_ptr y, arb_srcptr, const Exponentials& e, Index m) {
    arb_div(y, e.each(m), e.total(), c.bits());
  });
}

Balls log_softmax(const Call& c) {
  return each_of_line(c, [&](arb_ptr y, arb_srcptr x, const Exponentials& e, Index) {
    e.log_into(y, c.bits());
    arb_sub(y, x, y, c.bits());
  });
}

}  // namespace

void add_reductions(RuleTable& table) {
  table["sum"] = sum;
  table["sum_axis"] = sum_axis;
  table["norm_axis"] = norm_axis;
  table["unit"] = unit;
  table["sum_others"] = sum_others;
  table["softmax_slope"] = softmax_slope;
  table["log_softmax_slope"] = log_softmax_slope;
  table["centred"] = centred;
  table["squared_deviations"] = squared_deviations;
  table["log_sum_exp"] = log_sum_exp;
  table["softmax"] = softmax;
  table["log_softmax"] = log_softmax;
}

}  // namespace cotangent::enclosing
