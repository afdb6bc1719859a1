// The text of numbers, tensors and lines; NumPy's own output is the model for tensors.
#include "autodiff/print.hpp"
#include "autodiff/params.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "autodiff/rng.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent {
namespace {

const double kInf = std::numeric_limits<double>::infinity();

TEST(Print, NumbersAreShortest) {
  EXPECT_EQ(to_string(0.1), "0.1");
  EXPECT_EQ(to_string(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(to_string(1.0), "1");
  EXPECT_EQ(to_string(-0.0), "-0");
  EXPECT_EQ(to_string(1e-300), "1e-300");
  EXPECT_EQ(to_string(5e-324), "5e-324");
  EXPECT_EQ(to_string(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(to_string(kInf), "inf");
  EXPECT_EQ(to_string(-kInf), "-inf");
  EXPECT_EQ(to_string(std::nan("")), "nan");
  EXPECT_EQ(to_string(-std::nan("")), "nan");
}

TEST(Print, NumbersReadBackAsThemselves) {
  Rng rng(4);
  for (int i = 0; i < 20000; ++i) {
    const double x = std::ldexp(rng.normal(), static_cast<int>(rng.below(2000)) - 1000);
    EXPECT_EQ(std::strtod(to_string(x).c_str(), nullptr), x);
  }
}

TEST(Print, LinesGoToStandardOutput) {
  testing::internal::CaptureStdout();
  print("loss", 0.25, 3, true, std::string("end"), Tensor{1, 2.5}, Shape{2, 3});
  print();
  print(Params({{"a", Tensor{1}}}));
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "loss 0.25 3 true end [1.  2.5] [2, 3]\n\nParams [1] in 1 block\na [1]\n[1.]\n");
}

enum class Fruit { apple, pear };
const char* to_string(Fruit fruit) { return fruit == Fruit::apple ? "apple" : "pear"; }

TEST(Print, ListsAndReasonsAreTextToo) {
  const std::vector<double> numbers{1.0, -2.5}, none, many(1001, 0.5);
  const std::vector<Index> order{3, 14, -1};
  const std::array<double, 2> pair{0.25, 4.0};
  const Tensor tensor{1.0, -2.5};
  testing::internal::CaptureStdout();
  print(numbers, none, pair, tensor.data(), std::span<double>());
  print(order, std::vector<Index>(), std::vector<Index>(1001, 7));
  print(many);
  print(Fruit::pear);
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            tensor.to_string() + " [] [0.25 4.  ] " + tensor.to_string() +
                " []\n[3 14 -1] [] [7 7 7 ... 7 7 7]\n[0.5 0.5 0.5 ... 0.5 0.5 0.5]\npear\n");
}

TEST(Print, TensorsOfEveryRank) {
  EXPECT_EQ(Tensor().to_string(), "[]");
  EXPECT_EQ(Tensor::zeros(Shape{2, 0, 3}).to_string(), "[] of shape [2, 0, 3]");
  EXPECT_EQ(Tensor::scalar(0.1).to_string(), "0.1");
  EXPECT_EQ((Tensor{{1, -2}, {3, 4}}).to_string(), "[[ 1. -2.]\n [ 3.  4.]]");
  EXPECT_EQ((Tensor{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}).to_string(),
            "[[[1. 2.]\n  [3. 4.]]\n\n [[5. 6.]\n  [7. 8.]]]");
  EXPECT_EQ((Tensor{1.5, std::nan(""), -kInf}).to_string(), "[ 1.5  nan -inf]");
  EXPECT_EQ((Tensor{1e-9, 1}).to_string(), "[1.e-09 1.e+00]");
  EXPECT_EQ(Tensor::zeros(Shape{2}).to_string(), "[0. 0.]");
}

TEST(Print, LongAxesAreShortenedFromAThousandNumbersOn) {
  EXPECT_EQ(Tensor::linspace(0, 1000, 1001).to_string(), "[   0.    1.    2. ...  998.  999. 1000.]");
  EXPECT_EQ(Tensor::linspace(0, 999, 1000).to_string().find("..."), std::string::npos);
  const std::string text = Tensor::zeros(Shape{300, 5}).to_string();
  EXPECT_EQ(
      text,
      "[[0. 0. 0. 0. 0.]\n [0. 0. 0. 0. 0.]\n [0. 0. 0. 0. 0.]\n ...\n [0. 0. 0. 0. 0.]\n [0. 0. 0. 0. 0.]\n"
      " [0. 0. 0. 0. 0.]]");
}

TEST(Print, WhatCountsAsLongCanBeChosen) {
  const Tensor t = Tensor::linspace(0, 8, 9);
  EXPECT_EQ(to_string(t), "[0. 1. 2. 3. 4. 5. 6. 7. 8.]");
  EXPECT_EQ(to_string(t, 9), to_string(t));
  EXPECT_EQ(to_string(t, 8), "[0. 1. 2. ... 6. 7. 8.]");
  EXPECT_EQ(to_string(Tensor::zeros(Shape{2000}), 2000).find("..."), std::string::npos);
}

TEST(Print, ParamsShowEveryBlockAndShortenLongOnes) {
  const Params w({{"0.weight", Tensor::linspace(0, 101, 102).reshape({51, 2})},
                  {"0.bias", Tensor{0.5, -1}},
                  {"scale", Tensor::scalar(2)},
                  {"1.weight", Tensor::ones(Shape{1, 3})}});
  EXPECT_EQ(w.to_string(),
            "Params [108] in 4 blocks\n"
            "0.weight [51, 2]\n"
            "[[  0.   1.]\n [  2.   3.]\n [  4.   5.]\n ...\n [ 96.  97.]\n [ 98.  99.]\n [100. 101.]]\n"
            "0.bias [2]\n"
            "[ 0.5 -1. ]\n"
            "scale []\n"
            "2\n"
            "1.weight [1, 3]\n"
            "[[1. 1. 1.]]");
  EXPECT_EQ(Params({{"a", Tensor::zeros(Shape{100})}}).to_string().find("..."), std::string::npos);
}

TEST(Print, LongRowsAreWrapped) {
  const std::string text = Tensor::ones(Shape{2, 60}).to_string();
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    EXPECT_LE(end - begin, 100u);
  EXPECT_EQ(std::count(text.begin(), text.end(), '1'), 120);
}

TEST(Print, TensorsLookLikeNumPys) {
  COTANGENT_NEEDS_NUMPY();
  const test::TemporaryDirectory directory;
  Rng rng(9);
  const std::vector<Tensor> tensors = {rng.normal(Shape{3, 4}),
                                       rng.uniform(Shape{2, 3, 2}, 0.5, 1.5),
                                       rng.uniform(Shape{5}, 10, 90),
                                       rng.normal(Shape{2, 2}, 0.0, 1e9),
                                       rng.uniform(Shape{3}, 1e-7, 1e-6),
                                       rng.normal(Shape{40, 40}),
                                       Tensor{0.25, 0.5, 3},
                                       Tensor{1, std::nan(""), -kInf},
                                       Tensor{1e-9, 1.5},
                                       Tensor{1, 10, 100},
                                       Tensor::eye(3),
                                       rng.normal(Shape{1, 1, 2, 2})};
  std::string ours;
  for (std::size_t k = 0; k < tensors.size(); ++k) {
    save(directory / (std::to_string(k) + ".npy"), tensors[k]);
    ours += tensors[k].to_string() + "\n";
  }
  const auto numpy = test::run_python(
      "import sys, numpy as np\n"
      "np.set_printoptions(linewidth=100)\n"
      "for k in range(int(sys.argv[2])): print(np.load(f'{sys.argv[1]}/{k}.npy'))",
      {directory.path(), std::to_string(tensors.size())});
  EXPECT_EQ(ours, numpy.output);
}

}  // namespace
}  // namespace cotangent
