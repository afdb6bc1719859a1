// Rows of the table of operations: numbers picked by position, diagonals and triangles, products of many
// matrices, symmetric positive definite systems.
#include <cmath>

#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "tests/support/op_row.hpp"

namespace cotangent::test {
namespace {

void add_picking(std::vector<OpRow>& rows) {
  const std::vector<Index> picked{3, 0, 3, 1, 3};
  const Tensor index{3, 0, 3, 1, 3};
  for (const Shape& shape : {Shape{4}, Shape{4, 3}, Shape{4, 2, 2}}) {
    rows.push_back({.name = "gather_rows " + shape.to_string(),
                    .inputs = {shape},
                    .function = [index](Vars v) { return gather_rows(v[0], index); },
                    .expected =
                        [picked](const Plains& x) {
                          return make(x[0].shape.with(0, 5), [&](Position p) {
                            p[0] = picked[static_cast<std::size_t>(p[0])];
                            return x[0].at(p);
                          });
                        }});
    rows.push_back({.name = "scatter_rows " + shape.with(0, 5).to_string(),
                    .inputs = {shape.with(0, 5)},
                    .function = [index](Vars v) { return scatter_rows(v[0], index, 4); },
                    .expected =
                        [picked](const Plains& x) {
                          return make(x[0].shape.with(0, 4), [&](const Position& p) {
                            double sum = 0.0;
                            for (std::size_t i = 0; i < picked.size(); ++i) {
                              Position q = p;
                              q[0] = static_cast<Index>(i);
                              if (picked[i] == p[0]) sum += x[0].at(q);
                            }
                            return sum;
                          });
                        }});
  }
  for (std::size_t k = 0; k < 3; ++k) {
    const int axis = static_cast<int>(k);
    const Shape from{3, 3, 3}, to = from.with(axis, 2);
    const Plain positions =
        make(to, [](const Position& p) { return static_cast<double>((p[0] + 2 * p[1] + p[2]) % 3); });
    const Tensor at = tensor_of(positions);
    rows.push_back({.name = "take_along_axis " + std::to_string(axis),
                    .inputs = {from},
                    .function = [at, axis](Vars v) { return take_along_axis(v[0], at, axis); },
                    .expected =
                        [positions, k, to](const Plains& x) {
                          return make(to, [&](Position p) {
                            p[k] = static_cast<Index>(positions.at(p));
                            return x[0].at(p);
                          });
                        }});
    rows.push_back({.name = "put_along_axis " + std::to_string(axis),
                    .inputs = {to},
                    .function = [at, axis](Vars v) { return detail::put_along_axis(v[0], at, axis, 3); },
                    .expected =
                        [positions, k, from](const Plains& x) {
                          return make(from, [&](const Position& p) {
                            double sum = 0.0;
                            for (Index m = 0; m < 2; ++m) {
                              Position q = p;
                              q[k] = m;
                              if (static_cast<Index>(positions.at(q)) == p[k]) sum += x[0].at(q);
                            }
                            return sum;
                          });
                        }});
  }
}

void add_diagonals(std::vector<OpRow>& rows) {
  rows.push_back(
      {.name = "diag of a vector",
       .inputs = {Shape{4}},
       .function = [](Vars v) { return diag(v[0]); },
       .expected =
           [](const Plains& x) {
             return make(Shape{4, 4}, [&](const Position& p) { return p[0] == p[1] ? x[0](p[0]) : 0.0; });
           }});
  for (const Shape& shape : {Shape{3, 3}, Shape{2, 4}, Shape{4, 2}})
    rows.push_back({.name = "diag of " + shape.to_string(),
                    .inputs = {shape},
                    .function = [](Vars v) { return diag(v[0]); },
                    .expected =
                        [](const Plains& x) {
                          return make(Shape{std::min(x[0].shape[0], x[0].shape[1])},
                                      [&](const Position& p) { return x[0](p[0], p[0]); });
                        }});
  rows.push_back({.name = "trace",
                  .inputs = {Shape{3, 3}},
                  .function = [](Vars v) { return trace(v[0]); },
                  .expected =
                      [](const Plains& x) {
                        return Plain{Shape{}, {x[0](0, 0) + x[0](1, 1) + x[0](2, 2)}};
                      }});
  for (const Index offset : {-1, 0, 1}) {
    for (const Shape& shape : {Shape{3, 4}, Shape{2, 3, 3}})
      for (const bool lower : {true, false})
        rows.push_back(
            {.name = std::string(lower ? "lower" : "upper") + "_triangle " + std::to_string(offset) + " of " +
                     shape.to_string(),
             .inputs = {shape},
             .function =
                 [=](Vars v) { return lower ? lower_triangle(v[0], offset) : upper_triangle(v[0], offset); },
             .expected =
                 [=](const Plains& x) {
                   return make(x[0].shape, [&](const Position& p) {
                     const auto last = static_cast<std::size_t>(x[0].shape.rank() - 1);
                     const Index beyond = p[last] - p[last - 1];
                     return (lower ? beyond <= offset : beyond >= offset) ? x[0].at(p) : 0.0;
                   });
                 }});
  }
  for (std::size_t k = 0; k < 3; ++k) {
    const int axis = static_cast<int>(k);
    rows.push_back({.name = "stack axis " + std::to_string(axis),
                    .inputs = {Shape{2, 3}, Shape{2, 3}},
                    .function =
                        [axis](Vars v) {
                          return stack({v[0], v[1], v[0]}, axis);
                        },
                    .expected =
                        [k, axis](const Plains& x) {
                          return make(Shape{2, 3}.with_inserted(axis, 3), [&](const Position& p) {
                            Position q{};
                            for (std::size_t from = 0, to = 0; from < 3; ++from)
                              if (from != k) q[to++] = p[from];
                            return x[p[k] == 1 ? 1 : 0].at(q);
                          });
                        }});
    rows.push_back(
        {.name = "pad axis " + std::to_string(axis),
         .inputs = {Shape{2, 3, 2}},
         .function =
             [axis](Vars v) { return pad(v[0], {.axis = axis, .before = 2, .after = axis, .value = 0.5}); },
         .expected =
             [k, axis](const Plains& x) {
               return make(x[0].shape.with(axis, x[0].shape[axis] + 2 + axis), [&](Position p) {
                 p[k] -= 2;
                 return p[k] >= 0 && p[k] < x[0].shape[axis] ? x[0].at(p) : 0.5;
               });
             }});
    rows.push_back({.name = "flatten from " + std::to_string(axis),
                    .inputs = {Shape{2, 3, 2}},
                    .function = [axis](Vars v) { return flatten(v[0], axis); },
                    .expected =
                        [axis](const Plains& x) {
                          const Shape shapes[] = {Shape{12}, Shape{2, 6}, Shape{2, 3, 2}};
                          return Plain{shapes[axis], x[0].numbers};
                        }});
  }
}

void add_batches(std::vector<OpRow>& rows) {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const MatmulOptions options{.transpose_a = ta, .transpose_b = tb, .scale = ta ? 1.0 : -0.5};
      const Shape a = ta ? Shape{2, 2, 4, 3} : Shape{2, 2, 3, 4},
                  b = tb ? Shape{2, 2, 2, 4} : Shape{2, 2, 4, 2};
      rows.push_back({.name = std::string("batch_matmul") + (ta ? " A^T" : " A") + (tb ? "B^T" : "B"),
                      .inputs = {a, b},
                      .function = [options](Vars v) { return batch_matmul(v[0], v[1], options); },
                      .expected =
                          [=](const Plains& x) {
                            return make(Shape{2, 2, 3, 2}, [&](const Position& p) {
                              double sum = 0.0;
                              for (Index k = 0; k < 4; ++k)
                                sum += (ta ? x[0](p[0], p[1], k, p[2]) : x[0](p[0], p[1], p[2], k)) *
                                       (tb ? x[1](p[0], p[1], p[3], k) : x[1](p[0], p[1], k, p[3]));
                              return options.scale * sum;
                            });
                          }});
    }
  rows.push_back({.name = "outer",
                  .inputs = {Shape{3}, Shape{4}},
                  .function = [](Vars v) { return outer(v[0], v[1]); },
                  .expected =
                      [](const Plains& x) {
                        return make(Shape{3, 4}, [&](const Position& p) { return x[0](p[0]) * x[1](p[1]); });
                      }});
}

/// I + m m^T / 4 for any m, by operations and by loops.
Var definite(const Var& m) {
  return Tensor::eye(m.size(0)) + matmul(m, m, {.transpose_b = true, .scale = 0.25});
}
Plain definite(const Plain& m) {
  const Index n = m.shape[0];
  return make(Shape{n, n}, [&](const Position& p) {
    double sum = p[0] == p[1] ? 1.0 : 0.0;
    for (Index k = 0; k < m.shape[1]; ++k) sum += 0.25 * m(p[0], k) * m(p[1], k);
    return sum;
  });
}
/// Gauss's elimination without pivots, which such matrices do not need: b becomes a^-1 b; the determinant is
/// returned.
double eliminate(Plain a, Plain& b) {
  const auto n = static_cast<std::size_t>(a.shape[0]), columns = b.numbers.size() / n;
  double determinant = 1.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double pivot = a.numbers[i * n + i];
    determinant *= pivot;
    for (std::size_t r = 0; r < n; ++r) {
      if (r == i) continue;
      const double factor = a.numbers[r * n + i] / pivot;
      for (std::size_t k = 0; k < n; ++k) a.numbers[r * n + k] -= factor * a.numbers[i * n + k];
      for (std::size_t k = 0; k < columns; ++k)
        b.numbers[r * columns + k] -= factor * b.numbers[i * columns + k];
    }
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < columns; ++k) b.numbers[i * columns + k] /= a.numbers[i * n + i];
  return determinant;
}

void add_definite(std::vector<OpRow>& rows) {
  for (const Shape& right : {Shape{3}, Shape{3, 1}, Shape{3, 4}})
    rows.push_back({.name = "solve_spd " + right.to_string(),
                    .inputs = {Shape{3, 2}, right},
                    .function = [](Vars v) { return solve_spd(definite(v[0]), v[1]); },
                    .expected =
                        [](const Plains& x) {
                          Plain b = x[1];
                          eliminate(definite(x[0]), b);
                          return b;
                        }});
  for (const Index n : {1, 4})
    rows.push_back({.name = "log_det_spd of " + std::to_string(n),
                    .inputs = {Shape{n, 3}},
                    .function = [](Vars v) { return log_det_spd(definite(v[0])); },
                    .expected =
                        [n](const Plains& x) {
                          Plain b = make(Shape{n}, [](const Position&) { return 0.0; });
                          return Plain{Shape{}, {std::log(eliminate(definite(x[0]), b))}};
                        }});
}

}  // namespace

std::vector<OpRow> linalg_rows() {
  std::vector<OpRow> rows;
  add_picking(rows);
  add_diagonals(rows);
  add_batches(rows);
  add_definite(rows);
  return rows;
}

}  // namespace cotangent::test
