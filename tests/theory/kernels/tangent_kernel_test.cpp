// Tangent kernels: structured against materialised against a loop over single samples;
// closed forms; the operator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::KernelMethod;
using theory::tangent_kernel;
using theory::TangentKernel;

double relative_difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape().to_string(), b.shape().to_string());
  double difference = 0.0, scale = 0.0;
  for (std::size_t i = 0; i < b.data().size(); ++i) {
    difference = std::max(difference, std::fabs(a.data()[i] - b.data()[i]));
    scale = std::max(scale, std::fabs(b.data()[i]));
  }
  return difference / scale;
}

/// The definition: one record a sample, one gradient an output, inner products by plain loops.
Tensor by_single_samples(ModelFunction f, const Params& w, const Tensor& x1, const Tensor& x2) {
  const auto gradients = [&](const Tensor& x) {
    std::vector<Tensor> rows;
    for (Index i = 0; i < x.size(0); ++i) {
      const Tensor j = jacobian([&](const Var& at) { return f(at, x.rows(i, i + 1)); }, w);
      const Tensor flat = j.reshape(Shape{j.size() / w.size(), w.size()});
      for (Index c = 0; c < flat.size(0); ++c) rows.push_back(flat.rows(c, c + 1));
    }
    return rows;
  };
  const std::vector<Tensor> a = gradients(x1), b = gradients(x2);
  std::vector<double> k;
  for (const Tensor& g : a)
    for (const Tensor& h : b) {
      double s = 0.0;
      for (std::size_t p = 0; p < g.data().size(); ++p) s += g.data()[p] * h.data()[p];
      k.push_back(s);
    }
  return Tensor::from(k, Shape{static_cast<Index>(a.size()), static_cast<Index>(b.size())});
}

void expect_all_ways_agree(const std::string& what, ModelFunction f, const Params& w, const Tensor& x1,
                           const Tensor& x2, KernelMethod expected = KernelMethod::structured) {
  SCOPED_TRACE(what);
  const Tensor loop12 = by_single_samples(f, w, x1, x2), loop11 = by_single_samples(f, w, x1, x1);
  const TangentKernel structured = tangent_kernel(f, w, x1, x2, {.method = KernelMethod::structured});
  EXPECT_EQ(static_cast<int>(structured.method()), static_cast<int>(expected));
  EXPECT_LT(relative_difference(structured.matrix(), loop12), 1e-12);
  EXPECT_LT(relative_difference(tangent_kernel(f, w, x1, x2, {.method = KernelMethod::materialised}).matrix(),
                                loop12),
            1e-12);
  const TangentKernel same = tangent_kernel(f, w, x1);
  EXPECT_LT(relative_difference(same.matrix(), loop11), 1e-12);
  EXPECT_TRUE(equal(same.matrix(), transpose(same.matrix()).value())) << "K(X, X) must be exactly symmetric";
  EXPECT_LT(
      relative_difference(tangent_kernel(f, w, x1, {.method = KernelMethod::materialised}).matrix(), loop11),
      1e-12);

  Rng rng(11);
  const theory::TangentKernelOperator k(f, w, x1, x2);
  const Tensor v = rng.normal(Shape{k.columns()});
  const Tensor expected_product =
      matmul(loop12, v.reshape(Shape{v.size(), 1})).value().reshape(Shape{k.rows()});
  EXPECT_LT(relative_difference(k(v), expected_product), 1e-12);
}

struct Data {
  Rng rng{5};
  Tensor x1 = rng.normal(Shape{6, 4});
  Tensor x2 = rng.normal(Shape{3, 4});
};

TEST(TangentKernel, NetworksAllWaysAgree) {
  Data d;
  const auto check = [&](const std::string& what, const nn::Sequential& net) {
    Rng rng(3);
    expect_all_ways_agree(what, net, net.init(rng), d.x1, d.x2);
  };
  const nn::LinearOptions bare{.bias = false};
  const nn::LinearOptions ntk{
      .parametrisation = nn::Parametrisation::ntk, .weight_std = 1.4, .bias_std = 0.3};
  check("with bias, one output", nn::Sequential{nn::Linear(4, 7), nn::LeakyReLU(0.1), nn::Linear(7, 1)});
  check("two outputs", nn::Sequential{nn::Linear(4, 7), nn::Tanh(), nn::Linear(7, 2)});
  check("without bias", nn::Sequential{nn::Linear(4, 5, bare), nn::Softplus(), nn::Linear(5, 3, bare)});
  check("NTK parametrisation", nn::Sequential{nn::Linear(4, 5, ntk), nn::ReLU(), nn::Linear(5, 5, ntk),
                                              nn::Tanh(), nn::Linear(5, 2, ntk)});
  check("width = n",
        nn::Sequential{nn::Linear(4, 6), nn::Tanh(), nn::Linear(6, 6), nn::Tanh(), nn::Linear(6, 1)});
  check("C = n", nn::Sequential{nn::Linear(4, 6), nn::Tanh(), nn::Linear(6, 6)});
  check("one linear layer", nn::Sequential{nn::Linear(4, 1)});
}

/// A square layer whose weight is used twice, once the other way round, in one slice.
Var used_twice(const Var& w, const Var& x) {
  const Var a = view(w, 0, Shape{4, 4}), r = view(w, 16, Shape{4});
  const Var h = tanh(add_rows(linear(x, a), r));
  return mul_rows(add_rows(matmul(tanh(linear(h, a)), a), r), r);
}

TEST(TangentKernel, SharedSlicesAllWaysAgree) {
  Data d;
  const Params w({{"a", d.rng.normal(Shape{4, 4})}, {"r", d.rng.normal(Shape{4})}});
  expect_all_ways_agree("one layer used twice and transposed", used_twice, w, d.x1, d.x2);
  expect_all_ways_agree(
      "one slice read in two shapes",
      [](const Var& v, const Var& x) {
        const Var y = linear(x, view(v, 0, Shape{4, 4}));
        const Var z = matmul(slice(x, 1, 0, 2), view(v, 0, Shape{2, 8}));
        return concat({y, z}, 1);
      },
      w, d.x1, d.x2);
  expect_all_ways_agree(
      "two products from one cotangent",
      [](const Var& v, const Var& x) {
        const Var a = view(v, 0, Shape{4, 4});
        return linear(x, a) + linear(tanh(x), a);
      },
      w, d.x1, d.x2);
  expect_all_ways_agree(
      "one bias added twice at one place",
      [](const Var& v, const Var& x) {
        const Var r = view(v, 16, Shape{4});
        return add_rows(add_rows(linear(x, view(v, 0, Shape{4, 4})), r), r);
      },
      w, d.x1, d.x2);
  expect_all_ways_agree(
      "one bias added at two places",
      [](const Var& v, const Var& x) {
        const Var a = view(v, 0, Shape{4, 4}), r = view(v, 16, Shape{4});
        return add_rows(linear(tanh(add_rows(linear(x, a), r)), a), r);
      },
      w, d.x1, d.x2);
  expect_all_ways_agree(
      "samples along columns",
      [](const Var& v, const Var& x) {
        return transpose(
            matmul(view(v, 0, Shape{4, 4}),
                   tanh(matmul(view(v, 0, Shape{4, 4}), x, {.transpose_a = true, .transpose_b = true}))));
      },
      w, d.x1, d.x2);
}

TEST(TangentKernel, IndirectParametersTakeTheSlowExactWay) {
  Data d;
  const Params w(
      {{"a", d.rng.normal(Shape{5, 4})}, {"b", d.rng.normal(Shape{2, 5})}, {"s", Tensor::scalar(0.7)}});
  const auto a = [](const Var& v) { return view(v, 0, Shape{5, 4}); };
  const auto b = [](const Var& v) { return view(v, 20, Shape{2, 5}); };
  expect_all_ways_agree(
      "W2 W1", [&](const Var& v, const Var& x) { return tanh(linear(x, matmul(b(v), a(v)))); }, w, d.x1, d.x2,
      KernelMethod::materialised);
  expect_all_ways_agree(
      "normalised", [&](const Var& v, const Var& x) { return linear(x, a(v) / sqrt(sum(square(a(v))))); }, w,
      d.x1, d.x2, KernelMethod::materialised);
  expect_all_ways_agree(
      "tied by arithmetic",
      [&](const Var& v, const Var& x) { return linear(tanh(linear(x, a(v))), 2.0 * transpose(a(v))); }, w,
      d.x1, d.x2, KernelMethod::materialised);
  expect_all_ways_agree(
      "the exponential of a scalar factor",
      [&](const Var& v, const Var& x) { return linear(x, a(v)) * exp(view(v, 30, Shape{})); }, w, d.x1, d.x2,
      KernelMethod::materialised);
  expect_all_ways_agree(
      "a scalar factor", [&](const Var& v, const Var& x) { return linear(x, a(v)) * view(v, 30, Shape{}); },
      w, d.x1, d.x2, KernelMethod::structured);
  expect_all_ways_agree(
      "overlapping slices",
      [&](const Var& v, const Var& x) {
        return linear(x, a(v)) + linear(x, view(v, 4, Shape{5, 4}));
      },
      w, d.x1, d.x2, KernelMethod::materialised);
}

TEST(TangentKernel, ChosenParametersAddUp) {
  Data d;
  const nn::Sequential net{nn::Linear(4, 5), nn::Tanh(), nn::Linear(5, 2)};
  Rng rng(3);
  const Params w = net.init(rng);
  const Tensor whole = tangent_kernel(net, w, d.x1).matrix();
  Var total = Tensor::zeros(whole.shape());
  for (const ParamEntry& entry : w.table())
    total = total + tangent_kernel(net, w, d.x1, {.params = {entry.name}}).matrix();
  EXPECT_LT(relative_difference(total.value(), whole), 1e-13);
  const Tensor biases = tangent_kernel(net, w, d.x1, {.params = {"*.bias"}}).matrix();
  EXPECT_LT(
      relative_difference(
          tangent_kernel(net, w, d.x1, {.method = KernelMethod::materialised, .params = {"*.bias"}}).matrix(),
          biases),
      1e-12);
  const theory::TangentKernelOperator k(net, w, d.x1, {.params = {"*.bias"}});
  const Tensor v = rng.normal(Shape{12});
  EXPECT_LT(relative_difference(k(v), matmul(biases, v.reshape(Shape{12, 1})).value().reshape(Shape{12})),
            1e-12);
  EXPECT_THROW(tangent_kernel(net, w, d.x1, {.params = {"1.weight"}}), DomainError);
}

TEST(TangentKernel, LeakyReluBlockForm) {  // O14, with the sheet's numbers
  const Tensor x{{1, 0}, {0, 1}, {1, 1}};  // columns are samples there
  const Params w({{"W", Tensor{{1, -1, 0.5}, {-1, 0.5, 0.25}}}});
  const Tensor v{{1}, {-2}};
  const auto model = [&](double slope) {
    return [&v, slope](const Var& p, const Var& samples) {
      return matmul(leaky_relu(linear(samples, view(p, 0, Shape{2, 3})), slope), v);
    };
  };
  const Tensor samples = transpose(x).value();
  const Tensor leaky = tangent_kernel(model(0.1), w, samples).scalar();
  EXPECT_LT(relative_difference(leaky, Tensor{{2.08, 0.5}, {0.5, 8.02}}), 1e-15);
  const theory::Spectrum s = theory::spectrum(leaky);
  EXPECT_NEAR(s.smallest(), 2.038206514384, 5e-13);
  EXPECT_NEAR(s.largest(), 8.061793485616, 5e-13);
  const theory::Spectrum relu = theory::spectrum(tangent_kernel(model(0.0), w, samples).scalar());
  EXPECT_NEAR(relu.smallest(), 2.0, 1e-14);
  EXPECT_NEAR(relu.largest(), 8.0, 1e-14);
  const theory::Spectrum linear_net =
      theory::spectrum(tangent_kernel(model(1.0), w, samples).scalar());  // O13
  EXPECT_NEAR(linear_net.smallest(), 5.0, 1e-13);
  EXPECT_NEAR(linear_net.largest(), 15.0, 1e-13);
}

TEST(TangentKernel, ShapesAndRefusals) {
  Data d;
  const nn::Sequential net{nn::Linear(4, 5), nn::Tanh(), nn::Linear(5, 2)};
  Rng rng(3);
  const Params w = net.init(rng);
  const TangentKernel k = tangent_kernel(net, w, d.x1, d.x2);
  EXPECT_EQ(k.values().shape().to_string(), "[6, 3, 2, 2]");
  EXPECT_EQ(k.values()(4, 2, 1, 0), k.matrix()(4 * 2 + 1, 2 * 2 + 0));
  const auto message = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const std::exception& e) {
      return e.what();
    }
    return "nothing thrown";
  };
  EXPECT_THAT(message([&] { k.scalar(); }), HasSubstr("2 outputs"));
  EXPECT_THAT(message([&] {
                theory::TangentKernelOperator(net, w, d.x1)(Tensor{1, 2});
              }),
              HasSubstr("the kernel is [12, 12], v is [2]"));
  const auto centred = [&](const Var& p, const Var& x) {
    const Var y = net(p, x);
    return add_rows(y, -mean(y, 0));
  };
  EXPECT_THAT(message([&] { tangent_kernel(centred, w, d.x1); }), HasSubstr("[sum_axis] mixes samples"));
  EXPECT_THAT(message([&] {
                tangent_kernel(net, w, Tensor::zeros(Shape{0, 4}));
              }),
              HasSubstr("at least one sample"));
}

// Values alike, gradients not: rows one by one, which products cannot have.
TEST(TangentKernel, AFunctionThatIsAnotherOneInABatch) {
  const Params w(Tensor{1.0}, {{"w", Shape{1}, 0}});
  const Tensor x = Tensor::ones(Shape{5, 1});
  const auto half = [](const Var& v, const Var& xv) {
    const Var h = matmul(xv, reshape(v, Shape{1, 1}));
    return xv.size(0) > 1 ? 0.5 * h + 0.5 * detach(h) : h;
  };
  for (const KernelMethod method :
       {KernelMethod::automatic, KernelMethod::structured, KernelMethod::materialised})
    EXPECT_TRUE(equal(tangent_kernel(half, w, x, {.method = method}).matrix(), Tensor::ones(Shape{5, 5})));
  EXPECT_THROW(tangent_kernel(half, w, x, {.method = KernelMethod::products}), TapeError);
}

TEST(Spectrum, KnownMatrices) {
  // The second difference matrix: eigenvalues 2 - 2 cos(k pi / (n + 1)).
  const Index n = 40;
  std::vector<double> a(static_cast<std::size_t>(n * n), 0.0);
  for (Index i = 0; i < n; ++i) {
    a[static_cast<std::size_t>(i * n + i)] = 2.0;
    if (i) a[static_cast<std::size_t>(i * n + i - 1)] = a[static_cast<std::size_t>((i - 1) * n + i)] = -1.0;
  }
  const theory::Spectrum s = theory::spectrum(Tensor::from(a, Shape{n, n}));
  for (Index k = 1; k <= n; ++k) {
    const double exact = 2.0 - 2.0 * std::cos(static_cast<double>(k) * M_PI / static_cast<double>(n + 1));
    EXPECT_LE(std::fabs(s.values(k - 1) - exact), s.bound + 1e-15);
  }
  EXPECT_LT(s.bound, 1e-12);
  EXPECT_GT(s.bound, 0.0);
  EXPECT_NEAR(s.condition(), (2 + 2 * std::cos(M_PI / 41)) / (2 - 2 * std::cos(M_PI / 41)), 1e-9);
}

TEST(Spectrum, ResidualsAreThoseOfTheMatrixItself) {
  const Tensor one{{4.0, 1.0, -2.0, 3.0}, {1.0, 7.0, 5.0, 0.0}, {-2.0, 5.0, 1.0, 6.0}, {3.0, 0.0, 6.0, 2.0}};
  for (const double scale : {0x1p-40, 1.0, 0x1p40}) {
    const Tensor k = (scale * Var(one)).value();
    const theory::Spectrum s = theory::spectrum(k);
    const Tensor moved = (matmul(k, s.vectors) - mul_rows(s.vectors, s.values)).value();
    const Tensor expected = sqrt(sum(square(moved), 0)).value();
    for (Index i = 0; i < 4; ++i) {
      EXPECT_GT(s.residuals(i), 0.0) << scale;
      EXPECT_DOUBLE_EQ(s.residuals(i), expected(i)) << scale;
      EXPECT_LE(s.residuals(i), s.bound) << scale;
    }
  }
}

// The bound is the same at every scale: it neither underflows to 0 nor overflows.
TEST(Spectrum, TheBoundScalesWithTheMatrix) {
  Rng rng(4);
  const Tensor g = rng.normal({6, 3});
  const Tensor k = matmul(g, g, {.transpose_b = true}).value();  // of rank 3
  const theory::Spectrum one = theory::spectrum(k);
  EXPECT_GT(one.bound, 0.0);
  EXPECT_EQ(one.condition(), INFINITY) << "the smallest may be 0: " << one.smallest() << " to " << one.bound;
  for (const int exponent : {-900, -600, -540, 100, 600, 900}) {
    const theory::Spectrum s = theory::spectrum((std::ldexp(1.0, exponent) * Var(k)).value());
    EXPECT_NEAR(std::ldexp(s.bound, -exponent), one.bound, 1e-12 * one.bound) << exponent;
    for (Index i = 0; i < 6; ++i) {
      EXPECT_EQ(std::ldexp(s.values(i), -exponent), one.values(i)) << exponent;
      EXPECT_EQ(std::ldexp(s.residuals(i), -exponent), one.residuals(i)) << exponent;
      EXPECT_LE(std::fabs(s.values(i)) <= s.bound, i < 3) << "the zeros are within the bound";
    }
    EXPECT_EQ(s.condition(), INFINITY);
  }
  const theory::Spectrum least = theory::spectrum((std::ldexp(1.0, -1070) * Var(k)).value());
  EXPECT_GE(least.bound, std::numeric_limits<double>::denorm_min()) << "what was lost below the range counts";
  EXPECT_LT(theory::spectrum(Tensor::eye(3)).condition(), 1.0 + 1e-14);
  EXPECT_EQ(theory::spectrum(Tensor::zeros({2, 2})).condition(), INFINITY);
  EXPECT_EQ(theory::spectrum({{-1.0, 0.0}, {0.0, 2.0}}).condition(), INFINITY);
}

TEST(Spectrum, Refusals) {
  const auto message = [](const Tensor& k) -> std::string {
    try {
      theory::spectrum(k);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "nothing thrown";
  };
  EXPECT_THAT(message(Tensor{{1, 2, 3}}), HasSubstr("[spectrum] the matrix is [1, 3]; it must be square"));
  EXPECT_THAT(message(Tensor::zeros(Shape{0, 0})), HasSubstr("not empty"));
  EXPECT_THAT(message(Tensor{{1, 2}, {3, 1}}), HasSubstr("not symmetric"));
  EXPECT_THAT(message(Tensor{{1, NAN}, {NAN, 1}}), HasSubstr("finite"));
}

}  // namespace
}  // namespace cotangent
