// Params: the table of names, views, arithmetic against plain loops, in-place axpy, and every error text.
#include "autodiff/params.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/rng.hpp"
#include "tests/support/files_support.hpp"

namespace {
std::atomic<long> news = 0;
}

// Counts what C++ code takes from the heap; tensors' numbers come from buffers and are watched by their
// addresses. Not inlined: g++ would warn that what operator new gave is freed.
// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++news;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

namespace cotangent {
namespace {

using test::error_of;

Params example(std::uint64_t seed = 1) {
  Rng rng(seed);
  return Params({{"0.weight", rng.normal(Shape{4, 3})},
                 {"0.bias", rng.normal(Shape{4})},
                 {"scale", rng.normal(Shape{})},
                 {"none", Tensor::zeros(Shape{0, 2})},
                 {"2.weight", rng.normal(Shape{2, 2, 5})}});
}

TEST(Params, BlocksLieInOrderWithoutGaps) {
  const Params w = example();
  EXPECT_EQ(w.size(), 12 + 4 + 1 + 0 + 20);
  const std::vector<std::pair<std::string, Index>> offsets = {
      {"0.weight", 0}, {"0.bias", 12}, {"scale", 16}, {"none", 17}, {"2.weight", 17}};
  ASSERT_EQ(w.table().size(), offsets.size());
  for (std::size_t k = 0; k < offsets.size(); ++k) {
    EXPECT_EQ(w.table()[k].name, offsets[k].first);
    EXPECT_EQ(w.table()[k].offset, offsets[k].second);
  }
  EXPECT_EQ(w.entry("2.weight").shape, (Shape{2, 2, 5}));
  EXPECT_TRUE(w.contains("0.bias"));
  EXPECT_FALSE(w.contains("1.bias"));
  EXPECT_EQ(w["2.weight"](1, 0, 3), w.flat()(17 + 10 + 3));
  EXPECT_EQ(w["scale"].item(), w.flat()(16));
}

TEST(Params, BlocksShareTheNumbers) {
  const Params w = example();
  EXPECT_EQ(w["0.bias"].data().data(), w.flat().data().data() + 12);
  Params copy;
  copy = w;
  EXPECT_EQ(copy.flat().data().data(), w.flat().data().data());
  EXPECT_EQ(&copy.table(), &w.table());
}

TEST(Params, BlockOutlivesItsParams) {
  Tensor bias;
  {
    const Params w = example();
    bias = w["0.bias"];
  }
  EXPECT_TRUE(equal(bias, example()["0.bias"]));
}

TEST(Params, EmptyParamsWork) {
  const Params none;
  EXPECT_EQ(none.size(), 0);
  EXPECT_TRUE(none.table().empty());
  EXPECT_EQ((none + none).size(), 0);
  EXPECT_EQ(norm(axpy(2.0, none, none)), 0.0);
  EXPECT_EQ(Params(std::vector<std::pair<std::string, Tensor>>{}).size(), 0);
}

TEST(Params, PositionsHaveNames) {
  const Params w = example();
  EXPECT_EQ(w.position_name(0), "0.weight[0, 0]");
  EXPECT_EQ(w.position_name(11), "0.weight[3, 2]");
  EXPECT_EQ(w.position_name(12), "0.bias[0]");
  EXPECT_EQ(w.position_name(16), "scale");
  EXPECT_EQ(w.position_name(17), "2.weight[0, 0, 0]");
  EXPECT_EQ(w.position_name(36), "2.weight[1, 1, 4]");
  EXPECT_EQ(error_of<ShapeError>([&] { w.position_name(37); }),
            "[Params] position 37 of a flat vector [37]; it must lie in 0 .. 36");
  EXPECT_EQ(error_of<ShapeError>([&] { w.position_name(-1); }),
            "[Params] position -1 of a flat vector [37]; it must lie in 0 .. 36");
}

TEST(Params, WithReplacesAllOrOneBlock) {
  const Params w = example();
  const Params zero = w.zeros_like();
  EXPECT_TRUE(equal(zero.flat(), Tensor::zeros(Shape{37})));
  const Params changed = w.with("0.bias", Tensor{1, 2, 3, 4});
  EXPECT_TRUE(equal(changed["0.bias"], (Tensor{1, 2, 3, 4})));
  EXPECT_TRUE(equal(changed["0.weight"], w["0.weight"]));
  EXPECT_TRUE(equal(changed["2.weight"], w["2.weight"]));
  EXPECT_TRUE(equal(w["0.bias"], example()["0.bias"]));
  EXPECT_TRUE(equal(w.with(Tensor::ones(Shape{37}))["scale"], Tensor::scalar(1)));
  EXPECT_EQ(error_of<ShapeError>([&] { w.with(Tensor::ones(Shape{36})); }),
            "[Params::with] the vector is [36], the table covers [37]; give a vector of that size");
  EXPECT_EQ(error_of<ShapeError>([&] {
              w.with("0.weight", Tensor::ones(Shape{3, 4}));
            }),
            "[Params::with] \"0.weight\" is [4, 3], the new block is [3, 4]; give a block of the same shape");
}

TEST(Params, ConstructionRefusesBadTables) {
  using Blocks = std::vector<std::pair<std::string, Tensor>>;
  EXPECT_EQ(error_of<DomainError>([] {
              Params(Blocks{{"a", Tensor{1, 2}}, {"", Tensor{3}}});
            }),
            "[Params] the block of shape [1] at 2 has no name; give every block one");
  EXPECT_EQ(error_of<DomainError>([] {
              Params(Blocks{{"a", Tensor{1, 2}}, {"a", Tensor{3}}});
            }),
            "[Params] two blocks are called \"a\", the second of shape [1]; give every block its own name");
  const auto flat = [](const Shape& shape, std::vector<ParamEntry> table) {
    return error_of<ShapeError>([&] { Params(Tensor::zeros(shape), table); });
  };
  EXPECT_EQ(flat(Shape{3}, {{"a", Shape{2}, 0}, {"b", Shape{1}, 1}}),
            "[Params] \"b\" of shape [1] begins at 1, but the blocks before it end at 2; list the blocks in "
            "order, without "
            "gaps");
  EXPECT_EQ(flat(Shape{4}, {{"a", Shape{2}, 0}, {"b", Shape{1}, 2}}),
            "[Params] the flat vector is [4], but the table covers [3]; give a vector of that size");
  EXPECT_EQ(flat(Shape{3, 1}, {{"a", Shape{3}, 0}}),
            "[Params] the flat vector is [3, 1], but the table covers [3]; give a vector of that size");
  EXPECT_EQ(error_of<DomainError>([] {
              Params(Tensor::zeros(Shape{2}), {{"a", Shape{}, 0}, {"a", Shape{}, 1}});
            }),
            "[Params] two blocks are called \"a\", the second of shape []; give every block its own name");
  const Params w(Tensor{1, 2, 3}, {{"a", Shape{}, 0}, {"b", Shape{2, 1}, 1}});
  EXPECT_TRUE(equal(w["b"], Tensor{2, 3}.reshape(Shape{2, 1})));
}

TEST(Params, UnknownNamesListTheNamesThereAre) {
  const Params w({{"0.weight", Tensor{1}}, {"0.bias", Tensor{2}}});
  EXPECT_EQ(error_of<DomainError>([&] { w["weight"]; }),
            "[Params] no block is called \"weight\"; the names are \"0.weight\", \"0.bias\"");
  EXPECT_EQ(error_of<DomainError>([&] { w.entry("x"); }),
            "[Params] no block is called \"x\"; the names are \"0.weight\", \"0.bias\"");
  EXPECT_EQ(error_of<DomainError>([&] { w.with("x", Tensor{1}); }),
            "[Params] no block is called \"x\"; the names are \"0.weight\", \"0.bias\"");
  EXPECT_EQ(error_of<DomainError>([&] { Params()["a"]; }),
            "[Params] no block is called \"a\"; the names are none: these Params are empty");
}

TEST(Params, ArithmeticGoesElementByElement) {
  const Params a = example(1), b = example(2);
  const auto check = [&](const Params& result, auto expected) {
    EXPECT_EQ(&result.table(), &a.table());
    for (Index i = 0; i < a.size(); ++i) EXPECT_EQ(result.flat()(i), expected(a.flat()(i), b.flat()(i))) << i;
  };
  check(a + b, [](double x, double y) { return x + y; });
  check(a - b, [](double x, double y) { return x - y; });
  check(2.5 * a, [](double x, double) { return 2.5 * x; });
  check(a * 2.5, [](double x, double) { return 2.5 * x; });
  check(a / 3.0, [](double x, double) { return x / 3.0; });
  check(-a, [](double x, double) { return -x; });
  check(axpy(0.1, b, a), [](double x, double y) { return x + 0.1 * y; });

  long double sum = 0.0L, squares = 0.0L;
  for (Index i = 0; i < a.size(); ++i) {
    sum += static_cast<long double>(a.flat()(i)) * b.flat()(i);
    squares += static_cast<long double>(a.flat()(i)) * a.flat()(i);
  }
  EXPECT_NEAR(dot(a, b), static_cast<double>(sum), 1e-14);
  EXPECT_NEAR(norm(a), static_cast<double>(std::sqrt(squares)), 1e-14);
}

TEST(Params, NormNeitherOverflowsNorVanishes) {
  const auto length = [](const Tensor& t) { return norm(Params({{"a", t}})); };
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_NEAR(length(Tensor{3e200, -4e200}) / 5e200, 1.0, 1e-15);
  EXPECT_NEAR(length(Tensor{3e-200, 4e-200}) / 5e-200, 1.0, 1e-15);
  EXPECT_EQ(length(Tensor{5e-324}), 5e-324);
  EXPECT_EQ(length(Tensor{0, 0}), 0.0);
  EXPECT_EQ(length(Tensor{1, -inf}), inf);
  EXPECT_TRUE(std::isnan(length(Tensor{1, std::nan("")})));
  EXPECT_TRUE(std::isnan(length(Tensor{1e300, std::nan("")})));
}

TEST(Params, AxpyWritesOverNumbersNobodyElseHas) {
  const Params v = example(2);
  Params w = example(1);
  const double* address = w.flat().data().data();
  const Params expected = w + 0.5 * v;
  w = axpy(0.5, v, std::move(w));
  EXPECT_EQ(w.flat().data().data(), address);
  EXPECT_TRUE(equal(w.flat(), expected.flat()));
}

TEST(Params, AxpyWritesOverADirectionGivenAway) {
  const Params w = example(1);
  Params v = example(2);
  const double* address = v.flat().data().data();
  const Params expected = w + 0.5 * v;
  const Params sum = axpy(0.5, std::move(v), w);
  EXPECT_EQ(sum.flat().data().data(), address);
  EXPECT_TRUE(equal(sum.flat(), expected.flat()));
  EXPECT_TRUE(equal(w.flat(), example(1).flat()));

  Params held = example(2);
  const Params kept = held;
  EXPECT_TRUE(equal(axpy(0.5, std::move(held), w).flat(), expected.flat()));
  EXPECT_TRUE(equal(kept.flat(), example(2).flat()));
}

TEST(Params, AxpyLeavesSharedNumbersAlone) {
  const Params v = example(2);
  Params w = example(1);
  const Params kept = w;
  w = axpy(0.5, v, std::move(w));
  EXPECT_TRUE(equal(kept.flat(), example(1).flat()));
  EXPECT_NE(w.flat().data().data(), kept.flat().data().data());

  Params held = example(1);
  const Tensor block = held["0.bias"];  // a view counts as a holder
  held = axpy(0.5, v, std::move(held));
  EXPECT_TRUE(equal(block, example(1)["0.bias"]));

  Params doubled = example(1);
  doubled = axpy(1.0, doubled, doubled);
  EXPECT_TRUE(equal(doubled.flat(), (2.0 * example(1)).flat()));
}

// Where the numbers of one argument are another's too, at sizes on both sides of those of vectors and blocks.
TEST(Params, AxpyOntoItselfAtEverySize) {
  constexpr double kFactor = -0.75;
  for (const Index n : {1, 7, 8, 9, 999, 1000, 1001, 4096}) {
    const auto made = [n](double first) {
      std::vector<double> numbers;
      for (Index k = 0; k < n; ++k) numbers.push_back(first + 0.37 * static_cast<double>(k % 101));
      return Params({{"w", Tensor::from(numbers, {n})}});
    };
    const Params one = made(1.0), other = made(-5.0);
    const auto expect = [&](const Params& found, const Params& v, const Params& w, const char* what) {
      for (Index k = 0; k < n; ++k)
        ASSERT_EQ(found.flat()(k), w.flat()(k) + kFactor * v.flat()(k))
            << what << ", " << n << " numbers, at " << k;
    };
    const auto unchanged = [&](const Params& p, double first, const char* what) {
      EXPECT_TRUE(equal(p.flat(), made(first).flat())) << what << ", " << n << " numbers";
    };
    const Params w = made(1.0);  // the only holder of its numbers
    expect(axpy(kFactor, w, w), one, one, "v is w");
    unchanged(w, 1.0, "v is w");
    const Params shared = w;
    expect(axpy(kFactor, shared, w), one, one, "v shares w's numbers");
    unchanged(shared, 1.0, "v shares w's numbers");

    Params given = made(1.0);
    const Params kept = given;
    expect(axpy(kFactor, kept, std::move(given)), one, one, "w is given away, and v has its numbers");
    unchanged(kept, 1.0, "w is given away, and v has its numbers");

    Params direction = made(1.0);
    const Params& same = direction;
    expect(axpy(kFactor, std::move(direction), same), one, one, "v is given away and is w");
    Params held = made(1.0);
    const Params holder = held;
    expect(axpy(kFactor, std::move(held), holder), one, one, "v is given away, and w has its numbers");
    unchanged(holder, 1.0, "v is given away, and w has its numbers");

    Params target = made(-5.0);
    target = axpy(kFactor, w, std::move(target));
    expect(target, one, other, "w is given away");
    Params arrow = made(1.0);
    const Params base = made(-5.0);
    expect(axpy(kFactor, std::move(arrow), base), one, other, "v is given away");
    unchanged(base, -5.0, "v is given away");
    unchanged(w, 1.0, "v beside w");
  }
}

TEST(Params, SteadyArithmeticTakesNothingFromTheHeap) {
  const Params v = example(1) - example(1);  // numbers stay as they are
  Params w = example(2);
  const Params shared = w;
  const auto step = [&] {
    w = axpy(-0.1, v, std::move(w));
    w = axpy(-0.1, 2.0 * (v + v), w);
    w = w - 0.5 * v;
    return dot(v, w) + norm(w) + w["0.bias"](0);
  };
  const Params other = example(2) + v;  // another table object of the same names
  const double first = step();
  const long before = news;
  double last = 0.0;
  for (int k = 0; k < 100; ++k) {
    last = step();
    EXPECT_TRUE(dot(v, other) == 0.0);
  }
  EXPECT_EQ(news, before);
  EXPECT_EQ(first, last);
  EXPECT_TRUE(equal(shared.flat(), w.flat()));
}

TEST(Params, TablesMustAgree) {
  const Params a({{"0.weight", Tensor{1, 2}}, {"0.bias", Tensor{3}}});
  const Params renamed({{"0.weight", Tensor{1, 2}}, {"1.bias", Tensor{3}}});
  const Params reshaped({{"0.weight", Tensor{{1, 2}}}, {"0.bias", Tensor{3}}});
  const Params shorter({{"0.weight", Tensor{1, 2}}});
  const auto differ = [](const char* operation, const char* block) {
    return std::string("[") + operation + "] the tables differ at block " + block +
           "; combine Params of one model";
  };
  EXPECT_EQ(error_of<ShapeError>([&] { a + renamed; }),
            differ("Params +", "1: \"0.bias\" [1] on the left, \"1.bias\" [1] on the right"));
  EXPECT_EQ(error_of<ShapeError>([&] { a - reshaped; }),
            differ("Params -", "0: \"0.weight\" [2] on the left, \"0.weight\" [1, 2] on the right"));
  EXPECT_EQ(error_of<ShapeError>([&] { dot(a, shorter); }),
            differ("dot", "1: \"0.bias\" [1] on the left, missing on the right"));
  EXPECT_EQ(error_of<ShapeError>([&] { axpy(1.0, shorter, a); }),
            differ("axpy", "1: missing on the left, \"0.bias\" [1] on the right"));
  EXPECT_EQ(error_of<ShapeError>([&] {
              axpy(1.0, shorter, Params(std::vector<std::pair<std::string, Tensor>>{{"b", Tensor{1, 2}}}));
            }),
            differ("axpy", "0: \"0.weight\" [2] on the left, \"b\" [2] on the right"));
  EXPECT_EQ(error_of<ShapeError>([&] { a + Params(); }),
            differ("Params +", "0: \"0.weight\" [2] on the left, missing on the right"));
  EXPECT_EQ(dot(a, Params({{"0.weight", Tensor{1, 1}}, {"0.bias", Tensor{1}}})), 6.0);
}

TEST(Params, TextNamesEveryBlock) {
  EXPECT_EQ(Params({{"a", Tensor{1, 2}}, {"b", Tensor::scalar(0.5)}}).to_string(),
            "Params [3] in 2 blocks\na [2]\n[1. 2.]\nb []\n0.5");
}

}  // namespace
}  // namespace cotangent
