// Modules and layers: the texts of all their errors.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/own_modules.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::Residual;
using test::Scale;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(ErrorText, VectorOfAnotherSize) {
  const nn::Sequential net{nn::Linear(2, 64), nn::LeakyReLU(0.1), nn::Linear(64, 1)};
  const Tensor X = Tensor::zeros({10, 2});
  EXPECT_EQ(
      error_of<ShapeError>([&] { net(Tensor::zeros({5}), X); }),
      "[Sequential] w is [5], but the module has 257 parameters; give the Params of init, or a flat vector "
      "[257]");
  EXPECT_EQ(
      error_of<ShapeError>([&] {
        nn::Linear(2, 64)(Tensor::zeros({64, 3}), X);
      }),
      "[Linear(2 -> 64)] w is [64, 3], but the module has 192 parameters; give the Params of init, or a flat "
      "vector [192]");
  EXPECT_EQ(
      error_of<ShapeError>([&] { Scale(2)(Tensor::zeros({3}), X); }),
      "[Scale] w is [3], but the module has 2 parameters; give the Params of init, or a flat vector [2]");
  const std::string rest =
      " w is [1], but the module has 0 parameters; give the Params of init, or a flat vector [0]";
  const Tensor w1 = Tensor::zeros({1});
  EXPECT_EQ(error_of<ShapeError>([&] { nn::ReLU()(w1, X); }), "[ReLU]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::LeakyReLU(0.25)(w1, X); }), "[LeakyReLU(0.25)]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::Tanh()(w1, X); }), "[Tanh]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::Sigmoid()(w1, X); }), "[Sigmoid]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::Softplus()(w1, X); }), "[Softplus]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::ELU(0.5)(w1, X); }), "[ELU(0.5)]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::GELU()(w1, X); }), "[GELU]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::SiLU()(w1, X); }), "[SiLU]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::Erf()(w1, X); }), "[Erf]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::Sin()(w1, X); }), "[Sin]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::Square()(w1, X); }), "[Square]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::Identity()(w1, X); }), "[Identity]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::Sequential()(w1, X); }), "[Sequential]" + rest);
}

TEST(ErrorText, PathInFront) {
  Rng rng(1);
  const nn::Sequential net{nn::Linear(2, 32), nn::LeakyReLU(0.1), nn::Linear(64, 1)};
  const Params w = net.init(rng);
  EXPECT_EQ(
      error_of<ShapeError>([&] {
        net(w, Tensor::zeros({10, 2}));
      }),
      "[2 Linear(64 -> 1)] x is [10, 32]; it must be [n, 64], one row for each sample: check the size of the "
      "layer or the data before it");
  EXPECT_EQ(error_of<ShapeError>([&] { net(w, Tensor::zeros({2})); }),
            "[0 Linear(2 -> 32)] x is [2]; it must be [n, 2]: reshape a single sample to [1, 2]");
  EXPECT_EQ(
      error_of<ShapeError>([&] {
        nn::Linear(2, 1)(Tensor::zeros({3}), Tensor::zeros({4, 5, 2}));
      }),
      "[Linear(2 -> 1)] x is [4, 5, 2]; it must be [n, 2], one row for each sample: check the size of the "
      "layer or the data before it");

  const nn::Sequential nested{nn::Linear(2, 3), nn::Sequential{nn::Linear(7, 1), nn::Tanh()}};
  const Params v = nested.init(rng);
  EXPECT_EQ(
      error_of<ShapeError>([&] {
        nested(v, Tensor::zeros({5, 2}));
      }),
      "[1.0 Linear(7 -> 1)] x is [5, 3]; it must be [n, 7], one row for each sample: check the size of the "
      "layer or the data before it");
  const nn::Sequential deep = nn::Sequential().append(nested);
  EXPECT_EQ(error_of<ShapeError>([&] {
              deep(v, Tensor::zeros({5, 2}));
            }).substr(0, 34),
            "[0.1.0 Linear(7 -> 1)] x is [5, 3]");

  // An operation's own text stays whole behind the path.
  const nn::Sequential own{nn::Linear(2, 3), Scale(4)};
  EXPECT_EQ(error_of<ShapeError>([&] {
              own(own.init(rng), Tensor::zeros({5, 2}));
            }),
            "[1 Scale] [mul_rows] x is [5, 3], r is [4]; x must be [n, k] and r [k]");
  const nn::Sequential residual{nn::Linear(2, 3), Residual(nn::Sequential{nn::Linear(4, 3)})};
  EXPECT_EQ(error_of<ShapeError>([&] {
              residual(residual.init(rng), Tensor::zeros({5, 2}));
            }).substr(0, 37),
            "[1.body.0 Linear(4 -> 3)] x is [5, 3]");
}

struct Demanding : nn::Module {
  Var operator()(const Var&, const Var& x) const override {
    for (const double v : x.value().data())
      if (v < 0.0) throw DomainError("[Demanding] x is negative; take its square");
    return x;
  }
};

TEST(ErrorText, PathInFrontKeepsTheKind) {
  const nn::Sequential net = nn::Sequential().append(nn::Sequential{nn::Tanh(), Demanding()});
  EXPECT_EQ(error_of<DomainError>([&] { net(Tensor(), Tensor{-1.0}); }),
            "[0.1 Demanding] x is negative; take its square");
  Var stale;
  {
    Tape tape;
    stale = tape.input(Tensor{1.0});
  }
  const std::string text = error_of<TapeError>([&] { net(Tensor(), stale); });
  EXPECT_EQ(text.substr(0, 16), "[0.0 Tanh] [tanh") << text;
}

TEST(ErrorText, SizesAndOptions) {
  using nn::Linear;
  constexpr auto kNtk = nn::Parametrisation::ntk;
  EXPECT_EQ(error_of<DomainError>([] { Linear(0, 3); }),
            "[Linear(0 -> 3)] the sizes are 0 and 3; give at least one input and one output");
  EXPECT_EQ(error_of<DomainError>([] { Linear(3, -1); }),
            "[Linear(3 -> -1)] the sizes are 3 and -1; give at least one input and one output");
  EXPECT_EQ(error_of<DomainError>([] { Linear(1, 1, {.weight_std = -1.0}); }),
            "[Linear(1 -> 1)] weight_std is -1; give a finite number, at least 0");
  EXPECT_EQ(error_of<DomainError>([] { Linear(1, 1, {.bias_std = kNan}); }),
            "[Linear(1 -> 1)] bias_std is nan; give a finite number, at least 0");
  EXPECT_EQ(
      error_of<DomainError>([] { Linear(1, 1, {.parametrisation = kNtk, .bias_std = 0.0}); }),
      "[Linear(1 -> 1, ntk)] bias_std is 0, so these parameters would never have an effect; give a positive "
      "number, or no bias");
  EXPECT_EQ(error_of<DomainError>([] { Linear(1, 1, {.weight_std = 1.0, .weight_init = nn::ones()}); }),
            "[Linear(1 -> 1)] both weight_init and weight_std are set; give the deviation to the Init");
  EXPECT_EQ(error_of<DomainError>([] { Linear(1, 1, {.bias_std = 1.0, .bias_init = nn::ones()}); }),
            "[Linear(1 -> 1)] both bias_init and bias_std are set; give the deviation to the Init");
  EXPECT_EQ(error_of<DomainError>([] { Linear(1, 1, {.bias = false, .bias_init = nn::ones()}); }),
            "[Linear(1 -> 1, no bias)] options for a bias that is switched off; leave them out or set .bias "
            "= true");
  EXPECT_EQ(error_of<DomainError>([] { nn::LeakyReLU{kInf}; }),
            "[LeakyReLU] slope is inf; give a finite number");
  EXPECT_EQ(error_of<DomainError>([] { nn::ELU{kNan}; }), "[ELU] alpha is nan; give a finite number");
  EXPECT_EQ(error_of<DomainError>([] { nn::mlp({3}, nn::Tanh()); }),
            "[mlp] 1 widths; give the sizes of inputs and outputs, at least two");
  EXPECT_EQ(error_of<DomainError>([] {
              nn::mlp({3, 1}, nullptr);
            }),
            "[mlp] the activation is a null pointer; give a module");
  EXPECT_EQ(error_of<DomainError>([] { nn::Sequential::of({nullptr}); }),
            "[declare] \"0\" is a null pointer; give a module");
}

TEST(ErrorText, InitialNumbers) {
  EXPECT_EQ(error_of<DomainError>([] { nn::normal(-1.0); }),
            "[normal] deviation -1; give a finite number, at least 0");
  EXPECT_EQ(error_of<DomainError>([] { nn::uniform(1.0, 0.0); }),
            "[uniform] from 1 to 0; give finite numbers, low <= high");
  EXPECT_EQ(error_of<DomainError>([] { nn::constant(kNan); }), "[constant] value nan; give a finite number");
  EXPECT_EQ(error_of<DomainError>([] { nn::he_normal(kInf); }),
            "[he_normal] slope inf; give a finite number");
  const std::string rest =
      " the parameter is [3], but the deviation comes from the sizes of a weight [out, in]; use "
      "normal(deviation)";
  Rng rng(1);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::lecun_normal()(rng, {3}); }), "[lecun_normal]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::he_normal()(rng, {3}); }), "[he_normal]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::glorot_normal()(rng, {3}); }), "[glorot_normal]" + rest);

  const nn::Sequential net{nn::Linear(2, 3, {.weight_init = [](Rng&, const Shape&) { return Tensor{1.0}; }})};
  EXPECT_EQ(
      error_of<ShapeError>([&] { net.init(rng); }),
      "[init] \"0.weight\" of Sequential is declared [3, 2], but its Init gave [1]; return the shape it is "
      "asked for");
}

struct Declares : nn::Module {
  Declares(const std::vector<std::string>& names, nn::Init init) {
    for (const std::string& name : names) declare(name, {2}, init);
  }
  Declares(const std::string& name, const nn::Module*) {
    declare(name, {2}, nn::zeros());
    declare(name, nn::Tanh());
  }
  Var operator()(const Var& w, const Var&) const override { return param(w, {}); }
};
struct CallsNothing : nn::Module {
  Var operator()(const Var& w, const Var& x) const override { return call({}, w, x); }
};

TEST(ErrorText, Declarations) {
  for (const std::string name : {"", "a.b", "w*", "w?", "a/b", "w[0]"})
    EXPECT_EQ(error_of<DomainError>([&] { Declares({name}, nn::zeros()); }),
              "[declare] a parameter called \"" + name +
                  "\"; give a name without . * ? / [ ], which have meanings of their own");
  EXPECT_EQ(error_of<DomainError>([] {
              Declares({"w", "w"}, nn::zeros());
            }),
            "[declare] a second parameter called \"w\"; give each its own name");
  EXPECT_EQ(error_of<DomainError>([] { Declares("w", nullptr); }),
            "[declare] a second module called \"w\"; give each its own name");
  EXPECT_EQ(error_of<DomainError>([] { Declares({"w"}, nn::Init()); }),
            "[declare] \"w\" [2] has no Init; say how its numbers are drawn, for example nn::zeros()");
  EXPECT_EQ(
      error_of<DomainError>([] {
        Declares({"w"}, nn::zeros())(Tensor{1, 2}, 0.0);
      }),
      "[Declares] this ParamId names none of the module's 1 parameters; use the one that declare returned");
  EXPECT_EQ(
      error_of<DomainError>([] { CallsNothing()(Tensor(), 0.0); }),
      "[CallsNothing] this ChildId names none of the 0 modules inside; use the one that declare returned");
}

}  // namespace
}  // namespace cotangent
