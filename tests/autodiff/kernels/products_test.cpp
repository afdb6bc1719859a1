// Matrix products of plain numbers: what OpenBLAS cannot count or would not read, and where it has no room.
#include "autodiff/kernels/products.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/lapack.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/tape/engine_ops.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using Numbers = std::vector<double>;

constexpr Index kMost = std::numeric_limits<int>::max();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Case {
  kernel::ProductSizes sizes;
  MatmulOptions options;
};

/// Every way of the kernel, with every transposition: dot products, outer products, matrix times column and
/// row, general ones small and large.
std::vector<Case> cases() {
  std::vector<Case> list;
  for (const Index rows : {1, 2, 3, 9, 40})
    for (const Index inner : {1, 2, 3, 9, 40})
      for (const Index columns : {1, 2, 3, 9, 40})
        for (const bool ta : {false, true})
          for (const bool tb : {false, true}) list.push_back({{rows, inner, columns}, {ta, tb}});
  return list;
}

std::size_t place(Index i, Index j, Index rows, Index columns, bool transposed) {
  return static_cast<std::size_t>(transposed ? j * rows + i : i * columns + j);
}

Numbers draw(Rng& rng, Index n) {
  Numbers x(static_cast<std::size_t>(n));
  for (double& v : x) v = rng.normal();
  return x;
}

/// scale * (op(a) op(b)) + keep * y by its definition; y is not read for a keep of 0.
Numbers plainly(const Numbers& y, const Numbers& a, const Numbers& b, const Case& c, double keep) {
  const auto [rows, inner, columns] = c.sizes;
  Numbers out;
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j) {
      double sum = 0.0;
      for (Index k = 0; k < inner; ++k)
        sum += a[place(i, k, rows, inner, c.options.transpose_a)] *
               b[place(k, j, inner, columns, c.options.transpose_b)];
      out.push_back(c.options.scale * sum +
                    (keep == 0.0 ? 0.0 : keep * y[place(i, j, rows, columns, false)]));
    }
  return out;
}

void expect_near(const Numbers& found, const Numbers& wanted, const Case& c, double keep) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    if (std::isnan(wanted[k]) ? std::isnan(found[k]) : found[k] == wanted[k]) continue;
    ASSERT_NEAR(found[k], wanted[k], 1e-12)
        << c.sizes.rows << " x " << c.sizes.inner << " x " << c.sizes.columns << ", transposed "
        << c.options.transpose_a << c.options.transpose_b << ", scale " << c.options.scale << ", keep "
        << keep;
  }
}

/// In every case with these constants, after `spoil` has changed the operands. What was in y must show only
/// where some of it is kept.
template <class Spoil>
void check_products(const std::vector<double>& scales, const std::vector<double>& keeps, Spoil spoil) {
  Rng rng(1);
  for (Case c : cases()) {
    const auto [rows, inner, columns] = c.sizes;
    Numbers a = draw(rng, rows * inner), b = draw(rng, inner * columns), before = draw(rng, rows * columns);
    spoil(c, a, b);
    for (const double scale : scales)
      for (const double keep : keeps) {
        c.options.scale = scale;
        const Numbers start = keep == 0.0 ? Numbers(before.size(), kNan) : before;
        Numbers y = start;
        kernel::matmul(y.data(), a.data(), b.data(), c.sizes, c.options, keep);
        expect_near(y, plainly(start, a, b, c, keep), c, keep);
      }
    // Three products one after another.
    Numbers twice_a = a, twice_b = b;
    twice_a.insert(twice_a.end(), a.begin(), a.end());
    twice_b.insert(twice_b.end(), b.begin(), b.end());
    Numbers y(2 * before.size(), kNan);
    kernel::matmul_blocks(y.data(), twice_a.data(), twice_b.data(), 2, c.sizes, c.options);
    const Numbers one = plainly(before, a, b, c, 0.0);
    expect_near({y.begin(), y.begin() + rows * columns}, one, c, 0.0);
    expect_near({y.begin() + rows * columns, y.end()}, one, c, 0.0);
  }
}

TEST(Products, AreTheirDefinitionForEveryScaleAndKeep) {
  check_products({1.0, -0.5, 0.0, -0.0}, {0.0, 1.0, -2.0}, [](const Case&, Numbers&, Numbers&) {});
}

TEST(Products, WhatIsNotFiniteShowsBesideZeros) {
  for (const double special : {kInf, -kInf, kNan}) {
    // One in b beside zeros alone in a, and the other way round.
    check_products({1.0, 0.0, -3.0}, {0.0, 1.0}, [&](const Case&, Numbers& a, Numbers& b) {
      a.assign(a.size(), 0.0);
      b[b.size() / 2] = special;
    });
    check_products({1.0, 0.0, -3.0}, {0.0, 1.0}, [&](const Case&, Numbers& a, Numbers& b) {
      b.assign(b.size(), 0.0);
      a[a.size() / 2] = special;
    });
    // In the first and last column of a, beside what is not zero.
    check_products({1.0, 0.0}, {0.0, 1.0}, [&](const Case& c, Numbers& a, Numbers& b) {
      const auto [rows, inner, columns] = c.sizes;
      a[place(rows - 1, inner - 1, rows, inner, c.options.transpose_a)] = special;
      b[place(0, 0, inner, columns, c.options.transpose_b)] = special;
    });
  }
}

TEST(Products, OfNoTermsAreZeroAndKeepWhatIsKept) {
  const double a = 7.0;
  for (const auto& [scale, expected] :
       {std::pair{1.0, 0.0}, {-1.0, 0.0}, {0.0, 0.0}, {kInf, kNan}, {kNan, kNan}}) {
    Numbers y(6, kNan);
    kernel::matmul(y.data(), &a, &a, {2, 0, 3}, {.scale = scale}, 0.0);
    for (const double v : y)
      EXPECT_TRUE(std::isnan(expected) ? std::isnan(v) : v == 0.0 && !std::signbit(v)) << scale << ": " << v;
  }
  Numbers y(6, 2.0);
  kernel::matmul(y.data(), &a, &a, {2, 0, 3}, {}, 3.0);
  EXPECT_EQ(y, Numbers(6, 6.0));
  kernel::matmul(y.data(), &a, &a, {0, 5, 3}, {.scale = 0.0}, 0.0);
  kernel::matmul(y.data(), &a, &a, {2, 5, 0}, {.scale = 0.0}, 0.0);
  EXPECT_EQ(y, Numbers(6, 6.0));
}

TEST(Products, OperationsLoseNothingByAScaleOfZero) {
  const Tensor nan = Tensor::full({1, 1}, kNan), one = Tensor::full({1, 1}, 1.0);
  EXPECT_TRUE(std::isnan(matmul(nan, one, {.scale = 0.0}).item()));
  EXPECT_TRUE(std::isnan(matmul(Tensor{{0.0, 0.0}}, Tensor{{kInf}, {1.0}}).item()));
  const Tensor spoilt = Tensor::from(Numbers{kNan, 1.0, 1.0, 1.0}, {2, 2}), eye = Tensor::eye(2);
  EXPECT_TRUE(std::isnan(matmul(spoilt, eye, {.scale = 0.0}).value()(0, 1)));
  EXPECT_EQ(matmul(spoilt, eye, {.scale = 0.0}).value()(1, 1), 0.0);
  EXPECT_TRUE(std::isnan(matmul(eye, spoilt, {.scale = 0.0}).value()(1, 0)));
  EXPECT_TRUE(std::isnan(linear(spoilt, eye, Tensor{5.0, 6.0}, {.weight = 0.0}).value()(0, 0)));
  EXPECT_EQ(linear(spoilt, eye, Tensor{5.0, 6.0}, {.weight = 0.0}).value()(1, 1), 6.0);
  const Tensor blocks = Tensor::from(Numbers{1.0, 1.0, 1.0, 1.0, kInf, 1.0, 1.0, 1.0}, {2, 2, 2});
  const Tensor zero = batch_matmul(blocks, blocks, {.scale = 0.0}).value();
  EXPECT_EQ(zero(0, 0, 0), 0.0);
  EXPECT_TRUE(std::isnan(zero(1, 0, 0)));
}

TEST(Products, TheLowerTriangleOfAGramMatrixIsRead) {
  Rng rng(2);
  for (const Index n : {0, 1, 2, 9, 40})
    for (const Index k : {0, 1, 2, 9, 40})
      for (const double special : {1.0, kNan, kInf}) {
        Numbers a = draw(rng, n * k);
        if (!a.empty()) {
          a.assign(a.size(), 0.0);
          a[a.size() / 2] = special;
        }
        Numbers y(static_cast<std::size_t>(n * n), kNan);
        kernel::gram_lower(y.data(), a.data(), n, k);
        const Numbers wanted = plainly(y, a, a, {{n, k, n}, {.transpose_b = true}}, 0.0);
        for (Index i = 0; i < n; ++i)
          for (Index j = 0; j <= i; ++j) {
            const std::size_t at = place(i, j, n, n, false);
            EXPECT_TRUE(std::isnan(wanted[at]) ? std::isnan(y[at])
                                               : y[at] == wanted[at] || std::abs(y[at] - wanted[at]) < 1e-12)
                << n << " x " << k << " at " << i << ", " << j << ": " << y[at] << ", not " << wanted[at];
          }
      }
}

TEST(Products, SidesBeyondOpenBlasAreRefusedByEveryShape) {
  const Index over = kMost + 1;
  const auto error = [](const kernel::ProductSizes& sizes) {
    return error_of<ShapeError>([&] { kernel::check_sizes("name", sizes); });
  };
  for (const kernel::ProductSizes& sizes : std::vector<kernel::ProductSizes>{
           {over, 2, 2}, {2, over, 2}, {2, 2, over}, {over, 2, 1}, {1, 2, over}, {1, over, 2}, {2, over, 1}})
    EXPECT_THAT(error(sizes),
                AllOf(StartsWith("[name] a product of ["), HasSubstr("2147483648"),
                      EndsWith("rows of a, columns of b, or a sum over parts of the inner axis")));
  EXPECT_THAT(error({over, 3, 4}), HasSubstr("[2147483648, 3] and [3, 4]"));
  // What is made without OpenBLAS may be of any size, and so may what is just small enough.
  for (const kernel::ProductSizes& sizes : std::vector<kernel::ProductSizes>{{1, over, 1},
                                                                             {over, 1, 1},
                                                                             {1, 1, over},
                                                                             {over, 0, 3},
                                                                             {0, over, 3},
                                                                             {3, over, 0},
                                                                             {kMost, 2, kMost}})
    EXPECT_NO_THROW(kernel::check_sizes("name", sizes));
}

TEST(Products, TheKernelItselfRefusesThemBeforeAnyWork) {
  const Index over = kMost + 1;
  double* none = nullptr;
  EXPECT_THAT(error_of<ShapeError>([&] {
                kernel::matmul(none, none, none, {over, 2, 2}, {}, 0.0);
              }),
              StartsWith("[matmul] a product of [2147483648, 2]"));
  EXPECT_THAT(error_of<ShapeError>([&] {
                kernel::matmul(none, none, none, {over, 2, 1}, {}, 1.0);
              }),
              StartsWith("[matmul]"));
  EXPECT_THAT(error_of<ShapeError>([&] {
                kernel::matmul_blocks(none, none, none, 3, {2, over, 2}, {});
              }),
              StartsWith("[matmul]"));
  EXPECT_THAT(error_of<ShapeError>([&] { kernel::gram_lower(none, none, 2, over); }),
              StartsWith("[gram] a product of [2, 2147483648]"));
  EXPECT_THAT(error_of<ShapeError>([&] { kernel::gram_lower(none, none, over, 2); }), StartsWith("[gram]"));
  EXPECT_THAT(error_of<DomainError>([&] { kernel::cholesky("name", none, over); }),
              AllOf(StartsWith("[name] a matrix has a side of 2147483648"), EndsWith("give it in parts")));
  EXPECT_THAT(error_of<DomainError>([&] { kernel::cholesky_solve("name", none, 1, none, over); }),
              StartsWith("[name]"));
  EXPECT_THAT(error_of<DomainError>([&] { kernel::symmetric_eigen("name", none, over, none, none); }),
              StartsWith("[name]"));
  EXPECT_THAT(error_of<DomainError>([&] { kernel::singular_values("name", none, 2, over, none); }),
              StartsWith("[name]"));
}

TEST(Products, OperationsRefuseThemByTheirShapes) {
  const Index over = kMost + 1;
  EXPECT_THAT(error_of<ShapeError>([&] {
                detail::matmul_shape("matmul", {over, 2}, {2, 2}, {});
              }),
              StartsWith("[matmul] a product of [2147483648, 2] and [2, 2]"));
  EXPECT_THAT(error_of<ShapeError>([&] {
                detail::matmul_shape("batch_matmul", {2, over}, {2, 5}, {.transpose_a = true});
              }),
              StartsWith("[batch_matmul] a product of [2147483648, 2] and [2, 5]"));
  EXPECT_THAT(error_of<ShapeError>([&] {
                detail::matmul_shape("matmul", {over, 2}, {2}, {});
              }),
              StartsWith("[matmul] a product of [2147483648, 2] and [2, 1]"));
  EXPECT_EQ(detail::matmul_shape("matmul", {over, 0}, {0, 3}, {}), (Shape{over, 3}));
}

/// What this program prints and its exit code when it runs one of its tests in a new process.
std::string child(const std::string& before, const std::string& test) {
  char path[4096];
  const auto length = ::readlink("/proc/self/exe", path, sizeof path);
  const std::string program(path, static_cast<std::size_t>(length));
  std::FILE* pipe = ::popen((before + " GTEST_OUTPUT= timeout 60 '" + program + "' --gtest_filter=" + test +
                             " --gtest_also_run_disabled_tests 2>&1; echo exit $?")
                                .c_str(),
                            "r");
  std::string text;
  char line[512];
  while (pipe && std::fgets(line, sizeof line, pipe)) text += line;
  if (pipe) ::pclose(pipe);
  return text;
}

// Started by the test below.
TEST(Products, DISABLED_OneOfThem) {
  const Tensor a = Tensor::full({64, 64}, 1.0);
  try {
    std::printf("product=%g\n", matmul(a, a).value()(0, 0));
  } catch (const DomainError& error) {
    std::printf("product=%s\n", error.what());
  }
  try {
    std::printf("factor=%g\n", log_det_spd(Tensor::eye(3)).item());
  } catch (const DomainError& error) {
    std::printf("factor=%s\n", error.what());
  }
}

TEST(Products, WithoutRoomForOpenBlasAreAnErrorAndDoNotHang) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer needs an address space without limits";
#endif
  const std::string short_of =
      "OpenBLAS works in 128 MiB for each thread, which the system does not give; raise "
      "the limit of address space (ulimit -v), or set OPENBLAS_NUM_THREADS=1\n";
  for (const std::string limit : {"ulimit -v 150000;", "ulimit -d 100000;"})
    EXPECT_THAT(child(limit + " OPENBLAS_NUM_THREADS=1", "Products.DISABLED_OneOfThem"),
                AllOf(HasSubstr("product=[matmul] " + short_of),
                      HasSubstr("factor=[log_det_spd] " + short_of), EndsWith("exit 0\n")));
  for (const std::string limit : {"", "ulimit -v 600000;"})
    EXPECT_THAT(child(limit + " OPENBLAS_NUM_THREADS=1", "Products.DISABLED_OneOfThem"),
                AllOf(HasSubstr("product=64\n"), HasSubstr("factor=0\n"), EndsWith("exit 0\n")));
}

}  // namespace
}  // namespace cotangent
