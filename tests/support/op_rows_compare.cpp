// Rows of the table of operations: powers, masks, and functions that choose by comparison.
#include <algorithm>
#include <cmath>

#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "tests/support/op_row.hpp"

namespace cotangent::test {
namespace {

/// Rows for where with each choice of operands that are scalars.
void add_where(std::vector<OpRow>& rows) {
  const Shape s{2, 3}, none{};
  for (const auto& [m, a, b] : {std::array{s, s, s},
                                {s, s, none},
                                {s, none, s},
                                {s, none, none},
                                {none, s, s},
                                {none, none, s},
                                {none, none, none}})
    rows.push_back({.name = "where " + m.to_string() + " " + a.to_string() + " " + b.to_string(),
                    .inputs = {m, a, b},
                    .function = [](Vars v) { return where(greater(v[0], 0.0), square(v[1]), v[2]); },
                    .expected =
                        [](const Plains& x) {
                          Shape shape;
                          for (const Plain& in : x)
                            if (in.shape.rank()) shape = in.shape;
                          const auto of = [](const Plain& in, const Position& p) {
                            return in.shape.rank() ? in.at(p) : in.numbers[0];
                          };
                          return make(shape, [&](const Position& p) {
                            return of(x[0], p) > 0.0 ? of(x[1], p) * of(x[1], p) : of(x[2], p);
                          });
                        },
                    .away = 0.1});
}

/// Masks of numbers that are never closer than a difference step; times numbers, so that something has a
/// derivative.
void add_mask(std::vector<OpRow>& rows, const std::string& name, Var (*mask)(const Var&, const Var&),
              bool (*holds)(double, double)) {
  rows.push_back({.name = name,
                  .inputs = {Shape{3, 5}, Shape{3, 5}},
                  .function = [mask](Vars v) { return mask(v[0], 0.0) * square(v[1]) + mask(0.25, v[1]); },
                  .expected =
                      [holds](const Plains& x) {
                        return make(x[0].shape, [&](const Position& p) {
                          return (holds(x[0].at(p), 0.0) ? x[1].at(p) * x[1].at(p) : 0.0) +
                                 (holds(0.25, x[1].at(p)) ? 1.0 : 0.0);
                        });
                      },
                  .away = 0.3});
}

}  // namespace

std::vector<OpRow> compare_rows() {
  std::vector<OpRow> rows;
  for (const double p : {2.0, 3.0, 1.0, 0.0, -1.0, -2.0, 4.0, 5.0})
    add_unary(
        rows, "pow " + std::to_string(p), [p](const Var& x) { return pow(x, p); },
        [p](double x) { return std::pow(x, p); }, -1.5, 1.5, 0.3);
  for (const double p : {0.5, 1.5, -0.5, 2.25})
    add_unary(
        rows, "pow " + std::to_string(p), [p](const Var& x) { return pow(x, p); },
        [p](double x) { return std::exp(p * std::log(x)); }, 0.3, 2.0);
  for (const auto& [a, b] :
       {std::pair{Shape{2, 3}, Shape{2, 3}}, {Shape{}, Shape{2, 3}}, {Shape{2, 3}, Shape{}}})
    rows.push_back({.name = "pow " + a.to_string() + " to " + b.to_string(),
                    .inputs = {a, b},
                    .function = [](Vars v) { return pow(v[0], v[1]); },
                    .expected =
                        [](const Plains& x) {
                          return make(x[0].shape.rank() ? x[0].shape : x[1].shape, [&](const Position& p) {
                            const double base = x[0].shape.rank() ? x[0].at(p) : x[0].numbers[0];
                            return std::pow(base, x[1].shape.rank() ? x[1].at(p) : x[1].numbers[0]);
                          });
                        },
                    .low = 0.3});
  add_unary(
      rows, "expm1", [](const Var& x) { return expm1(x); }, [](double x) { return std::exp(x) - 1.0; });
  add_unary(
      rows, "log1p", [](const Var& x) { return log1p(x); }, [](double x) { return std::log(1.0 + x); }, -0.7,
      3.0);
  add_unary(
      rows, "abs", [](const Var& x) { return abs(x); }, [](double x) { return x > 0.0 ? x : -x; }, -2.0, 2.0,
      0.1);
  add_unary(
      rows, "x sign(x)", [](const Var& x) { return square(x) * sign(x); },
      [](double x) { return x > 0.0 ? x * x : -x * x; }, -2.0, 2.0, 0.1);
  add_unary(
      rows, "clip", [](const Var& x) { return clip(x, -0.05, 0.05) + square(clip(x, -INFINITY, 0.05)); },
      [](double x) { return x > 0.0 ? 0.05 + 0.0025 : -0.05 + x * x; }, -2.0, 2.0, 0.1);
  add_unary(
      rows, "clip that does not bind", [](const Var& x) { return clip(x, -7.0, INFINITY); },
      [](double x) { return x; });
  rows.push_back({.name = "band_mask",
                  .inputs = {Shape{2, 5}, Shape{2, 5}},
                  .function = [](Vars v) { return detail::band_mask(v[0], v[1], 0.0, 3.0); },
                  .expected =
                      [](const Plains& x) {
                        return make(x[0].shape,
                                    [&](const Position& p) { return x[1].at(p) > 0.0 ? x[0].at(p) : 0.0; });
                      },
                  .away = 0.1});
  add_binary(
      rows, "maximum", [](const Var& a, const Var& b) { return maximum(a, b); },
      [](double a, double b) { return std::max(a, b); });
  add_binary(
      rows, "minimum", [](const Var& a, const Var& b) { return minimum(a, b); },
      [](double a, double b) { return std::min(a, b); });
  add_where(rows);
  add_mask(rows, "less", less, [](double a, double b) { return a < b; });
  add_mask(rows, "less_equal", less_equal, [](double a, double b) { return a <= b; });
  add_mask(rows, "greater", greater, [](double a, double b) { return a > b; });
  add_mask(rows, "greater_equal", greater_equal, [](double a, double b) { return a >= b; });
  add_mask(rows, "equal_to", equal_to, [](double a, double b) { return a == b; });
  return rows;
}

}  // namespace cotangent::test
