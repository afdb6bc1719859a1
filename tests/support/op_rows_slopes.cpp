// Rows of the table of operations: those that only the derivatives of others record.
#include <cmath>
#include <numbers>

#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/transforms.hpp"
#include "tests/support/op_row.hpp"

namespace cotangent::test {
namespace {

using Unary = Var (*)(const Var&);

/// f' of each element.
std::function<Var(const Var&)> slope_of(Unary f) {
  return [f](const Var& x) { return grad([f](const Var& v) { return sum(f(v)); }, x); };
}

double density(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi); }
double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

/// f(q) summed over the positions q that differ from p along an axis; `own` adds p itself.
template <class F>
double along(const Shape& shape, int axis, Position p, F f, bool own = false) {
  const auto a = static_cast<std::size_t>(axis);
  const Index here = p[a];
  double total = 0.0;
  for (p[a] = 0; p[a] < shape[axis]; ++p[a])
    if (own || p[a] != here) total += f(p);
  return total;
}

Plain softmax_of(const Plain& x, int axis) {
  return make(x.shape, [&](const Position& p) {
    return std::exp(x.at(p)) /
           along(
               x.shape, axis, p, [&](const Position& q) { return std::exp(x.at(q)); }, true);
  });
}

void add_slopes_of_softmax(std::vector<OpRow>& rows, int axis) {
  const Shape rectangle{3, 4};
  const std::string end = " axis " + std::to_string(axis);
  rows.push_back({.name = "sum_others" + end,
                  .inputs = {rectangle},
                  .function = [axis](Vars v) { return detail::sum_others(v[0], axis); },
                  .expected =
                      [axis](const Plains& x) {
                        return make(x[0].shape, [&](const Position& p) {
                          return along(x[0].shape, axis, p, [&](const Position& q) { return x[0].at(q); });
                        });
                      }});
  rows.push_back(
      {.name = "softmax_slope" + end,
       .inputs = {rectangle, rectangle},
       .function = [axis](Vars v) { return detail::softmax_slope(v[0], softmax(v[1], axis), axis); },
       .expected =
           [axis](const Plains& x) {
             const Plain s = softmax_of(x[1], axis);
             return make(s.shape, [&](const Position& p) {
               return s.at(p) * along(s.shape, axis, p,
                                      [&](const Position& q) { return s.at(q) * (x[0].at(p) - x[0].at(q)); });
             });
           }});
  rows.push_back(
      {.name = "log_softmax_slope" + end,
       .inputs = {rectangle, rectangle},
       .function = [axis](Vars v) { return detail::log_softmax_slope(v[0], softmax(v[1], axis), axis); },
       .expected =
           [axis](const Plains& x) {
             const Plain s = softmax_of(x[1], axis);
             return make(s.shape, [&](const Position& p) {
               return along(s.shape, axis, p,
                            [&](const Position& q) { return s.at(q) * x[0].at(p) - s.at(p) * x[0].at(q); });
             });
           }});
}

void add_slopes_of_pow(std::vector<OpRow>& rows) {
  for (const bool by_base : {true, false})
    rows.push_back({.name = by_base ? "slope of pow by the base" : "slope of pow by the exponent",
                    .inputs = {Shape{2, 3}, Shape{2, 3}},
                    .function =
                        [by_base](Vars v) {
                          const Var &own = v[by_base ? 0 : 1], &other = v[by_base ? 1 : 0];
                          const bool apart = other.tracked() && !own.tracked();
                          return grad(
                              [&](const Var& t) { return sum(by_base ? pow(t, other) : pow(other, t)); },
                              apart ? lift(own.value(), other) : own);
                        },
                    .expected =
                        [by_base](const Plains& x) {
                          return make(x[0].shape, [&](const Position& p) {
                            const double a = x[0].at(p), b = x[1].at(p);
                            return by_base ? b * std::pow(a, b - 1.0) : std::pow(a, b) * std::log(a);
                          });
                        },
                    .low = 0.3});
}

}  // namespace

std::vector<OpRow> slope_rows() {
  std::vector<OpRow> rows;
  add_unary(rows, "slope of tanh", slope_of(tanh),
            [](double x) { return 1.0 / std::pow(std::cosh(x), 2.0); });
  add_unary(rows, "slope of sigmoid", slope_of(sigmoid),
            [](double x) { return 0.25 / std::pow(std::cosh(0.5 * x), 2.0); });
  add_unary(rows, "slope of silu", slope_of(silu),
            [](double x) { return logistic(x) * (1.0 + x * logistic(-x)); });
  add_unary(
      rows, "second derivative of silu",
      [](const Var& x) { return grad([](const Var& v) { return sum(slope_of(silu)(v)); }, x); },
      [](double x) { return logistic(x) * logistic(-x) * (2.0 + x * (logistic(-x) - logistic(x))); });
  add_unary(rows, "slope of erf", slope_of(erf),
            [](double x) { return 2.0 * std::numbers::inv_sqrtpi * std::exp(-x * x); });
  add_unary(rows, "slope of gelu", slope_of(gelu),
            [](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2) + x * density(x); });
  add_unary(
      rows, "slope of log", slope_of(log), [](double x) { return 1.0 / x; }, 0.5, 2.0);

  rows.push_back({.name = "unit",
                  .inputs = {Shape{3, 4}},
                  .function = [](Vars v) { return detail::unit_along(v[0], 1); },
                  .expected =
                      [](const Plains& x) {
                        return make(x[0].shape, [&](const Position& p) {
                          const auto square = [&](const Position& q) { return std::pow(x[0].at(q), 2.0); };
                          return x[0].at(p) / std::sqrt(along(x[0].shape, 1, p, square, true));
                        });
                      },
                  .away = 0.5});
  for (const int axis : {0, 1, 2})
    rows.push_back({.name = "centred axis " + std::to_string(axis),
                    .inputs = {Shape{3, 4, 2}},
                    .function = [axis](Vars v) { return detail::centred(v[0], axis); },
                    .expected =
                        [axis](const Plains& x) {
                          return make(x[0].shape, [&](const Position& p) {
                            const auto number = [&](const Position& q) { return x[0].at(q); };
                            return x[0].at(p) - along(x[0].shape, axis, p, number, true) /
                                                    static_cast<double>(x[0].shape[axis]);
                          });
                        }});
  for (const int axis : {0, 1}) add_slopes_of_softmax(rows, axis);
  add_slopes_of_pow(rows);
  return rows;
}

}  // namespace cotangent::test
