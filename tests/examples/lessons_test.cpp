// The frame of the lessons: verdicts from numbers, exit codes, options; and the drawn and moved digits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "cotangent.hpp"
#include "examples/support/digits.hpp"
#include "examples/support/lesson.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::examples {
namespace {

using ::testing::ElementsAre;
using theory::Outcome;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Runs a lesson with options and gives its exit code.
int exit_code(FunctionRef<void(Lesson&)> lesson, std::vector<std::string> options, bool reads_data = false) {
  options.insert(options.begin(), "program");
  std::vector<char*> argv;
  for (std::string& option : options) argv.push_back(option.data());
  argv.push_back(nullptr);
  return run_lesson({.name = "99_lesson",
                     .about = "A lesson of the test.",
                     .claim = "One line.",
                     .statement = "If $a$, then $b$.",
                     .reads_data = reads_data},
                    static_cast<int>(options.size()), argv.data(), lesson);
}

/// The record of a lesson, and its exit code.
report::Record record_of(FunctionRef<void(Lesson&)> lesson, int expected_code) {
  const test::TemporaryDirectory folder;
  EXPECT_EQ(exit_code(lesson, {"--out", folder.path(), "--seed", "18446744073709551615"}), expected_code);
  return report::load_record(folder / "99_lesson.json");
}

theory::Verdict at_most(double lhs, double rhs) {
  return theory::compare({"c", "lhs <= rhs"}, theory::exact(lhs) <= theory::exact(rhs));
}

TEST(Lesson, RecordsVerdictsBesideWhatItExpects) {
  const report::Record record = record_of(
      [](Lesson& l) {
        l.expect(Outcome::certified, at_most(1.0, 2.0));
        l.expect(Outcome::refuted, at_most(2.0, 1.0), "another name");
        l.expect(Outcome::inconclusive, at_most(kNaN, 1.0), "nan");
        l.expect(Outcome::refuted, theory::check_surrogate(theory::MarginLoss::logistic));
      },
      0);
  EXPECT_EQ(record.seed, 18446744073709551615u);
  std::vector<std::string> names, verdicts;
  for (const report::Check& c : record.checks) {
    names.push_back(c.name);
    verdicts.push_back(c.verdict);
    EXPECT_EQ(c.verdict, c.expected) << c.name;
    if (!std::isnan(c.lhs)) {
      EXPECT_EQ(c.margin, c.rhs - c.lhs);
    }
  }
  EXPECT_THAT(names, ElementsAre("c", "another name", "nan", theory::entry("O27").title));
  EXPECT_THAT(verdicts, ElementsAre("certified", "refuted", "inconclusive", "refuted"));
  EXPECT_EQ(record.checks[0].source, "") << "two numbers cite no entry";
  EXPECT_EQ(record.checks[3].source, "proxy O27");
  EXPECT_EQ(record.checks[3].witness, "99_lesson_witness_3.npz");
}

TEST(Lesson, AnotherVerdictThanExpectedIsExitCodeOne) {
  for (const auto& [expected, lhs] : {std::pair{Outcome::certified, 2.0},
                                      {Outcome::certified, kNaN},
                                      {Outcome::supported, 1.0},
                                      {Outcome::refuted, 1.0},
                                      {Outcome::refuted, kNaN},
                                      {Outcome::agrees, 1.0},
                                      {Outcome::inconclusive, 1.0}}) {
    const theory::Verdict verdict = at_most(lhs, 1.5);  // clang 14 captures no bindings
    const Outcome wanted = expected;
    EXPECT_FALSE(record_of([&](Lesson& l) { l.expect(wanted, verdict); }, 1).as_expected());
  }
}

TEST(Lesson, TheRecordSaysWhatItIsAbout) {
  const report::Record record = record_of([](Lesson&) {}, 0);
  EXPECT_EQ(record.claim, "One line.");
  EXPECT_EQ(record.statement, "If $a$, then $b$.");
  EXPECT_GE(record.seconds, 0.0);
  EXPECT_LT(record.seconds, 60.0);
}

TEST(Lesson, FiguresThatWereDrawnAreRecorded) {
  const report::Record record = record_of(
      [](Lesson& l) {
        l.figure({l.path("_a.svg"), true}, "A curve");
        l.figure({l.path("_b.svg"), true, "2 left out"}, "Another");
        l.figure({l.path("_c.svg"), false, "no gnuplot"}, "Not drawn");
        l.figure({l.path("_d.png"), true}, "");
      },
      0);
  EXPECT_THAT(record.figures, ElementsAre("99_lesson_a.svg", "99_lesson_b.svg", "99_lesson_d.png"));
  EXPECT_EQ(record.caption("99_lesson_a.svg"), "A curve");
  EXPECT_EQ(record.caption("99_lesson_b.svg"), "Another (2 left out)");
  EXPECT_EQ(record.caption("99_lesson_d.png"), "");
  testing::internal::CaptureStderr();
  const test::TemporaryDirectory folder;
  EXPECT_EQ(exit_code(
                [](Lesson& l) {
                  l.figure({"/elsewhere/a.svg", true}, "");
                },
                {"--out", folder.path()}),
            2);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("[Lesson::figure] /elsewhere/a.svg: not in the directory of --out, "));
}

TEST(Lesson, OptionsReachIt) {
  const test::TemporaryDirectory folder;
  const std::string out = folder / "a/b";
  bool called = false;
  const auto lesson = [&](Lesson& l) {
    called = true;
    EXPECT_TRUE(l.smoke());
    EXPECT_EQ(l.seed(), 7u);
    EXPECT_EQ(l.data(), folder.path());
    EXPECT_EQ(l.path("_x.npz"), out + "/99_lesson_x.npz");
    EXPECT_TRUE(std::filesystem::is_directory(out));
    l.metric("a number", 1.0);
  };
  EXPECT_EQ(exit_code(lesson, {"--smoke", "--seed", "7", "--out", out, "--data", folder.path()}, true), 0);
  EXPECT_TRUE(called);
  const auto plain = [](Lesson& l) {
    EXPECT_FALSE(l.smoke());
    EXPECT_EQ(l.seed(), 1u);
    EXPECT_EQ(l.data(), "");
  };
  EXPECT_EQ(exit_code(plain, {"--out", out}, true), 0);
}

TEST(Lesson, BadUsageIsExitCodeTwoAndNothingRuns) {
  const test::TemporaryDirectory folder;
  const auto never = [](Lesson&) { ADD_FAILURE() << "the lesson ran"; };
  test::write_bytes(folder / "file", "");
  const std::vector<std::vector<std::string>> uses = {{"--seed", "-1"},
                                                      {"--seed", "18446744073709551616"},
                                                      {"--seed", "1e3"},
                                                      {"--seed", ""},
                                                      {"--out", folder / "file"},
                                                      {"--out", folder / "file/inside"},
                                                      {"--out", ""},
                                                      {"--data", folder / "missing"},
                                                      {"--data", folder / "file"},
                                                      {"--smok"},
                                                      {"word"}};
  for (const auto& options : uses) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(exit_code(never, options, true), 2) << options.front();
    EXPECT_NE(testing::internal::GetCapturedStderr(), "") << options.front();
  }
  EXPECT_EQ(exit_code(never, {"--data", folder.path()}, false), 2) << "a lesson without data has no --data";
  EXPECT_EQ(exit_code(never, {"--help"}), 0);
}

TEST(Lesson, AnErrorIsAMessageAndExitCodeTwo) {
  const test::TemporaryDirectory folder;
  testing::internal::CaptureStderr();
  EXPECT_EQ(
      exit_code([](Lesson&) { throw DomainError("[somewhere] broken; mend it"); }, {"--out", folder.path()}),
      2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "99_lesson: [somewhere] broken; mend it\n");
  EXPECT_TRUE(folder.names().empty()) << "no record of a lesson that did not end";
}

TEST(DrawnDigits, AreImagesOfEveryClassInRandomOrder) {
  Rng rng(5);
  const nn::Digits digits = drawn_digits(205, rng);
  EXPECT_EQ(digits.images.shape().to_string(), "[205, 784]");
  EXPECT_EQ(digits.labels.shape().to_string(), "[205]");
  std::vector<int> counts(10, 0);
  bool in_order = true;
  for (Index i = 0; i < 205; ++i) {
    ++counts.at(static_cast<std::size_t>(digits.labels(i)));
    in_order = in_order && digits.labels(i) == static_cast<double>(i % 10);
    double ink = 0.0;
    for (const double pixel : digits.images.rows(i, i + 1).data()) {
      ASSERT_TRUE(pixel >= 0.0 && pixel <= 1.0) << pixel;
      ink += pixel > 0.4 ? 1.0 : 0.0;
    }
    EXPECT_GT(ink, 10.0) << "image " << i << " is nearly empty";
    EXPECT_LT(ink, 400.0) << "image " << i << " is nearly full";
  }
  EXPECT_THAT(counts, ElementsAre(21, 21, 21, 21, 21, 20, 20, 20, 20, 20));
  EXPECT_FALSE(in_order);
  Rng same(5), other(6);
  EXPECT_TRUE(equal(drawn_digits(205, same).images, digits.images));
  EXPECT_FALSE(equal(drawn_digits(205, other).images, digits.images));
  EXPECT_EQ(test::error_of<DomainError>([&] { drawn_digits(0, rng); }),
            "[drawn_digits] n is 0; ask for at least one digit");
}

/// An image that is 0 but for one pixel.
Tensor dot_at(Index row, Index column) {
  std::vector<double> pixels(784, 0.0);
  pixels[static_cast<std::size_t>(row * 28 + column)] = 1.0;
  return Tensor::from(pixels, {1, 784});
}

/// Total ink and its centre, (row, column).
struct Ink {
  double total = 0.0, row = 0.0, column = 0.0;
};
Ink ink_of(const Tensor& image) {
  Ink ink;
  for (Index i = 0; i < 784; ++i) {
    const Index row = i / 28, column = i % 28;
    ink.total += image(0, i);
    ink.row += image(0, i) * static_cast<double>(row);
    ink.column += image(0, i) * static_cast<double>(column);
  }
  ink.row /= ink.total;
  ink.column /= ink.total;
  return ink;
}

TEST(Moved, ByNothingIsTheSameImage) {
  Rng rng(1);
  const Tensor images = rng.uniform({3, 784});
  EXPECT_TRUE(equal(moved(images, {0.0, 0.0, 0.0, 0.0}, rng), images));
}

TEST(Moved, ShiftsCarryADotByAtMostTheShift) {
  Rng rng(2);
  double farthest = 0.0, rows = 0.0;
  for (int k = 0; k < 200; ++k) {
    const Ink ink = ink_of(moved(dot_at(9, 17), {2.0, 0.0, 0.0, 0.0}, rng));
    EXPECT_NEAR(ink.total, 1.0, 1e-12);  // the four weights between pixels add up to 1
    farthest = std::max({farthest, std::fabs(ink.row - 9.0), std::fabs(ink.column - 17.0)});
    rows += ink.row / 200.0;
  }
  EXPECT_LE(farthest, 2.0 + 1e-12);
  EXPECT_GT(farthest, 1.8);
  EXPECT_NEAR(rows, 9.0, 0.3);
}

TEST(Moved, TurnsKeepTheDistanceFromTheCentre) {
  Rng rng(3);
  double widest = 0.0;
  for (int k = 0; k < 100; ++k) {
    const Ink ink = ink_of(moved(dot_at(13, 22), {0.0, 0.3, 0.0, 0.0}, rng));
    EXPECT_NEAR(std::hypot(ink.row - 13.5, ink.column - 13.5), std::hypot(0.5, 8.5), 0.4);
    widest =
        std::max(widest, std::fabs(std::atan2(ink.row - 13.5, ink.column - 13.5) - std::atan2(-0.5, 8.5)));
  }
  EXPECT_NEAR(widest, 0.3, 0.06);
}

TEST(Moved, ScalesAndSlantsAboutTheCentre) {
  Rng rng(4);
  double nearest = 99.0, farthest = 0.0, slanted = 0.0;
  for (int k = 0; k < 200; ++k) {
    const Ink scaled = ink_of(moved(dot_at(13, 23), {0.0, 0.0, 0.2, 0.0}, rng));
    nearest = std::min(nearest, scaled.column - 13.5);
    farthest = std::max(farthest, scaled.column - 13.5);
    const Ink slant = ink_of(moved(dot_at(3, 13), {0.0, 0.0, 0.0, 0.2}, rng));
    EXPECT_NEAR(slant.row, 3.0, 1e-9);
    slanted = std::max(slanted, std::fabs(slant.column - 13.0));
  }
  EXPECT_NEAR(nearest, 0.8 * 9.5, 0.5);
  EXPECT_NEAR(farthest, 1.2 * 9.5, 0.5);
  EXPECT_NEAR(slanted, 0.2 * 10.5, 0.1);
}

TEST(Moved, RefusesOtherShapes) {
  Rng rng(1);
  EXPECT_EQ(test::error_of<ShapeError>([&] {
              moved(Tensor::zeros({2, 28, 28}), {}, rng);
            }),
            "[moved] images are [2, 28, 28]; give [n, 784]");
}

TEST(Answers, AreCountedByClass) {
  const Tensor logits{{1, 2, 0}, {3, 1, 1}, {0, 0, 1}, {0, 2, 1}}, labels{1, 0, 0, 1};
  EXPECT_TRUE(equal(confusion(logits, labels), Tensor{{1, 0, 1}, {0, 2, 0}, {0, 0, 0}}));
  EXPECT_EQ(test::error_of<ShapeError>([&] {
              confusion(logits, Tensor{1, 0});
            }),
            "[confusion] logits are [4, 3], labels [2]; give [n, C] and [n]");
  EXPECT_EQ(test::error_of<DomainError>([&] {
              confusion(logits, Tensor{1, 0, 3, 1});
            }),
            "[confusion] label 2 is 3; give classes from 0 to 2");
}

TEST(Answers, MistakenDigitsStandSideBySide) {
  Rng rng(6);
  const Tensor images = rng.uniform({5, 784}), labels{1, 0, 1, 1, 0};
  const Tensor logits{{0, 1}, {0, 1}, {1, 0}, {1, 0}, {1, 0}};  // 1, 2 and 3 are wrong
  const Tensor two = mistaken(images, logits, labels, 9, 2);
  EXPECT_EQ(two.shape().to_string(), "[56, 56]");
  EXPECT_EQ(two(3, 5), images(1, 3 * 28 + 5));
  EXPECT_EQ(two(3, 28 + 5), images(2, 3 * 28 + 5));
  EXPECT_EQ(two(28 + 27, 27), images(3, 783));
  EXPECT_EQ(two(28 + 27, 28 + 27), 0.0);
  EXPECT_TRUE(equal(mistaken(images, logits, labels, 1, 1), images.rows(1, 2).reshape({28, 28})));
  EXPECT_TRUE(equal(mistaken(images, logits, Tensor{1, 1, 0, 0, 0}, 9, 2), Tensor::zeros({28, 56})));
  EXPECT_EQ(test::error_of<ShapeError>([&] { mistaken(images.rows(0, 4), logits, labels, 9, 2); }),
            "[mistaken] images are [4, 784] for 5 labels; give [5, 784]");
  EXPECT_EQ(test::error_of<DomainError>([&] { mistaken(images, logits, labels, 0, 2); }),
            "[mistaken] at most 0, 2 across; give at least 1 of both");
}

TEST(MovingImages, MoveOnceAnEpochAndAlwaysFromTheOriginals) {
  const Tensor dots = dot_at(14, 14);
  MovingImages images(dots, {1.0, 0.0, 0.0, 0.0}, Rng(1));
  Rng same(1);
  EXPECT_TRUE(equal(images.now(), moved(dots, {1.0, 0.0, 0.0, 0.0}, same)));
  // Two epochs of two iterations: four steps, two motions.
  Rng rng(2);
  const auto f = optim::finite_sum(2, [](const Var& w, const Batch&) { return dot(w, w); });
  const optim::Sgd sgd({.step = 0.1, .batch = 1, .epochs = 2});
  sgd.minimize(f, Tensor{1.0}, rng, {&images});
  moved(dots, {1.0, 0.0, 0.0, 0.0}, same);
  EXPECT_TRUE(equal(images.now(), moved(dots, {1.0, 0.0, 0.0, 0.0}, same)));
}

}  // namespace
}  // namespace cotangent::examples
