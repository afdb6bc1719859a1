// Rows of the table of operations: those that move numbers without changing them.
#include <limits>
#include <utility>

#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "tests/support/op_row.hpp"

namespace cotangent::test {
namespace {

void add_transposes(std::vector<OpRow>& rows) {
  const std::vector<std::pair<Shape, std::vector<int>>> cases{
      {Shape{2, 3}, {1, 0}},         {Shape{2, 3, 4}, {0, 1, 2}},       {Shape{2, 3, 4}, {0, 2, 1}},
      {Shape{2, 3, 4}, {1, 0, 2}},   {Shape{2, 3, 4}, {1, 2, 0}},       {Shape{2, 3, 4}, {2, 0, 1}},
      {Shape{2, 3, 4}, {2, 1, 0}},   {Shape{2, 3, 1, 2}, {3, 1, 0, 2}}, {Shape{4}, {0}},
      {Shape{}, std::vector<int>{}},
  };
  for (const auto& [shape, order] : cases) {
    std::string name = "transpose " + shape.to_string() + " by";
    std::vector<Index> sizes;
    for (const int k : order) {
      name += " " + std::to_string(k);
      sizes.push_back(shape[k]);
    }
    rows.push_back({.name = name,
                    .inputs = {shape},
                    .function = [o = order](Vars v) { return transpose(v[0], o); },
                    .expected =
                        [o = order, to = Shape(sizes)](const Plains& x) {
                          return make(to, [&](const Position& p) {
                            Position q{};
                            for (std::size_t k = 0; k < o.size(); ++k)
                              q[static_cast<std::size_t>(o[k])] = p[k];
                            return x[0].at(q);
                          });
                        }});
  }
  rows.push_back({.name = "transpose of a matrix",
                  .inputs = {Shape{3, 5}},
                  .function = [](Vars v) { return transpose(v[0]); },
                  .expected =
                      [](const Plains& x) {
                        return make(Shape{5, 3}, [&](const Position& p) { return x[0](p[1], p[0]); });
                      }});
}

void add_slices(std::vector<OpRow>& rows) {
  struct Cut {
    Index first, last;
  };
  const Shape shape{4, 3, 5};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    for (const auto& [first, last] : {Cut{0, 3}, Cut{1, 3}, Cut{2, 3}, Cut{0, 1}}) {
      const int k = static_cast<int>(axis);
      const std::string where =
          " axis " + std::to_string(k) + ", " + std::to_string(first) + " .. " + std::to_string(last);
      rows.push_back({.name = "slice" + where,
                      .inputs = {shape},
                      .function = [k, f = first, l = last](Vars v) { return slice(v[0], k, f, l); },
                      .expected =
                          [axis, k, f = first, l = last](const Plains& x) {
                            return make(x[0].shape.with(k, l - f), [&](Position p) {
                              p[axis] += f;
                              return x[0].at(p);
                            });
                          }});
      rows.push_back({.name = "unslice" + where,
                      .inputs = {shape.with(k, last - first)},
                      .function = [k, f = first](Vars v) { return detail::unslice(v[0], k, f, 3); },
                      .expected =
                          [axis, k, f = first, l = last](const Plains& x) {
                            return make(x[0].shape.with(k, 3), [&](Position p) {
                              p[axis] -= f;
                              return p[axis] >= 0 && p[axis] < l - f ? x[0].at(p) : 0.0;
                            });
                          }});
    }
  }
}

void add_views(std::vector<OpRow>& rows) {
  const auto consecutive = [](Index offset, Shape shape) {
    return [offset, shape](const Plains& x) {
      Index at = offset;
      return make(shape, [&](const Position&) { return x[0].numbers.at(static_cast<std::size_t>(at++)); });
    };
  };
  struct Case {
    Shape from, to;
  };
  for (const auto& [from, to] :
       {Case{Shape{2, 6}, Shape{3, 4}}, Case{Shape{6}, Shape{1, 2, 3}}, Case{Shape{2, 3}, Shape{6}},
        Case{Shape{1}, Shape{}}, Case{Shape{}, Shape{1, 1}}})
    rows.push_back({.name = "reshape " + from.to_string() + " to " + to.to_string(),
                    .inputs = {from},
                    .function = [s = to](Vars v) { return reshape(v[0], s); },
                    .expected = consecutive(0, to)});
  for (const Index offset : {0, 3, 5})
    rows.push_back({.name = "view from " + std::to_string(offset),
                    .inputs = {Shape{11}},
                    .function =
                        [offset](Vars v) {
                          return view(v[0], offset, Shape{2, 3});
                        },
                    .expected = consecutive(offset, Shape{2, 3})});
  rows.push_back({.name = "view of any rank",
                  .inputs = {Shape{3, 4}},
                  .function =
                      [](Vars v) {
                        return detail::view_of(v[0], 2, Shape{3, 2});
                      },
                  .expected = consecutive(2, Shape{3, 2})});
  rows.push_back({.name = "views that overlap",
                  .inputs = {Shape{7}},
                  .function = [](Vars v) { return view(v[0], 0, Shape{5}) * view(v[0], 2, Shape{5}); },
                  .expected =
                      [](const Plains& x) {
                        return make(Shape{5}, [&](const Position& p) { return x[0](p[0]) * x[0](p[0] + 2); });
                      }});
}

void add_joins(std::vector<OpRow>& rows) {
  const Shape shape{2, 3, 2};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int k = static_cast<int>(axis);
    rows.push_back({.name = "concat axis " + std::to_string(k),
                    .inputs = {shape, shape.with(k, 1), shape.with(k, 4)},
                    .function =
                        [k](Vars v) {
                          return concat({v[0], v[1], v[2]}, k);
                        },
                    .expected =
                        [axis, k](const Plains& x) {
                          return make(x[0].shape.with(k, x[0].shape[k] + 5), [&](Position p) {
                            for (const Plain& part : x) {
                              if (p[axis] < part.shape[k]) return part.at(p);
                              p[axis] -= part.shape[k];
                            }
                            return std::numeric_limits<double>::quiet_NaN();  // never reached
                          });
                        }});
  }
  rows.push_back({.name = "concat of one part",
                  .inputs = {Shape{2, 3}},
                  .function = [](Vars v) { return concat({v[0]}, 1); },
                  .expected = [](const Plains& x) { return x[0]; }});
  rows.push_back({.name = "concat of one part six times, as a product",
                  .inputs = {Shape{2}},
                  .function =
                      [](Vars v) {
                        return concat({v[0], v[0], v[0], v[0], v[0], v[0]}, 0) * sum(v[0]);
                      },
                  .expected =
                      [](const Plains& x) {
                        return make(Shape{12},
                                    [&](const Position& p) { return x[0](p[0] % 2) * (x[0](0) + x[0](1)); });
                      }});
  rows.push_back({.name = "assemble with a gap and an overlap",
                  .inputs = {Shape{2, 2}, Shape{3}, Shape{}},
                  .function =
                      [](Vars v) {
                        return detail::assemble(
                            std::vector<detail::Piece>{{0, 1, v[0]}, {0, 3, v[1]}, {0, 11, v[2]}},
                            Shape{3, 4});
                      },
                  .expected =
                      [](const Plains& x) {
                        Plain y = make(Shape{3, 4}, [](const Position&) { return 0.0; });
                        for (std::size_t i = 0; i < 4; ++i) y.numbers[1 + i] += x[0].numbers[i];
                        for (std::size_t i = 0; i < 3; ++i) y.numbers[3 + i] += x[1].numbers[i];
                        y.numbers[11] += x[2].numbers[0];
                        return y;
                      }});
}

void add_broadcasts(std::vector<OpRow>& rows) {
  struct Case {
    Shape from, to;
  };
  for (const auto& [from, to] :
       {Case{Shape{3}, Shape{2, 3}}, Case{Shape{1, 3}, Shape{2, 3}}, Case{Shape{2, 1}, Shape{2, 3}},
        Case{Shape{}, Shape{2, 3}}, Case{Shape{1}, Shape{4}}, Case{Shape{2, 1, 3}, Shape{4, 2, 5, 3}},
        Case{Shape{3}, Shape{3}}, Case{Shape{1, 1}, Shape{3, 2, 2}}, Case{Shape{3}, Shape{1, 3}}}) {
    // Axis k of `from` is axis k + rank(to) - rank(from) of `to`.
    const auto source = [](const Shape& narrow, const Shape& wide, const Position& p) {
      Position q{};
      for (int k = 0; k < narrow.rank(); ++k)
        if (narrow[k] != 1)
          q[static_cast<std::size_t>(k)] = p[static_cast<std::size_t>(k + wide.rank() - narrow.rank())];
      return q;
    };
    rows.push_back({.name = "broadcast " + from.to_string() + " to " + to.to_string(),
                    .inputs = {from},
                    .function = [s = to](Vars v) { return broadcast_to(v[0], s); },
                    .expected =
                        [=, f = from, t = to](const Plains& x) {
                          return make(t, [&](const Position& p) { return x[0].at(source(f, t, p)); });
                        }});
    rows.push_back({.name = "sum " + to.to_string() + " down to " + from.to_string(),
                    .inputs = {to},
                    .function = [s = from](Vars v) { return detail::sum_to(v[0], s); },
                    .expected =
                        [=, f = from, t = to](const Plains& x) {
                          return make(f, [&](const Position& q) {
                            double sum = 0.0;
                            make(t, [&](const Position& p) {
                              if (source(f, t, p) == q) sum += x[0].at(p);
                              return 0.0;
                            });
                            return sum;
                          });
                        }});
  }
}

}  // namespace

std::vector<OpRow> shape_rows() {
  std::vector<OpRow> rows;
  add_transposes(rows);
  add_slices(rows);
  add_views(rows);
  add_joins(rows);
  add_broadcasts(rows);
  return rows;
}

}  // namespace cotangent::test
