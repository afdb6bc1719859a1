// Tensor and Shape: construction, access, sharing, the recycled memory behind them, and every error's text.
#include "autodiff/tensor.hpp"

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/memory/block_cache.hpp"
#include "autodiff/tensor/access.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Tensor, FromNestedLists) {
  const Tensor vector{1.0, 2.0, 3.0};
  EXPECT_EQ(vector.shape(), (Shape{3}));
  EXPECT_EQ(vector(2), 3.0);
  const Tensor matrix{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}};
  EXPECT_EQ(matrix.shape(), (Shape{2, 3}));
  EXPECT_EQ(matrix(1, 0), 4.0);
  EXPECT_THAT(matrix.data(), ElementsAre(1.0, 2.0, 3.0, 4.0, 5.0, 6.0));
  const Tensor blocks{{{1.0, -1.0}, {2.0, -2.0}}, {{3.0, -3.0}, {4.0, -4.0}}, {{5.0, -5.0}, {6.0, -6.0}}};
  EXPECT_EQ(blocks.shape(), (Shape{3, 2, 2}));
  EXPECT_EQ(blocks(2, 1, 0), 6.0);
  EXPECT_EQ((Tensor{{5.0}}.shape()), (Shape{1, 1}));
  EXPECT_EQ((Tensor{{1.0}, {2.0}}.shape()), (Shape{2, 1}));
}

TEST(Tensor, BracesOfEveryDepth) {
  EXPECT_EQ((Tensor{1}.shape()), (Shape{1}));
  EXPECT_EQ((Tensor{{1}}.shape()), (Shape{1, 1}));
  EXPECT_EQ((Tensor{{{1}}}.shape()), (Shape{1, 1, 1}));
  EXPECT_EQ((Tensor{{{{1}}}}.shape()), (Shape{1, 1, 1, 1}));
  EXPECT_EQ((Tensor{{{{{{{{1}}}}}}}}.shape()), (Shape{1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ((Tensor{{{{{{{{1}}}}}}}}.item()), 1.0);
  EXPECT_EQ((Tensor{{1, 2}, {3, 4}}.shape()), (Shape{2, 2}));
  EXPECT_EQ((Tensor{{{1}, {2}}}.shape()), (Shape{1, 2, 1}));
  EXPECT_EQ((Tensor{{{1}}, {{2}}}.shape()), (Shape{2, 1, 1}));
  EXPECT_EQ((Tensor{{{1, 2}, {3, 4}}}.shape()), (Shape{1, 2, 2}));
  const Tensor four{{{{1, 2}}, {{3, 4}}}, {{{5, 6}}, {{7, 8}}}, {{{9, 10}}, {{11, 12}}}};
  EXPECT_EQ(four.shape(), (Shape{3, 2, 1, 2}));
  EXPECT_THAT(four.data(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  // Without numbers, as an argument, and of mixed types.
  EXPECT_EQ((Tensor{}.shape()), (Shape{0}));
  EXPECT_EQ((Tensor{{}}.shape()), (Shape{1, 0}));
  EXPECT_EQ((Tensor{{}, {}}.shape()), (Shape{2, 0}));
  EXPECT_EQ((Tensor{{{}}}.shape()), (Shape{1, 1, 0}));
  const auto shape_of = [](const Tensor& t) { return t.shape(); };
  EXPECT_EQ(shape_of({1, 2}), (Shape{2}));
  EXPECT_EQ(shape_of({{1, 2}}), (Shape{1, 2}));
  EXPECT_EQ(shape_of({{{1}}}), (Shape{1, 1, 1}));
  const int whole = 3;
  EXPECT_TRUE(equal(Tensor{{whole, true}, {0.5, -2L}}, Tensor{{3.0, 1.0}, {0.5, -2.0}}));
  // Braces around a tensor copy it.
  EXPECT_EQ(Tensor{four}.data().data(), four.data().data());
  const Tensor assigned = {{1, 2}};
  EXPECT_EQ(assigned.shape(), (Shape{1, 2}));
}

TEST(Tensor, OfOneValue) {
  EXPECT_EQ(Tensor::scalar(2.5).shape(), Shape{});
  EXPECT_EQ(Tensor::scalar(2.5).rank(), 0);
  EXPECT_EQ(Tensor::scalar(2.5).item(), 2.5);
  EXPECT_EQ(Tensor::scalar(2.5)(), 2.5);
  EXPECT_TRUE(equal(Tensor::full(Shape{2, 2}, -1.0), Tensor{{-1.0, -1.0}, {-1.0, -1.0}}));
  EXPECT_TRUE(equal(Tensor::zeros(Shape{2}), Tensor{0.0, 0.0}));
  EXPECT_TRUE(equal(Tensor::ones(Shape{2}), Tensor{1.0, 1.0}));
  EXPECT_TRUE(equal(Tensor::eye(2), Tensor{{1.0, 0.0}, {0.0, 1.0}}));
  EXPECT_EQ(Tensor::eye(0).shape(), (Shape{0, 0}));
}

TEST(Tensor, Linspace) {
  EXPECT_TRUE(equal(Tensor::linspace(0.0, 1.0, 5), Tensor{0.0, 0.25, 0.5, 0.75, 1.0}));
  EXPECT_TRUE(equal(Tensor::linspace(2.0, -2.0, 2), Tensor{2.0, -2.0}));
  // The end is exact, whatever the rounding on the way.
  EXPECT_EQ(Tensor::linspace(0.1, 0.7, 1001)(1000), 0.7);
  EXPECT_THAT(error_of<DomainError>([] { Tensor::linspace(0.0, 1.0, 1); }),
              AllOf(HasSubstr("[linspace]"), HasSubstr("1 points"), HasSubstr("at least 2")));
}

TEST(Tensor, FromASpan) {
  const std::vector<double> numbers{1.0, 2.0, 3.0, 4.0};
  EXPECT_TRUE(equal(Tensor::from(numbers, Shape{2, 2}), Tensor{{1.0, 2.0}, {3.0, 4.0}}));
  EXPECT_THAT(error_of<ShapeError>([&] { Tensor::from(numbers, Shape{3}); }),
              AllOf(HasSubstr("[tensor]"), HasSubstr("4 numbers"), HasSubstr("[3]")));
}

TEST(Tensor, RaggedListsAreErrors) {
  EXPECT_THAT(error_of<ShapeError>([] {
                Tensor{{1.0, 2.0}, {3.0}};
              }),
              AllOf(HasSubstr("[tensor]"), HasSubstr("2 and 1"), HasSubstr("same length")));
  EXPECT_THAT(error_of<ShapeError>([] {
                Tensor{{{1.0, 1.0}, {2.0, 2.0}}, {{3.0, 3.0}}};
              }),
              AllOf(HasSubstr("blocks of 2 and 1 rows"), HasSubstr("same shape")));
  EXPECT_THAT(error_of<ShapeError>([] {
                Tensor{{{1.0, 1.0}, {2.0, 2.0}}, {{3.0, 3.0}, {4.0, 5.0, 6.0}}};
              }),
              AllOf(HasSubstr("rows of 2 and 3"), HasSubstr("same length")));
  EXPECT_THAT(error_of<ShapeError>([] { Tensor{{1.0, 2.0}, {}}; }), HasSubstr("rows of 2 and 0 numbers"));
  for (const auto& mixed : std::vector<std::function<void()>>{[] {
                                                                Tensor{1.0, {2.0}};
                                                              },
                                                              [] {
                                                                Tensor{{1.0}, 2.0};
                                                              },
                                                              [] {
                                                                Tensor{{{1.0}}, {2.0}};
                                                              }})
    EXPECT_EQ(error_of<ShapeError>(mixed),
              "[tensor] numbers and lists stand side by side; give all numbers the same depth");
  EXPECT_EQ(error_of<ShapeError>([] { Tensor{{{{{{{{{1.0}}}}}}}}}; }),
            "[tensor] lists are nested more than 8 deep; a tensor has at most 8 axes");
}

TEST(Tensor, EmptyOnes) {
  EXPECT_EQ(Tensor().shape(), (Shape{0}));
  EXPECT_EQ(Tensor().size(), 0);
  EXPECT_TRUE(Tensor().data().empty());
  EXPECT_EQ(Tensor::zeros(Shape{3, 0}).size(), 0);
  EXPECT_TRUE(equal(Tensor(), Tensor::zeros(Shape{0})));
  EXPECT_FALSE(equal(Tensor(), Tensor::zeros(Shape{0, 1})));
}

TEST(Tensor, ElementsAreCheckedForPlaceAndCount) {
  const Tensor t = Tensor::zeros(Shape{2, 3});
  EXPECT_THAT(error_of<ShapeError>([&] { t(1); }),
              AllOf(HasSubstr("1 indices"), HasSubstr("[2, 3]"), HasSubstr("one per axis")));
  EXPECT_THAT(error_of<ShapeError>([&] { t(1, 1, 1); }), HasSubstr("3 indices"));
  EXPECT_THAT(error_of<ShapeError>([&] { t(2, 0); }),
              AllOf(HasSubstr("index 2 along axis 0"), HasSubstr("[2, 3]"), HasSubstr("0 .. 1")));
  EXPECT_THAT(error_of<ShapeError>([&] { t(0, -1); }),
              AllOf(HasSubstr("index -1 along axis 1"), HasSubstr("0 .. 2")));
  EXPECT_THAT(error_of<ShapeError>([&] { static_cast<void>(t.item()); }),
              AllOf(HasSubstr("[item]"), HasSubstr("[2, 3]"), HasSubstr("6 numbers")));
  EXPECT_EQ((Tensor{{5.0}}.item()), 5.0);
}

TEST(Tensor, FlatCountsInRowMajorOrder) {
  const Tensor t{{1, 2, 3}, {4, 5, 6}};
  for (Index k = 0; k < t.size(); ++k) EXPECT_EQ(t.flat(k), static_cast<double>(k + 1));
  EXPECT_EQ(t.rows(1, 2).flat(0), 4.0);
}

TEST(Tensor, CopiesShareTheNumbers) {
  const Tensor a{1.0, 2.0, 3.0};
  const Tensor b = a;
  EXPECT_EQ(a.data().data(), b.data().data());
  Tensor c;
  c = b;
  EXPECT_EQ(c.data().data(), a.data().data());
  const double* numbers = c.data().data();
  Tensor d = std::move(c);
  EXPECT_EQ(d.data().data(), numbers);
  EXPECT_EQ(c.size(), 0);  // NOLINT(bugprone-use-after-move): a moved-from tensor is empty
  EXPECT_EQ(c.shape(), (Shape{0}));
  Tensor& self = d;
  d = self;
  d = std::move(self);
  EXPECT_TRUE(equal(d, a));
}

TEST(Tensor, RowsAndReshapesAreViewsThatKeepTheNumbersAlive) {
  Tensor rows, flat;
  {
    const Tensor t{{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}};
    rows = t.rows(1, 3);
    flat = t.reshape(Shape{6});
    EXPECT_EQ(rows.data().data(), t.data().data() + 2);
    EXPECT_EQ(flat.data().data(), t.data().data());
  }
  const Tensor other = Tensor::full(Shape{6}, -9.0);  // would land on freed numbers
  EXPECT_TRUE(equal(rows, Tensor{{3.0, 4.0}, {5.0, 6.0}}));
  EXPECT_TRUE(equal(flat, Tensor{1.0, 2.0, 3.0, 4.0, 5.0, 6.0}));
  EXPECT_EQ(rows.rows(1, 1).shape(), (Shape{0, 2}));
  EXPECT_TRUE(equal(rows.rows(1, 2).reshape(Shape{2}), Tensor{5.0, 6.0}));
}

TEST(Tensor, ViewsOutOfRangeAreErrors) {
  const Tensor t = Tensor::zeros(Shape{3, 2});
  EXPECT_THAT(error_of<ShapeError>([&] { static_cast<void>(t.reshape(Shape{4})); }),
              AllOf(HasSubstr("[reshape]"), HasSubstr("[3, 2]"), HasSubstr("6"), HasSubstr("[4]")));
  for (const auto& [first, last] : {std::pair<Index, Index>{-1, 2}, {0, 4}, {2, 1}})
    EXPECT_THAT(error_of<ShapeError>([&, f = first, l = last] { static_cast<void>(t.rows(f, l)); }),
                AllOf(HasSubstr("[rows]"), HasSubstr("[3, 2]"), HasSubstr("axis 0")));
  EXPECT_THAT(error_of<ShapeError>([] { static_cast<void>(Tensor::scalar(1.0).rows(0, 1)); }),
              HasSubstr("shape []"));
}

TEST(Tensor, EqualityIsExact) {
  EXPECT_TRUE(equal(Tensor{1.0, 2.0}, Tensor{1.0, 2.0}));
  EXPECT_TRUE(equal(Tensor{0.0}, Tensor{-0.0}));
  EXPECT_FALSE(equal(Tensor{1.0, 2.0}, Tensor{1.0, std::nextafter(2.0, 3.0)}));
  EXPECT_FALSE(equal(Tensor{1.0, 2.0}, Tensor{{1.0, 2.0}}));
  EXPECT_FALSE(equal(Tensor{NAN}, Tensor{NAN}));
}

TEST(Shape, SizesAndText) {
  EXPECT_EQ((Shape{4, 3, 2}.size()), 24);
  EXPECT_EQ(Shape{}.size(), 1);
  EXPECT_EQ((Shape{4, 0}.size()), 0);
  EXPECT_EQ(Shape{}.to_string(), "[]");
  EXPECT_EQ((Shape{32, 10}.to_string()), "[32, 10]");
  EXPECT_EQ((Shape{4, 3, 2}.position(0)), "[0, 0, 0]");
  EXPECT_EQ((Shape{4, 3, 2}.position(23)), "[3, 2, 1]");
  EXPECT_EQ((Shape{4, 3, 2}.position(7)), "[1, 0, 1]");
  EXPECT_EQ(Shape{7}.position(5), "[5]");
  EXPECT_EQ(Shape{}.position(0), "");
  EXPECT_EQ((Shape{4, 3, 2}[1]), 3);
  EXPECT_EQ((Shape{4, 3, 2}.without(1)), (Shape{4, 2}));
  EXPECT_EQ((Shape{4, 3}.with_inserted(0, 7)), (Shape{7, 4, 3}));
  EXPECT_EQ((Shape{4, 3}.with_inserted(2, 7)), (Shape{4, 3, 7}));
  EXPECT_EQ((Shape{4, 3}.with(1, 7)), (Shape{4, 7}));
  EXPECT_NE((Shape{4, 3}), (Shape{3, 4}));
  EXPECT_NE((Shape{4}), (Shape{4, 1}));
  EXPECT_EQ((Shape{1, 1, 1, 1, 1, 1, 1, 1}.rank()), 8);
}

TEST(Shape, Errors) {
  EXPECT_THAT(error_of<ShapeError>([] {
                Shape{2, -1};
              }),
              AllOf(HasSubstr("[shape]"), HasSubstr("-1"), HasSubstr("axis 1")));
  EXPECT_THAT(error_of<ShapeError>([] { Shape{Index{1} << 32}; }), HasSubstr("2^32 - 1"));
  EXPECT_THAT(error_of<ShapeError>([] {
                Shape{Index{1} << 31, Index{1} << 31, 4, 4};
              }),
              HasSubstr("2^48 elements"));
  EXPECT_THAT(error_of<ShapeError>([] { Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}; }),
              AllOf(HasSubstr("9 axes"), HasSubstr("at most 8")));
  const Shape shape{4, 3};
  EXPECT_THAT(error_of<ShapeError>([&] { static_cast<void>(shape[2]); }),
              AllOf(HasSubstr("axis 2 of [4, 3]"), HasSubstr("0 .. 1")));
  EXPECT_THAT(error_of<ShapeError>([&] { static_cast<void>(shape[-1]); }), HasSubstr("axis -1"));
  EXPECT_THAT(error_of<ShapeError>([&] { static_cast<void>(shape.without(2)); }), HasSubstr("axis 2"));
  EXPECT_THAT(error_of<ShapeError>([&] { static_cast<void>(shape.with(5, 1)); }), HasSubstr("axis 5"));
  EXPECT_THAT(error_of<ShapeError>([&] { static_cast<void>(shape.with_inserted(3, 1)); }),
              HasSubstr("axis 3"));
  EXPECT_THAT(error_of<ShapeError>([] {
                static_cast<void>(Shape{1, 1, 1, 1, 1, 1, 1, 1}.with_inserted(0, 2));
              }),
              HasSubstr("9 axes"));
}

TEST(Buffers, AreAlignedAndLargeEnoughAtEverySize) {
  for (Index n = 0; n < 3000; n = n < 70 ? n + 1 : n + n / 7) {
    const Tensor t = Tensor::full(Shape{n}, 1.0);  // under a sanitizer this writes up to the end
    const auto address = reinterpret_cast<std::uintptr_t>(t.data().data());
    EXPECT_EQ(address % (n <= 6 ? 16 : 64), 0u) << n;
  }
}

TEST(Buffers, AreRecycledButNeverWhileInUse) {
  detail::drop_cached_buffers();
  EXPECT_EQ(detail::cached_bytes(), 0u);
  const double* first = nullptr;
  {
    const Tensor t = Tensor::zeros(Shape{1000});
    first = t.data().data();
  }
  EXPECT_GE(detail::cached_bytes(), 8000u);
  const Tensor again = Tensor::zeros(Shape{1000});
  EXPECT_EQ(again.data().data(), first);
  EXPECT_EQ(detail::cached_bytes(), 0u);
  // Live tensors are all distinct, also after much coming and going.
  std::vector<Tensor> live;
  std::set<const double*> places;
  for (int round = 0; round < 300; ++round) {
    if (round % 3 == 2) live.erase(live.begin() + static_cast<std::ptrdiff_t>(live.size() / 2));
    live.push_back(Tensor::full(Shape{1 + round % 40}, static_cast<double>(round)));
  }
  for (const Tensor& t : live) {
    EXPECT_TRUE(places.insert(t.data().data()).second);
    for (const double v : t.data()) EXPECT_EQ(v, t(0));
  }
  detail::drop_cached_buffers();
  EXPECT_EQ(detail::cached_bytes(), 0u);
}

TEST(Buffers, TheCacheIsBounded) {
  detail::drop_cached_buffers();
  const std::size_t limit = detail::cached_bytes_limit();
  // Untouched memory costs nothing, so this may be more than the machine would like to give.
  std::vector<Tensor> many;
  for (std::size_t bytes = 0; bytes < limit + (std::size_t{128} << 20); bytes += std::size_t{64} << 20)
    many.push_back(detail::uninitialized(Shape{8, 1 << 20}));
  many.clear();
  EXPECT_LE(detail::cached_bytes(), limit);
  EXPECT_GT(detail::cached_bytes(), limit / 2);
  detail::drop_cached_buffers();
}

TEST(Buffers, UniquenessIsSeenThroughViews) {
  const Tensor t{1.0, 2.0};
  EXPECT_TRUE(detail::TensorAccess::unique(t));
  const Tensor part = t.rows(0, 1);
  EXPECT_FALSE(detail::TensorAccess::unique(t));
  EXPECT_FALSE(detail::TensorAccess::unique(part));
  EXPECT_FALSE(detail::TensorAccess::unique(Tensor()));
}

}  // namespace
}  // namespace cotangent
