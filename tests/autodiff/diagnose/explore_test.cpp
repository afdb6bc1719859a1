// The explorer: what each recorded operation holds, takes and passes back, as text and as a page.
#include <cmath>
#include <numeric>
#include <optional>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/explore.hpp"
#include "autodiff/ops.hpp"
#include "nn/layers.hpp"
#include "nn/losses.hpp"
#include "report/tape_page.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Explore, RowsOfASmallFunctionByHand) {
  const Tensor x{{3.0, 4.0}};
  const TapeReport report = explore([](const Var& v) { return sum(square(tanh(0.0 * v) + 2.0 * v)); }, x);
  // input, scale and scale in either order, tanh, add, square, sum
  ASSERT_EQ(report.rows.size(), 7u);
  EXPECT_EQ(report.rows[0].operation, "input");
  EXPECT_FALSE(report.rows[0].backward_seconds.has_value());
  EXPECT_NEAR(report.rows[0].gradient_norm.value_or(0), 8.0 * 5.0, 1e-12);  // of 4 |x|^2
  const TapeRow &square = report.rows[5], &sum = report.rows[6];
  EXPECT_EQ(square.operation, "square");
  EXPECT_EQ(square.shape, (Shape{1, 2}));
  EXPECT_THAT(square.inputs, ElementsAre(4));
  EXPECT_EQ(square.bytes, 16);  // its input
  EXPECT_NEAR(square.gradient_norm.value_or(0), std::sqrt(2.0), 1e-12);
  EXPECT_EQ(sum.bytes, 0);
  EXPECT_EQ(sum.gradient_norm, 1.0);
  EXPECT_EQ(report.value_bytes, 32);  // and tanh's output
  for (const TapeRow& row : report.rows)
    if (row.operation != "input") {
      EXPECT_GT(row.forward_seconds, 0.0) << row.operation;
      EXPECT_LT(row.forward_seconds, 1.0) << row.operation;
      EXPECT_TRUE(row.backward_seconds.has_value()) << row.operation;
    }
  EXPECT_GT(report.record_bytes, 7 * 100);
}

TEST(Explore, AnArrayThatSeveralRulesHoldCountsOnce) {
  const Tensor x{1.0, 2.0, 3.0};
  const TapeReport report = explore([](const Var& v) { return sum(sin(v) * cos(v)); }, x);
  // x once, the two factors of mul.
  EXPECT_EQ(report.value_bytes, 3 * 3 * 8);
}

TEST(Explore, ANetworksParametersAreNamedWithTheirGradients) {
  Rng rng(5);
  const nn::Sequential net = nn::mlp({3, 8, 2}, nn::LeakyReLU(0.1));
  const Params w = net.init(rng);
  const Tensor x = rng.normal({20, 3}), y = rng.normal({20, 2});
  const auto loss = [&](const Var& v) { return nn::mse(net(v, x), y); };
  const Params g = grad(loss, w);
  const TapeReport report = explore(loss, w, {.runs = 2});
  std::vector<std::string> seen;
  for (const TapeRow& row : report.rows) {
    if (!w.contains(row.parameter) || row.shape != w[row.parameter].shape()) continue;
    seen.push_back(row.parameter);
    const Tensor block = g[row.parameter];
    EXPECT_NEAR(row.gradient_norm.value_or(-1), std::sqrt(sum(square(block)).item()), 1e-12) << row.parameter;
  }
  EXPECT_THAT(seen, testing::UnorderedElementsAre("0.weight", "0.bias", "2.weight", "2.bias"));
  EXPECT_NEAR(report.rows[0].gradient_norm.value_or(-1), norm(g), 1e-12);
  EXPECT_EQ(report.runs, 2);
  EXPECT_THAT(report.to_string(), AllOf(HasSubstr("= 0.weight"), HasSubstr("linear"), HasSubstr("leaky_relu"),
                                        HasSubstr("least of 2 runs")));
}

// The large product takes the time: the explorer sees it where it is, forwards and backwards.
TEST(Explore, TheCostliestRowsAreFound) {
  Rng rng(6);
  const Tensor big = rng.normal({300, 300});
  const auto f = [&](const Var& v) {
    Var y = v;
    for (int k = 0; k < 50; ++k) y = sin(y);
    return sum(matmul(matmul(big, big * y), big));
  };
  const TapeReport report = explore(f, Tensor::scalar(0.3));
  const std::vector<TapeRow> top = costliest(report, 2);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].operation, "matmul");
  EXPECT_EQ(top[1].operation, "matmul");
  EXPECT_LT(top[0].node, top[1].node);
  EXPECT_EQ(top[0].shape, (Shape{300, 300}));
  EXPECT_THAT(report.to_string(3), HasSubstr("the 3 nodes that take the most time"));
  EXPECT_EQ(costliest(report, 1000).size(), report.rows.size());
  EXPECT_TRUE(costliest(report, 0).empty());
}

TEST(Explore, OutputsOfAnyShapeAndConstants) {
  const TapeReport vector = explore([](const Var& v) { return 2.0 * v; }, Tensor{1.0, 1.0, 1.0, 1.0});
  EXPECT_NEAR(vector.rows[0].gradient_norm.value_or(-1), 4.0, 1e-12);
  const TapeReport constant = explore([](const Var&) { return Var(3.0); }, Tensor{1.0});
  ASSERT_EQ(constant.rows.size(), 1u);
  EXPECT_FALSE(constant.rows[0].gradient_norm.has_value());
}

TEST(Explore, Errors) {
  const auto f = [](const Var& v) { return sum(v); };
  EXPECT_THAT(error_of<DomainError>([&] { explore(f, Tensor{1.0}, {.runs = 0}); }),
              AllOf(HasSubstr("[explore]"), HasSubstr("runs is 0")));
  int calls = 0;
  const auto growing = [&](const Var& v) {
    Var y = v;
    for (int k = 0; k < calls; ++k) y = sin(y);
    ++calls;
    return sum(y);
  };
  EXPECT_THAT(error_of<DomainError>([&] { explore(growing, Tensor{1.0}); }), HasSubstr("the same each time"));
  int turns = 0;
  const auto alternating = [&](const Var& v) { return sum(turns++ % 2 ? exp(v) : sin(v)); };
  EXPECT_THAT(error_of<DomainError>([&] { explore(alternating, Tensor{1.0}); }),
              AllOf(HasSubstr("node 1 was sin [1] and then exp [1]"), HasSubstr("the same each time")));
  int sizes = 0;
  const auto widening = [&](const Var& v) { return sum(broadcast_to(v, Shape{2 + sizes++, 1})); };
  EXPECT_THAT(error_of<DomainError>([&] { explore(widening, Tensor{1.0}); }), HasSubstr("[2, 1] and then"));
  EXPECT_THAT(error_of<ShapeError>([&] {
                explore([](const Var& v) { return v + Tensor{1.0, 2.0}; }, Tensor{1.0});
              }),
              HasSubstr("[add]"));
}

TEST(Explore, ATensorIsCalledX) {
  const TapeReport report =
      explore([](const Var& v) { return sum(exp(view(v, 1, Shape{2}))); }, Tensor{1.0, 2.0, 3.0});
  EXPECT_EQ(report.rows[0].parameter, "x");
  EXPECT_EQ(report.rows[1].parameter, "x[1] .. x[2]");
}

TEST(TapePage, HasEveryNodeAndNothingForeign) {
  const test::TemporaryDirectory folder;
  const Params w({{"<script>alert(1)</script>", Tensor{1.0, 2.0}}, {"b", Tensor{3.0}}});
  const auto f = [](const Var& v) { return sum(exp(view(v, 0, Shape{2}))) * sum(view(v, 2, Shape{1})); };
  const TapeReport report = explore(f, w);
  const std::string path = folder / "tape.html";
  report::save_tape_page(path, report, {.title = "A & B"});
  const std::string page = test::read_bytes(path);
  EXPECT_THAT(page, AllOf(HasSubstr("<!DOCTYPE html>"), HasSubstr("<title>A &amp; B</title>"),
                          HasSubstr("Content-Security-Policy\" content=\"default-src 'none'"),
                          HasSubstr("width=device-width"), Not(HasSubstr("<script")),
                          Not(HasSubstr("http://")), Not(HasSubstr("https://"))));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
  for (const TapeRow& row : report.rows)
    EXPECT_THAT(page, HasSubstr("<tr id=\"n" + std::to_string(row.node) + "\">"));
  EXPECT_THAT(page, AllOf(HasSubstr("href=\"#n"), HasSubstr("exp")));
}

TEST(TapePage, SharesOfTimeAreOfBothPassesAndAddUp) {
  const test::TemporaryDirectory folder;
  TapeReport report;
  const auto add = [&report](const std::string& operation, double forward, std::optional<double> backward) {
    TapeRow& row = report.rows.emplace_back();
    row.node = static_cast<Index>(report.rows.size()) - 1;
    row.operation = operation;
    row.forward_seconds = forward;
    row.backward_seconds = backward;
  };
  add("exp", 1.0, std::nullopt);
  add("sin", 1.0, 3.0);
  add("exp", 0.5, 2.5);
  report::save_tape_page(folder / "t.html", report);
  const std::string page = test::read_bytes(folder / "t.html");
  const auto row = [](const std::string& operation, const std::string& nodes, const std::string& forward,
                      const std::string& backward, const std::string& share) {
    const auto cell = [](const std::string& name, const std::string& text) {
      return "<td data-name=\"" + name + "\" class=\"n\">" + text + "</td>";
    };
    return "<tr><td data-name=\"Operation\">" + operation + "</td>" + cell("Nodes", nodes) +
           cell("Bytes kept", "0 B") + cell("Forward", forward) + cell("Backward", backward) +
           cell("Share of time", share + " %<span class=\"bar\" style=\"width:" + share + "%\"></span>") +
           "</tr>\n";
  };
  EXPECT_THAT(page, HasSubstr(row("exp", "2", "1.5 s", "2.5 s", "50") + row("sin", "1", "1 s", "3 s", "50")));

  report.rows.pop_back();
  report::save_tape_page(folder / "t.html", report);
  EXPECT_THAT(test::read_bytes(folder / "t.html"),
              HasSubstr(row("sin", "1", "1 s", "3 s", "80") + row("exp", "1", "1 s", "0 µs", "20")));
}

TEST(TapePage, LeavesOutCheapRowsOfALongRecordAndSaysSo) {
  const test::TemporaryDirectory folder;
  const auto f = [](const Var& v) {
    Var y = v;
    for (int k = 0; k < 300; ++k) y = sin(y);
    return y;
  };
  const TapeReport report = explore(f, Tensor::scalar(0.2), {.runs = 1});
  report::save_tape_page(folder / "t.html", report, {.most = 100});
  const std::string page = test::read_bytes(folder / "t.html");
  EXPECT_THAT(page, HasSubstr("The 100 nodes that take the most time, of 301."));
  std::size_t rows = 0;
  for (std::size_t at = 0; (at = page.find("<tr id=\"n", at)) != std::string::npos; ++at) ++rows;
  EXPECT_EQ(rows, 100u);
}

TEST(TapePage, Errors) {
  const TapeReport report = explore([](const Var& v) { return sum(v); }, Tensor{1.0});
  EXPECT_THAT(error_of<DomainError>([&] { report::save_tape_page("/nowhere/at/all.html", report); }),
              AllOf(HasSubstr("[save_tape_page]"), HasSubstr("/nowhere/at/all.html")));
  EXPECT_THAT(error_of<DomainError>([&] { report::save_tape_page("x.html", report, {.most = 0}); }),
              HasSubstr("most is 0"));
}

}  // namespace
}  // namespace cotangent
