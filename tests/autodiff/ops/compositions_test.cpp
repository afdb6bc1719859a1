// Random programs: operations drawn at random, one upon another, on random shapes and numbers. Their
// derivatives of first and second order agree with differences, and what is recorded does not change a value.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cotangent {
namespace {

/// A step of a program: an operation smooth near all numbers of order 1, made from numbers in [0, 1) that the
/// program holds. `x` is the result so far, `y` an earlier one.
struct Step {
  const char* name;
  Var (*apply)(const Var& x, const Var& y, double u);
};

int axis_from(const Var& x, double u) { return static_cast<int>(u * x.rank()); }
Index size_from(double u, Index count) { return static_cast<Index>(u * static_cast<double>(count)); }

/// Both brought to one shape: y repeated or cut to x's number of elements.
Var like(const Var& x, const Var& y) {
  std::vector<double> positions;
  for (Index i = 0; i < x.size(); ++i) positions.push_back(static_cast<double>(i % y.size()));
  return reshape(gather_rows(flatten(y), Tensor::from(positions, Shape{x.size()})), x.shape());
}
/// Numbers brought back to order 1, so that a long program neither overflows nor loses its digits.
Var tame(const Var& x) { return 1.5 * tanh(0.5 * x); }
/// Rows and columns, whatever the rank was.
Var matrix(const Var& x) {
  return x.rank() == 0 ? reshape(x, Shape{1, 1})
                       : flatten(x.rank() == 1 ? reshape(x, Shape{1, x.size()}) : x, 1);
}
/// Its numbers in a row that lie 0.5 or more apart: neither ties nor kinks between them.
Var apart(const Var& x) {
  const Index n = x.size();
  const Tensor steps = (2.0 * Var(Tensor::linspace(0.0, static_cast<double>(n), n + 1))).value();
  return flatten(tame(x)) * 0.5 + slice(steps, 0, 0, n);
}
/// As it is where u is below 0.5, else below 0: for functions that differ on the two sides of 0.
Var sided(const Var& x, double u) { return (u < 0.5 ? 1.0 : -1.0) * (0.2 + square(tame(x))); }
/// Two matrices for many pairs: their number first.
Var batch(const Var& m) { return reshape(stack({m, cos(m)}, 0), Shape{2, m.size(0), m.size(1)}); }

// |x|^1.5, an operation the engine does not know.
const CustomOp kPower({.name = "test |x|^1.5",
                       .forward =
                           [](const OpInputs& in, const OpAttributes&) {
                             return map_elements(in[0], [](double t) { return std::pow(std::fabs(t), 1.5); });
                           },
                       .pullback = [](const OpRecord& p, const Var& g,
                                      OpCotangents& out) { out.add(0, 1.5 * g * p.out() / p.in(0)); },
                       .samples = OpSamples::elementwise});

Var definite(const Var& m) {
  return Tensor::eye(m.size(0)) + matmul(m, m, {.transpose_b = true, .scale = 0.3});
}

const std::vector<Step> kSteps{
    {"sum of both", [](const Var& x, const Var& y, double) { return x + like(x, y); }},
    {"difference", [](const Var& x, const Var& y, double u) { return u * x - like(x, y); }},
    {"product", [](const Var& x, const Var& y, double) { return x * like(x, y); }},
    {"quotient", [](const Var& x, const Var& y, double) { return x / (1.5 + square(like(x, y))); }},
    {"exp", [](const Var& x, const Var&, double) { return exp(tame(x)); }},
    {"log", [](const Var& x, const Var&, double) { return log(1.5 + square(x)); }},
    {"log1p", [](const Var& x, const Var&, double) { return log1p(square(x)); }},
    {"expm1", [](const Var& x, const Var&, double) { return expm1(-tame(x)); }},
    {"sqrt", [](const Var& x, const Var&, double u) { return sqrt(0.5 + u + square(x)); }},
    {"pow", [](const Var& x, const Var&, double u) { return pow(1.0 + square(tame(x)), 3.0 * u - 1.0); }},
    {"pow of both",
     [](const Var& x, const Var& y, double) { return pow(1.0 + square(tame(x)), tame(like(x, y))); }},
    {"sin", [](const Var& x, const Var&, double u) { return sin(x + 3.0 * u); }},
    {"tanh", [](const Var& x, const Var&, double) { return tanh(x); }},
    {"sigmoid", [](const Var& x, const Var&, double) { return sigmoid(x); }},
    {"softplus", [](const Var& x, const Var&, double) { return softplus(x); }},
    {"erf", [](const Var& x, const Var&, double) { return erf(x); }},
    {"gelu", [](const Var& x, const Var&, double) { return gelu(tame(x)); }},
    {"erfc", [](const Var& x, const Var&, double) { return erfc(tame(x)); }},
    {"silu", [](const Var& x, const Var&, double) { return silu(x); }},
    {"cos", [](const Var& x, const Var&, double u) { return cos(x + 3.0 * u); }},
    // Chosen by comparison, but of numbers that never come near the kink.
    {"relu", [](const Var& x, const Var&, double u) { return relu(sided(x, u)) + x; }},
    {"leaky_relu", [](const Var& x, const Var&, double u) { return leaky_relu(sided(x, u), 0.3); }},
    {"elu", [](const Var& x, const Var&, double u) { return elu(sided(x, u), 1.5); }},
    {"sign", [](const Var& x, const Var&, double u) { return sign(sided(x, u)) * x; }},
    {"minimum",
     [](const Var& x, const Var& y, double u) { return minimum(sided(x, u), sided(like(x, y), 1.0 - u)); }},
    {"masks",
     [](const Var& x, const Var& y, double u) {
       const Var a = sided(x, u), b = sided(like(x, y), 1.0 - u);
       return less(a, b) * x + 2.0 * less_equal(b, a) * b + greater(a, b) * sin(x) - greater_equal(b, a) * a +
              equal_to(a, b);
     }},
    {"custom", [](const Var& x, const Var&, double u) { return kPower(sided(x, u)); }},
    {"maximum", [](const Var& x, const Var&, double u) { return maximum(square(x), -0.5 - u); }},
    {"clip", [](const Var& x, const Var&, double) { return clip(tanh(x), -1.5, 1.5); }},
    {"abs", [](const Var& x, const Var&, double) { return abs(-1.0 - square(x)); }},
    {"where",
     [](const Var& x, const Var& y, double u) {
       // A mask for each number, of plain numbers.
       const Var places = slice(Tensor::linspace(0.0, 1.0, x.size() + 1), 0, 0, x.size());
       return where(reshape(less(places, u), x.shape()), x, sin(like(x, y)));
     }},
    {"sum along an axis",
     [](const Var& x, const Var&, double u) { return x.rank() ? sum(x, axis_from(x, u)) : x; }},
    {"mean along all but one axis",
     [](const Var& x, const Var&, double u) {
       ReduceOptions options{.keep_dims = u < 0.5};
       for (int k = 1; k < x.rank(); ++k) options.axes.push_back(k);
       return mean(x, options);
     }},
    {"variance kept", [](const Var& x, const Var&, double) { return variance(x, {.keep_dims = true}); }},
    {"norm", [](const Var& x, const Var&, double) { return norm(1.0 + square(x), {.keep_dims = true}); }},
    {"norms",
     [](const Var& x, const Var&, double u) {
       const Var one = norm(sided(x, u), {.kind = Norm::one, .keep_dims = true});
       return one + reshape(norm(apart(x) + 1.0, {.kind = Norm::infinity}), one.shape());
     }},
    {"max and min along an axis",
     [](const Var& x, const Var&, double u) {
       const Var m = reshape(apart(x), matrix(x).shape());
       return u < 0.5 ? max(m, 1) : min(m, 0);
     }},
    {"largest", [](const Var& x, const Var&, double) { return max(apart(-x)) * x - min(apart(x)); }},
    {"log_sum_exp",
     [](const Var& x, const Var&, double u) { return x.rank() ? log_sum_exp(x, axis_from(x, u)) : x; }},
    {"softmax",
     [](const Var& x, const Var&, double u) { return x.rank() ? softmax(x, axis_from(x, u)) : x; }},
    {"log_softmax",
     [](const Var& x, const Var&, double u) { return x.rank() ? log_softmax(x, axis_from(x, u)) : x; }},
    {"flatten", [](const Var& x, const Var&, double u) { return flatten(x, axis_from(x, u)); }},
    {"transpose", [](const Var& x, const Var&, double) { return transpose(matrix(x)); }},
    {"stack",
     [](const Var& x, const Var& y, double u) {
       if (x.rank() > 3) return x;
       return stack({x, tame(like(x, y))}, u < 0.5 ? 0 : x.rank());
     }},
    {"pad",
     [](const Var& x, const Var&, double u) {
       if (x.rank() == 0) return x;
       return pad(x, {.axis = axis_from(x, u), .before = 1, .value = u});
     }},
    {"slice",
     [](const Var& x, const Var&, double u) {
       if (x.rank() == 0) return x;
       const int axis = axis_from(x, u);
       const Index first = size_from(u, x.size(axis));
       return slice(x, axis, first, first + 1 + size_from(1.0 - u, x.size(axis) - first));
     }},
    {"scatter_rows",
     [](const Var& x, const Var&, double u) {
       if (x.rank() == 0) return x;
       std::vector<double> rows;
       for (Index i = 0; i < x.size(0); ++i) rows.push_back(static_cast<double>((i + size_from(u, 3)) % 3));
       return scatter_rows(x, Tensor::from(rows, Shape{x.size(0)}), 3);
     }},
    {"take_along_axis",
     [](const Var& x, const Var&, double u) {
       const Var m = matrix(x);
       std::vector<double> places;
       for (Index i = 0; i < 2 * m.size(0); ++i)
         places.push_back(static_cast<double>((i + size_from(u, 5)) % m.size(1)));
       return take_along_axis(m, Tensor::from(places, Shape{m.size(0), 2}), 1);
     }},
    {"broadcast_to",
     [](const Var& x, const Var&, double u) {
       if (x.rank() > 3) return x;
       return broadcast_to(x, x.shape().with_inserted(0, 1 + size_from(u, 3)));
     }},
    {"broadcast_to, a size 1",
     [](const Var& x, const Var&, double) {
       const Var m = matrix(x);
       return broadcast_to(slice(m, 0, 0, 1), Shape{3, m.size(1)});
     }},
    {"gather_rows",
     [](const Var& x, const Var&, double u) {
       if (x.rank() == 0) return x;
       const auto row = static_cast<double>(size_from(u, x.size(0)));
       return gather_rows(x, Tensor{row, 0, row});
     }},
    {"diag", [](const Var& x, const Var&,
                double u) { return x.size() < 6 ? diag(flatten(x)) : diag(matrix(x)) * (1.0 + u); }},
    {"lower_triangle",
     [](const Var& x, const Var&, double u) { return lower_triangle(matrix(x), u < 0.5 ? -1 : 1); }},
    {"upper_triangle",
     [](const Var& x, const Var&, double u) { return upper_triangle(matrix(x), u < 0.5 ? 0 : -1); }},
    {"trace",
     [](const Var& x, const Var&, double) {
       const Var m = matrix(x);
       return trace(matmul(m, m, {.transpose_a = true})) + x;
     }},
    {"dot", [](const Var& x, const Var& y, double) { return dot(x, sin(like(x, y))) * tame(x); }},
    {"linear",
     [](const Var& x, const Var& y, double u) {
       const Var m = matrix(x), w = matrix(like(x, y));
       return u < 0.5 ? linear(m, w, {.weight = 0.7}) : linear(m, w, sum(w, 1), {.weight = 0.7, .bias = 1.3});
     }},
    {"a vector against every row",
     [](const Var& x, const Var& y, double u) {
       const Var m = matrix(x), r = sum(matrix(sin(like(x, y))), 0);
       return u < 0.5 ? add_rows(m, r) : mul_rows(m, r);
     }},
    {"scale_rows", [](const Var& x, const Var& y,
                      double) { return scale_rows(matrix(x), sum(matrix(cos(like(x, y))), 1)); }},
    {"batch_matmul",
     [](const Var& x, const Var& y, double u) {
       const Var a = batch(matrix(x)), b = batch(matrix(sin(like(x, y))));
       return u < 0.5 ? batch_matmul(a, b, {.transpose_b = true, .scale = 0.5})
                      : batch_matmul(a, b, {.transpose_a = true});
     }},
    {"checkpoint",
     [](const Var& x, const Var& y, double) {
       return checkpoint([](const Var& a, const Var& b) { return sin(a * b) + softmax(a * a, 0); },
                         flatten(x), flatten(like(x, y)));
     }},
    {"outer", [](const Var& x, const Var& y,
                 double) { return x.size() < 6 ? outer(flatten(x), flatten(sin(like(x, y)))) : x; }},
    {"matmul", [](const Var& x, const Var&,
                  double) { return matmul(matrix(x), sin(matrix(x)), {.transpose_b = true}); }},
    {"solve_spd",
     [](const Var& x, const Var&, double) {
       const Var m = matrix(tame(x));
       return m.size(0) < 6 ? solve_spd(definite(m), cos(m)) : m;
     }},
    {"log_det_spd",
     [](const Var& x, const Var&, double) {
       const Var m = matrix(tame(x));
       return m.size(0) < 6 ? log_det_spd(definite(m)) * tame(x) : m;
     }},
};

struct Program {
  Shape shape;
  std::vector<double> numbers;
  struct Line {
    std::size_t step, earlier;
    double u;
  };
  std::vector<Line> lines;

  Var operator()(const Var& x) const {
    std::vector<Var> results{x};
    for (const Line& line : lines) {
      const Var next =
          kSteps[line.step].apply(results.back(), results[line.earlier % results.size()], line.u);
      results.push_back(next.size() > 60 ? tame(slice(flatten(next), 0, 0, 60)) : tame(next));
    }
    return results.back();
  }
  std::string to_string() const {
    std::string text = shape.to_string() + ":";
    for (const Line& line : lines)
      text += std::string(" ") + kSteps[line.step].name + " (" + std::to_string(line.earlier) + ", " +
              std::to_string(line.u) + ");";
    return text;
  }
};

Program random_program() {
  Program program;
  const int rank = *rc::gen::inRange(0, 4);
  std::vector<Index> sizes;
  for (int k = 0; k < rank; ++k) sizes.push_back(*rc::gen::inRange<Index>(1, 4));
  program.shape = Shape(sizes);
  const auto unit = rc::gen::map(rc::gen::inRange(0, 1000), [](int i) { return (i + 0.5) / 1000.0; });
  for (Index i = 0; i < program.shape.size(); ++i) program.numbers.push_back(4.0 * *unit - 2.0);
  const int length = *rc::gen::inRange(1, 7);
  for (int k = 0; k < length; ++k)
    program.lines.push_back(
        {*rc::gen::inRange<std::size_t>(0, kSteps.size()), *rc::gen::inRange<std::size_t>(0, 8), *unit});
  return program;
}

// The same programs in every run, unless RC_PARAMS asks for others.
TEST(Compositions, DerivativesOfBothOrdersAgreeWithDifferences) {
  ::setenv("RC_PARAMS", "seed=1 max_success=2000", 0);
  EXPECT_TRUE(rc::check([] {
    const Program program = random_program();
    RC_LOG() << program.to_string();
    const Tensor x = Tensor::from(program.numbers, program.shape);
    Tape tape;
    RC_ASSERT(equal(program(tape.input(x)).value(), program(x).value()));
    // Differences of functions of order 1 have five digits or more; a small derivative has fewer of its own.
    const auto check = check_gradient([&](const Var& v) { return square(program(v)) + program(v); }, x,
                                      {.directions = 1, .tolerance = 1e-5});
    for (const GradientCheckRow& row : check.rows)
      if (!(row.error <= 1e-5) && !(std::fabs(row.analytic - row.numeric) <= 1e-7))
        RC_FAIL(check.to_string());
  }));
}

TEST(Compositions, EveryStepIsTriedAlone) {
  for (std::size_t k = 0; k < kSteps.size(); ++k)
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{2, 1, 2}}) {
      Program program{shape, {}, {{k, 0, 0.3}, {k, 1, 0.7}}};
      for (Index i = 0; i < shape.size(); ++i) program.numbers.push_back(0.7 * static_cast<double>(i) - 0.9);
      const Tensor x = Tensor::from(program.numbers, shape);
      const auto check = check_gradient([&](const Var& v) { return square(program(v)) + program(v); }, x,
                                        {.directions = 2, .tolerance = 1e-5});
      for (const GradientCheckRow& row : check.rows)
        EXPECT_TRUE(row.error <= 1e-5 || std::fabs(row.analytic - row.numeric) <= 1e-8)
            << program.to_string() << "\n"
            << check.to_string();
    }
}

}  // namespace
}  // namespace cotangent
