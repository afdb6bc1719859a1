// The Jacobian as a table that knows its names: rows, columns, blocks, largest entries, text and file.
#include "autodiff/jacobian.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/npz.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/rng.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Var net(const Var& w, const Var& x) {
  const Var h = tanh(linear(x, view(w, 0, Shape{2, 3}), view(w, 6, Shape{2})));
  return view(w, 8, Shape{}) * h;
}
Params parameters() {
  return Params({{"0.weight", Tensor{{1.0, -0.5, 0.25}, {0.3, 2.0, -1.0}}},
                 {"0.bias", Tensor{0.1, -0.2}},
                 {"gain", Tensor::scalar(1.5)}});
}
const Tensor kX{{0.5, -1.0, 2.0}, {1.5, 0.25, -0.75}, {0.0, 0.6, -0.4}, {-0.9, 1.0, 0.2}};

TEST(Jacobian, NamesItsRowsAndColumns) {
  const Jacobian j = per_sample_jacobian(net, parameters(), kX);
  EXPECT_EQ(j.matrix().shape(), (Shape{8, 9}));
  EXPECT_EQ(j.samples(), 4);
  EXPECT_EQ(j.outputs(), 2);
  EXPECT_EQ(j.row_name(0), "sample 0, output 0");
  EXPECT_EQ(j.row_name(5), "sample 2, output 1");
  std::vector<std::string> names;
  for (Index k = 0; k < 9; ++k) names.push_back(j.column_name(k));
  EXPECT_THAT(names, ElementsAre("0.weight[0, 0]", "0.weight[0, 1]", "0.weight[0, 2]", "0.weight[1, 0]",
                                 "0.weight[1, 1]", "0.weight[1, 2]", "0.bias[0]", "0.bias[1]", "gain"));
  const Params w = parameters();
  for (Index k = 0; k < 9; ++k) EXPECT_EQ(j.column_name(k), w.position_name(k));
}

TEST(Jacobian, EntriesStandWhereTheNamesSay) {
  const Params w = parameters();
  const Jacobian j = per_sample_jacobian(net, w, kX);
  for (Index i = 0; i < 4; ++i) {
    for (Index c = 0; c < 2; ++c) {
      double t = w["0.bias"](c);
      for (Index k = 0; k < 3; ++k) t += w["0.weight"](c, k) * kX(i, k);
      const double slope = 1.5 / (std::cosh(t) * std::cosh(t));
      for (Index r = 0; r < 2; ++r) {
        for (Index k = 0; k < 3; ++k)
          EXPECT_NEAR(j.matrix()(2 * i + c, 3 * r + k), r == c ? slope * kX(i, k) : 0.0, 1e-15);
        EXPECT_NEAR(j.matrix()(2 * i + c, 6 + r), r == c ? slope : 0.0, 1e-15);
      }
      EXPECT_NEAR(j.matrix()(2 * i + c, 8), std::tanh(t), 1e-15);
    }
  }
}

TEST(Jacobian, BlocksBySingleNamesAndPatterns) {
  const Jacobian j = per_sample_jacobian(net, parameters(), kX);
  const Jacobian bias = j.block("0.bias");
  EXPECT_EQ(bias.matrix().shape(), (Shape{8, 2}));
  EXPECT_EQ(bias.column_name(1), "0.bias[1]");
  EXPECT_EQ(bias.columns().size(), 1u);
  EXPECT_EQ(bias.columns()[0].offset, 0);
  const Jacobian layer = j.block("0.*");
  EXPECT_EQ(layer.matrix().shape(), (Shape{8, 8}));
  const Jacobian both = j.block("*a*");  // 0.bias and gain: not neighbours of one another's offsets
  EXPECT_EQ(both.matrix().shape(), (Shape{8, 3}));
  EXPECT_EQ(both.column_name(2), "gain");
  for (Index i = 0; i < 8; ++i) {
    for (Index k = 0; k < 2; ++k) EXPECT_EQ(bias.matrix()(i, k), j.matrix()(i, 6 + k));
    for (Index k = 0; k < 8; ++k) EXPECT_EQ(layer.matrix()(i, k), j.matrix()(i, k));
    EXPECT_EQ(both.matrix()(i, 2), j.matrix()(i, 8));
  }
  EXPECT_THAT(error_of<DomainError>([&] { j.block("1.weight"); }),
              AllOf(HasSubstr("no parameter matches \"1.weight\""), HasSubstr("\"0.weight\""),
                    HasSubstr("\"gain\"")));
}

TEST(Jacobian, RowsOfOneSample) {
  const Jacobian j = per_sample_jacobian(net, parameters(), kX);
  const Jacobian one = j.sample(2);
  EXPECT_EQ(one.samples(), 1);
  EXPECT_EQ(one.outputs(), 2);
  EXPECT_EQ(one.matrix().shape(), (Shape{2, 9}));
  for (Index c = 0; c < 2; ++c)
    for (Index k = 0; k < 9; ++k) EXPECT_EQ(one.matrix()(c, k), j.matrix()(4 + c, k));
  EXPECT_EQ(one.block("gain").matrix().shape(), (Shape{2, 1}));
  EXPECT_THAT(error_of<ShapeError>([&] { j.sample(4); }),
              AllOf(HasSubstr("[jacobian]"), HasSubstr("sample 4 of 4"), HasSubstr("0 .. 3")));
  EXPECT_THAT(error_of<ShapeError>([&] { j.sample(-1); }), HasSubstr("sample -1"));
}

TEST(Jacobian, LargestEntries) {
  const Jacobian j(Tensor{{1.0, -7.0, 0.0}, {3.0, 7.0, -2.0}}, 2, 1, {{"a", Shape{2}, 0}, {"b", Shape{}, 2}});
  const auto top = j.top(4);
  ASSERT_EQ(top.size(), 4u);
  EXPECT_EQ(top[0].row, 0);  // of equal magnitudes the first in the matrix
  EXPECT_EQ(top[0].column, 1);
  EXPECT_EQ(top[0].value, -7.0);
  EXPECT_EQ(top[1].row, 1);
  EXPECT_EQ(top[1].value, 7.0);
  EXPECT_EQ(top[2].value, 3.0);
  EXPECT_EQ(top[3].column, 2);
  EXPECT_EQ(top[3].value, -2.0);
  EXPECT_EQ(j.top(100).size(), 6u);
  EXPECT_TRUE(j.top(0).empty());
  EXPECT_TRUE(j.top(-3).empty());
}

TEST(Jacobian, NaNsAreLargestOfAllThenInfinities) {
  const Jacobian j(Tensor{{INFINITY, 1.0, NAN, -3.0, -INFINITY, -NAN}}, 1, 1, {{"a", Shape{6}, 0}});
  std::vector<Index> columns;
  for (const Jacobian::Entry& entry : j.top(6)) columns.push_back(entry.column);
  EXPECT_EQ(columns, (std::vector<Index>{2, 5, 0, 4, 3, 1}));
  EXPECT_TRUE(std::isnan(j.top(1).at(0).value));
}

TEST(Jacobian, TextNamesShapeAndBlocks) {
  const Jacobian j(Tensor{{1.0, -7.0, 0.5}}, 1, 1, {{"a", Shape{2}, 0}, {"b", Shape{}, 2}});
  EXPECT_EQ(j.to_string(), "Jacobian [1, 3]: 1 samples, 1 outputs; columns a[2] b[]\n[[ 1.  -7.   0.5]]");
}

TEST(Jacobian, ErrorsOfTheTable) {
  EXPECT_THAT(error_of<ShapeError>([] {
                Jacobian(Tensor::zeros(Shape{4, 3}), 2, 2, {{"a", Shape{2}, 0}});
              }),
              AllOf(HasSubstr("[jacobian]"), HasSubstr("[4, 3]"),
                    HasSubstr("2 samples, 2 outputs and 2 named columns"), HasSubstr("[4, 2]")));
  const Jacobian j = per_sample_jacobian(net, parameters(), kX);
  EXPECT_THAT(error_of<ShapeError>([&] { static_cast<void>(j.row_name(8)); }),
              AllOf(HasSubstr("row 8 of [8, 9]"), HasSubstr("0 .. 7")));
  EXPECT_THAT(error_of<ShapeError>([&] { static_cast<void>(j.row_name(-1)); }), HasSubstr("row -1"));
  EXPECT_THAT(error_of<ShapeError>([&] { static_cast<void>(j.column_name(9)); }),
              AllOf(HasSubstr("column 9 of [8, 9]"), HasSubstr("0 .. 8")));
  EXPECT_THAT(error_of<ShapeError>([&] { static_cast<void>(j.column_name(-1)); }), HasSubstr("column -1"));
}

TEST(Jacobian, OptionsAreChecked) {
  const Params w = parameters();
  EXPECT_THAT(error_of<DomainError>([&] {
                per_sample_jacobian(net, w, kX, {.params = {"0.*", "2.weight"}});
              }),
              AllOf(HasSubstr("[params]"), HasSubstr("\"2.weight\""), HasSubstr("\"0.weight\", \"0.bias\"")));
  EXPECT_THAT(error_of<DomainError>(
                  [&] { per_sample_jacobian(net, w, kX, {.params = {"0.weight"}, .wrt = Wrt::inputs}); }),
              AllOf(HasSubstr(".params"), HasSubstr("Wrt::inputs")));
  // A flat vector has one column block, called w.
  const Jacobian flat = per_sample_jacobian(net, w.flat(), kX);
  EXPECT_EQ(flat.column_name(7), "w[7]");
  expect_close(flat.matrix(), per_sample_jacobian(net, w, kX).matrix(), 0.0);
}

TEST(Jacobian, ByInputs) {
  const Jacobian j = per_sample_jacobian(net, parameters(), kX, {.wrt = Wrt::inputs});
  EXPECT_EQ(j.matrix().shape(), (Shape{8, 3}));
  EXPECT_EQ(j.column_name(2), "x[2]");
  // One number a sample: the input has no axes left.
  const Jacobian numbers = per_sample_jacobian([](const Var&, const Var& x) { return square(x); },
                                               Tensor{1.0}, Tensor{1.0, 2.0, 3.0}, {.wrt = Wrt::inputs});
  expect_close(numbers.matrix(), Tensor{{2.0}, {4.0}, {6.0}}, 0.0);
  EXPECT_EQ(numbers.column_name(0), "x");
}

TEST(Jacobian, SavedFileIsReadBack) {
  const test::TemporaryDirectory directory;
  const Jacobian j = per_sample_jacobian(net, parameters(), kX);
  j.save(directory / "j.npz");
  const NpzContents contents = load_npz(directory / "j.npz");
  ASSERT_EQ(contents.arrays.size(), 1u);
  EXPECT_EQ(contents.arrays[0].first, "jacobian");
  EXPECT_TRUE(equal(contents.arrays[0].second, j.matrix()));
  EXPECT_THAT(error_of<DomainError>([&] { j.save(directory / "missing/j.npz"); }),
              HasSubstr("missing/j.npz"));
}

TEST(Jacobian, SavedFileIsReadByNumPy) {
  COTANGENT_NEEDS_NUMPY();
  const test::TemporaryDirectory directory;
  const Jacobian j = per_sample_jacobian(net, parameters(), kX);
  j.save(directory / "j.npz");
  const auto run =
      test::run_python(R"(
import sys, numpy
f = numpy.load(sys.argv[1])
assert sorted(f.files) == ["columns", "jacobian", "rows"], f.files
J = f["jacobian"]
assert J.shape == (8, 9) and J.dtype == numpy.float64
assert f["rows"].dtype.kind == "U" and f["columns"].dtype.kind == "U"
assert list(f["rows"])[:3] == ["sample 0, output 0", "sample 0, output 1", "sample 1, output 0"]
assert list(f["columns"])[5:] == ["0.weight[1, 2]", "0.bias[0]", "0.bias[1]", "gain"]
W, b, X = numpy.array([[1, -.5, .25], [.3, 2, -1]]), numpy.array([.1, -.2]), numpy.array(eval(sys.argv[2]))
T = numpy.tanh(X @ W.T + b)
assert numpy.allclose(J[:, 8].reshape(4, 2), T, rtol=0, atol=1e-15)
assert numpy.allclose(J[0::2, 6], 1.5 * (1 - T[:, 0] ** 2), rtol=0, atol=1e-14)
)",
                       {directory / "j.npz", "[[.5,-1,2],[1.5,.25,-.75],[0,.6,-.4],[-.9,1,.2]]"});
  EXPECT_EQ(run.status, 0) << run.output;
}

TEST(Matches, StarsAndQuestionMarks) {
  const std::vector<std::tuple<const char*, const char*, bool>> cases{
      {"0.weight", "0.weight", true},
      {"0.weight", "0.weigh", false},
      {"0.weight", "0.weightx", false},
      {"", "", true},
      {"", "a", false},
      {"a", "", false},
      {"*", "", true},
      {"*", "anything", true},
      {"**", "a", true},
      {"?", "", false},
      {"?", "a", true},
      {"?", "ab", false},
      {"*.bias", "0.bias", true},
      {"*.bias", ".bias", true},
      {"*.bias", "0.bias2", false},
      {"0.*", "0.weight", true},
      {"0.*", "10.weight", false},
      {"*.weight", "0.1.weight", true},
      {"?.weight", "10.weight", false},
      {"a*b*c", "abc", true},
      {"a*b*c", "axxbyybzzc", true},
      {"a*b*c", "axxbyyb", false},
      {"*ab", "aab", true},
      {"*aab*", "aaaab", true},
      {"a?c*", "abcd", true},
      {"*?", "", false},
      {"?*", "x", true},
      {"[0]", "0", false},
      {"0.weight*", "0.weight", true},
      {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
  };
  for (const auto& [pattern, name, expected] : cases)
    EXPECT_EQ(matches(pattern, name), expected) << "\"" << pattern << "\" against \"" << name << "\"";
}

}  // namespace
}  // namespace cotangent
