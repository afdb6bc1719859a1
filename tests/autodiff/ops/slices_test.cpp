// Slices of the flat parameter vector: gradients written in place, in every mixture of whole, partial and
// overlapping use, compared with the same functions written by constant selection matrices instead of slices.
#include <cmath>

#include "autodiff/check_gradient.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tape/state.hpp"
#include "autodiff/transforms.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using test::tensor_by;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const Tensor kW{0.7, -0.3, 1.1, 0.9, -1.4, 0.2, 0.55, -0.85};

/// A way to read [offset, offset + size of shape) from w.
using Reader = std::function<Var(const Var&, Index, const Shape&)>;

Var by_view(const Var& w, Index offset, const Shape& shape) { return view(w, offset, shape); }

/// The same numbers as S w for a constant S of zeros and ones: no slice anywhere on the tape.
Var by_selection(const Var& w, Index offset, const Shape& shape) {
  const Index rows = shape.size(), columns = w.size();
  const Tensor s = tensor_by(Shape{rows, columns},
                             [&](Index k) { return k % columns == k / columns + offset ? 1.0 : 0.0; });
  const Var row = matmul(s, matmul(Tensor::eye(columns), reshape(w * 1.0, Shape{columns, 1})));
  return reshape(row * 1.0, shape);
}

struct Case {
  const char* name;
  std::function<Var(const Reader&, const Var&)> f;
};

Var cube(const Var& x) { return x * square(x); }

const std::vector<Case> kCases{
    {"every number once",
     [](const Reader& read, const Var& w) {
       return sum(cube(read(w, 0, Shape{5}))) + sum(sin(read(w, 5, Shape{3})));
     }},
    {"a gap in the middle and at the end",
     [](const Reader& read, const Var& w) {
       return sum(cube(read(w, 0, Shape{2}))) + sum(exp(read(w, 4, Shape{2})));
     }},
    {"one slice twice",
     [](const Reader& read, const Var& w) {
       return dot(cube(read(w, 1, Shape{3})), tanh(read(w, 1, Shape{3})));
     }},
    {"one slice in two shapes",
     [](const Reader& read, const Var& w) {
       return sum(matmul(read(w, 2, Shape{2, 3}), tanh(read(w, 2, Shape{3, 2}))));
     }},
    {"slices that overlap in part",
     [](const Reader& read, const Var& w) {
       return sum(cube(read(w, 0, Shape{4}))) + dot(exp(read(w, 2, Shape{4})), read(w, 3, Shape{4}));
     }},
    {"one slice inside another, the larger last",
     [](const Reader& read, const Var& w) {
       return sum(cube(read(w, 2, Shape{2}))) * sum(sin(read(w, 1, Shape{6})));
     }},
    {"one slice inside another, the smaller last",
     [](const Reader& read, const Var& w) {
       return sum(sin(read(w, 1, Shape{6}))) * sum(cube(read(w, 2, Shape{2})));
     }},
    {"the whole first, slices after",
     [](const Reader& read, const Var& w) {
       return sum(cube(w)) * sum(sin(read(w, 3, Shape{2}))) + sum(exp(read(w, 6, Shape{2})));
     }},
    {"slices first, the whole after",
     [](const Reader& read, const Var& w) {
       return sum(sin(read(w, 3, Shape{2}))) * sum(exp(read(w, 6, Shape{2}))) * sum(cube(w));
     }},
    {"the whole between slices",
     [](const Reader& read, const Var& w) {
       const Var a = sum(sin(read(w, 0, Shape{3})));
       const Var b = a * sum(cube(w));
       return b * sum(exp(read(w, 2, Shape{3})));
     }},
    {"the whole as a matrix",
     [](const Reader& read, const Var& w) {
       return sum(tanh(matmul(read(w, 0, Shape{2, 4}), read(w, 0, Shape{4, 2})))) +
              sum(cube(read(w, 7, Shape{1})));
     }},
    {"slices of slices",
     [](const Reader& read, const Var& w) {
       const Var middle = read(w, 1, Shape{6});
       return sum(cube(slice(middle, 0, 1, 3))) * sum(sin(slice(middle, 0, 2, 6))) + dot(middle, middle);
     }},
    {"a slice of a value whose cotangent another shares",
     [](const Reader& read, const Var& w) {
       const Var z = tanh(w), u = sin(w);
       const Var part = sum(cube(read(z, 2, Shape{3})));
       return part + sum(square(z + u));
     }},
    {"a product over the whole of a value whose cotangent another shares",
     [](const Reader& read, const Var& w) {
       const Var z = tanh(w), u = sin(w);
       const Var product = sum(square(matmul(Tensor{{1.0, -0.5}, {0.3, 2.0}}, read(z, 0, Shape{2, 4}))));
       return product + sum(square(z + u));
     }},
    {"nothing of a number, after the whole of it",
     [](const Reader& read, const Var& w) {
       const Var z = reshape(sum(cube(w)), Shape{1});
       const Var whole = square(sum(z));
       return whole + sum(read(z, 0, Shape{0}));
     }},
    {"matrices straight into products",
     [](const Reader& read, const Var& w) {
       const Tensor x{{1.0, -0.5}, {0.3, 2.0}, {-1.2, 0.4}};
       const Var hidden = tanh(linear(x, read(w, 0, Shape{2, 2}), read(w, 4, Shape{2})));
       return sum(square(linear(hidden, read(w, 6, Shape{1, 2}))));
     }},
    {"one matrix in two products",
     [](const Reader& read, const Var& w) {
       const Tensor x{{1.0, -0.5}, {0.3, 2.0}, {-1.2, 0.4}};
       const Var hidden = tanh(linear(x, read(w, 1, Shape{2, 2})));
       return sum(square(linear(hidden, read(w, 1, Shape{2, 2}), read(w, 4, Shape{2}))));
     }},
    {"products over overlapping matrices",
     [](const Reader& read, const Var& w) {
       const Tensor x{{1.0, -0.5}, {0.3, 2.0}, {-1.2, 0.4}};
       const Var hidden = tanh(linear(x, read(w, 0, Shape{2, 2})));
       return sum(square(linear(hidden, read(w, 2, Shape{2, 2})))) + sum(linear(x, read(w, 3, Shape{2, 2})));
     }},
    {"overlapping slices before a product over the whole",
     [](const Reader& read, const Var& w) {
       const Tensor x{{1.0, -0.5}, {0.3, 2.0}};
       const Var first = sum(tanh(matmul(x, read(w, 0, Shape{2, 4}))));
       return first + sum(cube(read(w, 0, Shape{3}))) + sum(exp(read(w, 1, Shape{3})));
     }},
};

TEST(Slices, FirstDerivativesAgreeWithSelectionMatrices) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    expect_close(grad([&](const Var& w) { return c.f(by_view, w); }, kW),
                 grad([&](const Var& w) { return c.f(by_selection, w); }, kW), 1e-13);
  }
}

TEST(Slices, SecondDerivativesAgreeWithSelectionMatrices) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    expect_close(hessian([&](const Var& w) { return c.f(by_view, w); }, kW),
                 hessian([&](const Var& w) { return c.f(by_selection, w); }, kW), 1e-12);
  }
}

TEST(Slices, ThirdDerivativesAgreeWithSelectionMatrices) {
  const Tensor u{0.3, -1.0, 0.7, 0.2, 1.1, -0.6, 0.9, 0.4};
  const Tensor v{-0.8, 0.5, 0.1, 1.3, -0.2, 0.6, -1.1, 0.7};
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const auto third = [&](const Reader& read) {
      const auto f = [&](const Var& w) { return c.f(read, w); };
      return grad([&](const Var& w) { return dot(hvp(f, w, u), v); }, kW);
    };
    expect_close(third(by_view), third(by_selection), 1e-11);
  }
}

TEST(Slices, DerivativesAgreeWithDifferences) {
  for (const Case& c : kCases) {
    const GradientCheck check = check_gradient([&](const Var& w) { return c.f(by_view, w); }, kW);
    EXPECT_TRUE(check.passed) << c.name << "\n" << check.to_string();
  }
}

// A closed form for one mixture: sum_(i<4) w_i^3 + sum_i w_(2+i) w_(3+i), i < 3.
TEST(Slices, ClosedFormOfAnOverlap) {
  const auto f = [](const Var& w) {
    return sum(cube(view(w, 0, Shape{4}))) + dot(view(w, 2, Shape{3}), view(w, 3, Shape{3}));
  };
  const Tensor g = tensor_by(Shape{8}, [](Index i) {
    return (i < 4 ? 3.0 * kW(i) * kW(i) : 0.0) + (i >= 2 && i < 5 ? kW(i + 1) : 0.0) +
           (i >= 3 && i < 6 ? kW(i - 1) : 0.0);
  });
  expect_close(grad(f, kW), g, 1e-15);
  const Tensor h = tensor_by(Shape{8, 8}, [](Index k) {
    const Index i = k / 8, j = k % 8;
    const Index low = std::min(i, j), high = std::max(i, j);
    return (i == j && i < 4 ? 6.0 * kW(i) : 0.0) + (high == low + 1 && low >= 2 && low < 5 ? 1.0 : 0.0);
  });
  expect_close(hessian(f, kW), h, 1e-15);
}

TEST(Slices, GradientWithAGraphIsOneAssembly) {
  Tape tape;
  const Var w = tape.input(kW);
  const Var y =
      sum(cube(view(w, 0, Shape{3}))) + sum(sin(view(w, 3, Shape{2}))) + sum(exp(view(w, 5, Shape{3})));
  const Var g = tape.grad(y, w, {.create_graph = true});
  int assemblies = 0;
  for (const detail::Node& node : detail::VarAccess::state(tape).nodes)
    if (node.op && std::string(node.op->name()) == "assemble") ++assemblies;
  EXPECT_EQ(assemblies, 1);
  expect_close(g.value(),
               tensor_by(Shape{8},
                         [](Index i) {
                           return i < 3 ? 3.0 * kW(i) * kW(i) : i < 5 ? std::cos(kW(i)) : std::exp(kW(i));
                         }),
               1e-15);
}

const Params kParams({{"a", Tensor{{1.0, 2.0}, {3.0, 4.0}}},
                      {"b", Tensor{0.5, -0.5}},
                      {"c", Tensor::scalar(2.0)}});

Var a_of(const Var& w) { return view(w, 0, Shape{2, 2}); }
Var b_of(const Var& w) { return view(w, 4, Shape{2}); }
Var c_of(const Var& w) { return view(w, 6, Shape{}); }

TEST(UnusedParameters, AreNamedAtFirstOrder) {
  const auto unused_b = [](const Var& w) { return sum(square(a_of(w))) * c_of(w); };
  EXPECT_THAT(error_of<TapeError>([&] { grad(unused_b, kParams); }),
              AllOf(HasSubstr("[grad]"), HasSubstr("\"b\""), Not(HasSubstr("\"a\"")), Not(HasSubstr("\"c\"")),
                    HasSubstr("use it in the function, or leave it out")));
  EXPECT_THAT(error_of<TapeError>([&] { value_and_grad(unused_b, kParams); }),
              AllOf(HasSubstr("[value_and_grad]"), HasSubstr("\"b\"")));
  EXPECT_THAT(error_of<TapeError>([] { grad([](const Var& w) { return sum(a_of(w)); }, kParams); }),
              AllOf(HasSubstr("\"b\""), HasSubstr("\"c\""), Not(HasSubstr("\"a\""))));
  EXPECT_THAT(error_of<TapeError>([] { grad([](const Var&) { return Var(1.0); }, kParams); }),
              AllOf(HasSubstr("\"a\""), HasSubstr("\"b\""), HasSubstr("\"c\"")));
  EXPECT_THAT(error_of<TapeError>([] { grad([](const Var& w) { return sum(b_of(w)); }, kParams); }),
              AllOf(HasSubstr("\"a\""), HasSubstr("\"c\""), Not(HasSubstr("\"b\""))));
}

TEST(UnusedParameters, OnlyWhenNothingOfThemIsUsed) {
  // Half of "a" is used, the rest of its gradient is zero.
  const Params g =
      grad([](const Var& w) { return sum(square(view(w, 0, Shape{2}))) + sum(b_of(w)) + c_of(w); }, kParams);
  expect_close(g["a"], Tensor{{2.0, 4.0}, {0.0, 0.0}}, 0.0);
  expect_close(g["b"], Tensor{1.0, 1.0}, 0.0);
  // A parameter that is used but happens to have a zero derivative is no error.
  const Params zero = grad([](const Var& w) { return sum(w * 0.0); }, kParams);
  expect_close(zero.flat(), Tensor::zeros(Shape{7}), 0.0);
}

// A slice across block borders, overlapping slices, and the whole vector all count as use.
TEST(UnusedParameters, AreFoundThroughEveryKindOfUse) {
  const auto used = [](VarFunction f) { grad(f, kParams); };
  EXPECT_NO_THROW(
      used([](const Var& w) { return sum(view(w, 2, Shape{3})) + c_of(w) + sum(view(w, 5, Shape{1})); }));
  EXPECT_NO_THROW(used([](const Var& w) { return sum(a_of(w)) + sum(view(w, 3, Shape{4})); }));
  EXPECT_NO_THROW(used([](const Var& w) { return sum(square(w)); }));
  EXPECT_NO_THROW(used([](const Var& w) { return sum(b_of(w)) * sum(w); }));
  EXPECT_NO_THROW(used([](const Var& w) { return sum(w) * sum(b_of(w)); }));
  EXPECT_NO_THROW(
      used([](const Var& w) { return sum(slice(w, 0, 0, 4)) + sum(slice(w, 0, 2, 6)) + c_of(w); }));
}

// Overlapping slices settle the vector, then a product fills the whole of it: nothing is unused.
TEST(UnusedParameters, AProductOverTheWholeVectorUsesAllOfIt) {
  const Params w({{"left", Tensor{1.0, 2.0, 3.0}}, {"right", Tensor::scalar(4.0)}});
  const Tensor x{{1.0, -1.0}, {0.5, 2.0}};
  const auto f = [&](const Var& v) {
    const Var product = sum(matmul(x, view(v, 0, Shape{2, 2})));
    return product + sum(square(view(v, 0, Shape{2}))) + sum(square(view(v, 1, Shape{2})));
  };
  EXPECT_EQ(error_of<TapeError>([&] { grad(f, w); }), "nothing thrown");
}

// Overlapping slices settle the vector, with a gap behind them; what is used after that narrows it down.
TEST(UnusedParameters, AreThoseOfWhatAGapKeeps) {
  const auto overlap = [](const Var& w) {
    return sum(view(w, 0, Shape{3})) + sum(square(view(w, 1, Shape{3})));
  };
  const auto error = [&](Var (*before)(const Var&)) {
    return error_of<TapeError>([&] {
      grad(
          [&](const Var& w) {
            const Var first = before(w);
            return first + overlap(w);
          },
          kParams);
    });
  };
  const auto b = HasSubstr("\"b\""), c = HasSubstr("\"c\"");
  EXPECT_THAT(error([](const Var& w) { return square(c_of(w)); }), AllOf(b, Not(c)));
  EXPECT_THAT(error([](const Var& w) { return sum(b_of(w)); }), AllOf(c, Not(b)));
  // Products over "a" alone, and over all of a value that is not w, say nothing of the gap.
  EXPECT_THAT(error([](const Var& w) { return sum(matmul(Tensor{{1.0, 2.0}}, a_of(w))); }), AllOf(b, c));
  EXPECT_THAT(error([](const Var& w) {
                const Var z = tanh(a_of(w));
                return sum(matmul(Tensor{{1.0, 2.0}}, z)) + sum(matmul(z, Tensor{{1.0}, {2.0}}));
              }),
              AllOf(b, c));
}

TEST(UnusedParameters, OneWithoutNumbersIsNeverUnusedBetweenUsedOnes) {
  const Tensor none = Tensor::zeros(Shape{0}), three{1.0, 2.0, 3.0};
  const Params w({{"a", three}, {"none", none}, {"b", three}, {"last", none}});
  const auto part = [](const Var& v, Index first, Index size) {
    return sum(square(view(v, first, Shape{size})));
  };
  EXPECT_NO_THROW(grad([&](const Var& v) { return part(v, 0, 3) + part(v, 3, 3); }, w));
  // Overlapping slices settle one of them first, then the other fills the gap.
  for (const Index first : {0, 3}) {
    const auto f = [&](const Var& v) {
      const Var other = part(v, 3 - first, 3);
      return other + part(v, first, 2) + part(v, first + 1, 2);
    };
    EXPECT_EQ(error_of<TapeError>([&] { grad(f, w); }), "nothing thrown") << first;
  }
}

TEST(UnusedParameters, AreZeroEverywhereElse) {
  const auto f = [](const Var& w) { return sum(square(a_of(w))); };
  const Tensor expected{2.0, 4.0, 6.0, 8.0, 0.0, 0.0, 0.0};
  expect_close(grad(f, kParams.flat()), expected, 0.0);
  expect_close(value_and_grad(f, kParams.flat()).grad, expected, 0.0);
  expect_close(vjp(f, kParams)(Tensor::scalar(1.0)).flat(), expected, 0.0);
  expect_close(jacobian(f, kParams), expected, 0.0);
  Tape tape;
  const Var w = tape.input(kParams.flat());
  expect_close(grad(f, w).value(), expected, 0.0);
  expect_close(tape.grad(f(w), w).value(), expected, 0.0);
  expect_close(hvp(f, kParams, kParams).flat(), expected, 0.0);
  const Tensor h = hessian(f, kParams);
  for (Index i = 0; i < 7; ++i)
    for (Index j = 0; j < 7; ++j) EXPECT_EQ(h(i, j), i == j && i < 4 ? 2.0 : 0.0);
  // In an inner call within the outermost one as well.
  const Params g = grad([&](const Var& v) { return dot(grad(f, v), v) + sum(v); }, kParams);
  EXPECT_EQ(g["c"].item(), 1.0);
}

// The gradient must be its own tensor: neither a later step nor a view may write into what a caller holds.
TEST(Slices, GradientsDoNotShareMemoryWithAnythingElse) {
  const auto f = [](const Var& w) { return sum(view(w, 0, Shape{4})) + sum(view(w, 4, Shape{4})); };
  const Tensor first = grad(f, kW);
  const Tensor kept = Tensor::from(first.data(), first.shape());
  const Tensor second = grad([](const Var& w) { return sum(cube(view(w, 0, Shape{8}))); }, kW);
  EXPECT_TRUE(equal(first, kept));
  EXPECT_FALSE(equal(first, second));
  // The cotangent handed in stays untouched although contributions are accumulated in place.
  const Tensor seed = Tensor::ones(Shape{8});
  const auto pullback = vjp([](const Var& w) { return w + w; }, kW);
  expect_close(pullback(seed), Tensor::full(Shape{8}, 2.0), 0.0);
  expect_close(pullback(seed), Tensor::full(Shape{8}, 2.0), 0.0);
  expect_close(seed, Tensor::ones(Shape{8}), 0.0);
}

}  // namespace
}  // namespace cotangent
