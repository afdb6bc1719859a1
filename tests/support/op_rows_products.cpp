// Rows of the table of operations: matrix products, row operations, reductions.
#include <cmath>

#include "autodiff/ops.hpp"
#include "autodiff/ops/loss_node.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tape/record.hpp"
#include "tests/support/op_row.hpp"

namespace cotangent::test {
namespace {

/// matmul with every combination of transposes, at sizes that take each branch of the kernel.
void add_matmul_rows(std::vector<OpRow>& rows) {
  struct Sizes {
    Index m, k, n;
  };
  for (const Sizes& s :
       {Sizes{3, 4, 2}, Sizes{3, 4, 1}, Sizes{1, 4, 3}, Sizes{3, 1, 2}, Sizes{1, 1, 1}, Sizes{3, 3, 3}}) {
    const Index m = s.m, k = s.k, n = s.n;
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        const MatmulOptions options{.transpose_a = ta, .transpose_b = tb, .scale = ta == tb ? -1.5 : 1.0};
        rows.push_back(
            {.name = "matmul " + Shape{m, k, n}.to_string() + (ta ? " A^T" : " A") + (tb ? "B^T" : "B"),
             .inputs = {ta ? Shape{k, m} : Shape{m, k}, tb ? Shape{n, k} : Shape{k, n}},
             .function = [options](Vars v) { return matmul(v[0], v[1], options); },
             .expected =
                 [options, m, k, n](const Plains& x) {
                   return make(Shape{m, n}, [&](const Position& p) {
                     double sum = 0.0;
                     for (Index j = 0; j < k; ++j)
                       sum += (options.transpose_a ? x[0](j, p[0]) : x[0](p[0], j)) *
                              (options.transpose_b ? x[1](p[1], j) : x[1](j, p[1]));
                     return options.scale * sum;
                   });
                 }});
      }
    }
  }
  rows.push_back({.name = "matmul, one operand on both sides",
                  .inputs = {Shape{3, 3}},
                  .function = [](Vars v) { return matmul(v[0], v[0], {.transpose_b = true}); },
                  .expected =
                      [](const Plains& x) {
                        return make(Shape{3, 3}, [&](const Position& p) {
                          double sum = 0.0;
                          for (Index j = 0; j < 3; ++j) sum += x[0](p[0], j) * x[0](p[1], j);
                          return sum;
                        });
                      }});
}

/// A matrix and a vector.
void add_matvec_rows(std::vector<OpRow>& rows) {
  struct Sizes {
    Index m, k;
  };
  for (const auto& [m, k] : {Sizes{3, 4}, Sizes{1, 5}, Sizes{4, 1}, Sizes{1, 1}, Sizes{3, 3}})
    for (const bool ta : {false, true}) {
      const MatmulOptions options{.transpose_a = ta, .scale = ta ? -1.5 : 1.0};
      rows.push_back({.name = "matmul " + Shape{m, k}.to_string() + (ta ? " A^T" : " A") + " vector",
                      .inputs = {ta ? Shape{k, m} : Shape{m, k}, Shape{k}},
                      .function = [options](Vars v) { return matmul(v[0], v[1], options); },
                      .expected =
                          [options, rows_of_result = m, inner = k](const Plains& x) {
                            return make(Shape{rows_of_result}, [&](const Position& p) {
                              double sum = 0.0;
                              for (Index j = 0; j < inner; ++j)
                                sum += (options.transpose_a ? x[0](j, p[0]) : x[0](p[0], j)) * x[1](j);
                              return options.scale * sum;
                            });
                          }});
    }
}

/// The mean of x^3 t, with t = 1, 2, ...
const detail::LossRule kCubes{
    .by_operations = [](const Var& x, const Var& t) { return mean(x * square(x) * t); },
    .slope = [](const Var& x,
                const Var& t) { return (3.0 / static_cast<double>(x.size())) * (square(x) * t); },
    .value = [](const Tensor& x, const Tensor& t) { return mean(Var(x) * square(x) * t).item(); },
    .pull_back =
        [](double* out, double g, const Tensor& x, const Tensor& t) {
          for (Index i = 0; i < x.size(); ++i)
            out[i] = 3.0 * g / static_cast<double>(x.size()) * x.flat(i) * x.flat(i) * t.flat(i);
        },
};

void add_loss_rows(std::vector<OpRow>& rows) {
  for (const Shape& shape : {Shape{3}, Shape{2, 2}})
    rows.push_back({.name = "loss of one node, " + shape.to_string(),
                    .inputs = {shape},
                    .function =
                        [](Vars v) {
                          if (v[0].tracked()) detail::live_tape("loss", v[0]).brief = true;
                          const Index n = v[0].size();
                          const Tensor t = Tensor::linspace(1.0, static_cast<double>(n), n);
                          return detail::loss_node(kCubes, v[0], t.reshape(v[0].shape()));
                        },
                    .expected =
                        [](const Plains& x) {
                          double sum = 0.0;
                          for (std::size_t i = 0; i < x[0].numbers.size(); ++i)
                            sum += std::pow(x[0].numbers[i], 3.0) * static_cast<double>(i + 1);
                          return Plain{Shape{}, {sum / static_cast<double>(x[0].numbers.size())}};
                        }});
}

void add_linear_rows(std::vector<OpRow>& rows) {
  struct Case {
    Index n, in, out;
    double weight, bias;
  };
  for (const Case& c : {Case{4, 3, 2, 1.0, 1.0}, Case{4, 3, 2, 0.5, -2.0}, Case{1, 3, 2, 1.0, 1.0},
                        Case{4, 1, 2, 1.0, 0.1}, Case{4, 3, 1, 0.25, 2.0}, Case{3, 3, 3, 1.0, 1.0}}) {
    const LinearScales scales{.weight = c.weight, .bias = c.bias};
    const std::string name = "linear " + Shape{c.n, c.in, c.out}.to_string() + " scales " +
                             std::to_string(c.weight) + " " + std::to_string(c.bias);
    const auto value = [c](const Plains& x, bool with_bias) {
      return make(Shape{c.n, c.out}, [&](const Position& p) {
        double sum = 0.0;
        for (Index k = 0; k < c.in; ++k) sum += x[0](p[0], k) * x[1](p[1], k);
        return c.weight * sum + (with_bias ? c.bias * x[2](p[1]) : 0.0);
      });
    };
    rows.push_back({.name = name + " without bias",
                    .inputs = {Shape{c.n, c.in}, Shape{c.out, c.in}},
                    .function = [scales](Vars v) { return linear(v[0], v[1], scales); },
                    .expected = [value](const Plains& x) { return value(x, false); }});
    rows.push_back({.name = name,
                    .inputs = {Shape{c.n, c.in}, Shape{c.out, c.in}, Shape{c.out}},
                    .function = [scales](Vars v) { return linear(v[0], v[1], v[2], scales); },
                    .expected = [value](const Plains& x) { return value(x, true); }});
  }
}

/// Position p of a reduced array with index m put back at `axis`.
Position inserted(const Position& p, int axis, Index m) {
  Position full{};
  for (std::size_t k = 0; k < full.size(); ++k)
    full[k] = static_cast<int>(k) < axis ? p[k] : static_cast<int>(k) == axis ? m : p[k - 1];
  return full;
}

}  // namespace

std::vector<OpRow> product_rows() {
  std::vector<OpRow> rows;
  add_matmul_rows(rows);
  add_linear_rows(rows);
  for (const Shape& shape : {Shape{}, Shape{2, 3}, Shape{17}})
    rows.push_back({.name = "dot " + shape.to_string(),
                    .inputs = {shape, shape},
                    .function = [](Vars v) { return dot(v[0], v[1]); },
                    .expected =
                        [](const Plains& x) {
                          double sum = 0.0;
                          for (std::size_t i = 0; i < x[0].numbers.size(); ++i)
                            sum += x[0].numbers[i] * x[1].numbers[i];
                          return Plain{Shape{}, {sum}};
                        }});
  rows.push_back({.name = "dot with itself",
                  .inputs = {Shape{5}},
                  .function = [](Vars v) { return dot(v[0], v[0]); },
                  .expected =
                      [](const Plains& x) {
                        double sum = 0.0;
                        for (const double number : x[0].numbers) sum += number * number;
                        return Plain{Shape{}, {sum}};
                      }});
  add_matvec_rows(rows);
  add_loss_rows(rows);
  const Shape matrix{4, 3};
  rows.push_back({.name = "add_rows",
                  .inputs = {matrix, Shape{3}},
                  .function = [](Vars v) { return add_rows(v[0], v[1]); },
                  .expected =
                      [](const Plains& x) {
                        return make(x[0].shape, [&](const Position& p) { return x[0].at(p) + x[1](p[1]); });
                      }});
  rows.push_back({.name = "mul_rows",
                  .inputs = {matrix, Shape{3}},
                  .function = [](Vars v) { return mul_rows(v[0], v[1]); },
                  .expected =
                      [](const Plains& x) {
                        return make(x[0].shape, [&](const Position& p) { return x[0].at(p) * x[1](p[1]); });
                      }});
  rows.push_back({.name = "scale_rows",
                  .inputs = {matrix, Shape{4}},
                  .function = [](Vars v) { return scale_rows(v[0], v[1]); },
                  .expected =
                      [](const Plains& x) {
                        return make(x[0].shape, [&](const Position& p) { return x[0].at(p) * x[1](p[0]); });
                      }});
  return rows;
}

std::vector<OpRow> reduction_rows() {
  std::vector<OpRow> rows;
  const auto total = [](const Plain& x) {
    double sum = 0.0;
    for (const double v : x.numbers) sum += v;
    return sum;
  };
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{19}, Shape{2, 3, 4}}) {
    rows.push_back({.name = "sum " + shape.to_string(),
                    .inputs = {shape},
                    .function = [](Vars v) { return sum(v[0]); },
                    .expected =
                        [total](const Plains& x) {
                          return Plain{Shape{}, {total(x[0])}};
                        }});
    rows.push_back({.name = "mean " + shape.to_string(),
                    .inputs = {shape},
                    .function = [](Vars v) { return mean(v[0]); },
                    .expected =
                        [total](const Plains& x) {
                          return Plain{Shape{}, {total(x[0]) / static_cast<double>(x[0].shape.size())}};
                        }});
  }
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{5}, Shape{3, 1}, Shape{1, 3}}) {
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const std::string where = " axis " + std::to_string(axis) + " of " + shape.to_string();
      const auto reduced = [axis](const Plain& x,
                                  const std::function<double(const std::vector<double>&)>& f) {
        return make(x.shape.without(axis), [&](const Position& p) {
          std::vector<double> along;
          for (Index m = 0; m < x.shape[axis]; ++m) along.push_back(x.at(inserted(p, axis, m)));
          return f(along);
        });
      };
      const auto sum_of = [](const std::vector<double>& v) {
        double sum = 0.0;
        for (const double t : v) sum += t;
        return sum;
      };
      rows.push_back({.name = "sum" + where,
                      .inputs = {shape},
                      .function = [axis](Vars v) { return sum(v[0], axis); },
                      .expected = [=](const Plains& x) { return reduced(x[0], sum_of); }});
      rows.push_back({.name = "mean" + where,
                      .inputs = {shape},
                      .function = [axis](Vars v) { return mean(v[0], axis); },
                      .expected =
                          [=](const Plains& x) {
                            return reduced(x[0], [&](const std::vector<double>& v) {
                              return sum_of(v) / static_cast<double>(v.size());
                            });
                          }});
      rows.push_back({.name = "log_sum_exp" + where,
                      .inputs = {shape},
                      .function = [axis](Vars v) { return log_sum_exp(v[0], axis); },
                      .expected =
                          [=](const Plains& x) {
                            return reduced(x[0], [](const std::vector<double>& v) {
                              double sum = 0.0;
                              for (const double t : v) sum += std::exp(t);
                              return std::log(sum);
                            });
                          }});
      rows.push_back({.name = "spread" + where,
                      .inputs = {shape.without(axis)},
                      .function = [axis, shape](Vars v) { return detail::spread(v[0], axis, shape[axis]); },
                      .expected =
                          [axis, shape](const Plains& x) {
                            return make(shape, [&](const Position& p) {
                              Position q{};
                              for (int k = 0, to = 0; k < shape.rank(); ++k)
                                if (k != axis)
                                  q[static_cast<std::size_t>(to++)] = p[static_cast<std::size_t>(k)];
                              return x[0].at(q);
                            });
                          }});
    }
  }
  return rows;
}

}  // namespace cotangent::test
