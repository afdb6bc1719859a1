// Records of lessons: their JSON, read back, refused, and never half written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "report/report.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

using test::error_of;
using test::read_bytes;
using test::TemporaryDirectory;
using test::write_bytes;

Record sample_record() {
  Record record;
  record.lesson = "02_train";
  record.seed = std::numeric_limits<std::uint64_t>::max();
  record.provenance = {.cpu = "A \"CPU\"",
                       .blas_core = "Haswell",
                       .blas_config = "OpenBLAS 0.3.21",
                       .blas_threads = 2,
                       .isa = "v3",
                       .compiler = "g++ 12.2.0",
                       .build_type = "Release"};
  record.metric("test_accuracy", 0.9685);
  record.metric("undefined", kNan);
  record.check({.name = "rate",
                .source = "ece8101 O7",
                .claim = "f_k <= (1 - μ/L)^k f_0",
                .lhs = 0.1,
                .rhs = 1e-17,
                .margin = -kInf,
                .verdict = "refuted",
                .expected = "refuted"});
  record.figure("02_loss.svg");
  return record;
}

const char* const kSampleText = R"({
  "lesson": "02_train",
  "seed": 18446744073709551615,
  "provenance": {
    "cpu": "A \"CPU\"",
    "blas_core": "Haswell",
    "blas_config": "OpenBLAS 0.3.21",
    "blas_threads": 2,
    "isa": "v3",
    "compiler": "g++ 12.2.0",
    "build_type": "Release"
  },
  "metrics": {
    "test_accuracy": 0.9685,
    "undefined": null
  },
  "checks": [
    {
      "name": "rate",
      "source": "ece8101 O7",
      "claim": "f_k <= (1 - μ/L)^k f_0",
      "lhs": 0.1,
      "rhs": 1e-17,
      "margin": null,
      "verdict": "refuted",
      "expected": "refuted"
    }
  ],
  "figures": [
    "02_loss.svg"
  ]
}
)";

TEST(Record, IsTheDocumentedJson) {
  const TemporaryDirectory folder;
  save(folder / "r.json", sample_record());
  EXPECT_EQ(read_bytes(folder / "r.json"), kSampleText);
}

TEST(Record, ReadsBack) {
  const TemporaryDirectory folder;
  write_bytes(folder / "r.json", kSampleText);
  const Record made = sample_record(), read = load_record(folder / "r.json");
  EXPECT_EQ(read.lesson, made.lesson);
  EXPECT_EQ(read.seed, made.seed);
  EXPECT_EQ(read.provenance, made.provenance);
  ASSERT_EQ(read.metrics.size(), 2u);
  EXPECT_EQ(read.metrics[0], made.metrics[0]);
  EXPECT_EQ(read.metrics[1].first, "undefined");
  EXPECT_TRUE(std::isnan(read.metrics[1].second));
  ASSERT_EQ(read.checks.size(), 1u);
  EXPECT_EQ(read.checks[0].name, "rate");
  EXPECT_EQ(read.checks[0].source, "ece8101 O7");
  EXPECT_EQ(read.checks[0].claim, made.checks[0].claim);
  EXPECT_EQ(read.checks[0].lhs, 0.1);
  EXPECT_EQ(read.checks[0].rhs, 1e-17);
  EXPECT_TRUE(std::isnan(read.checks[0].margin));
  EXPECT_EQ(read.checks[0].verdict, "refuted");
  EXPECT_EQ(read.checks[0].expected, "refuted");
  EXPECT_EQ(read.figures, made.figures);
  EXPECT_TRUE(read.as_expected());
}

TEST(Record, NumbersKeepAllTheirBits) {
  const TemporaryDirectory folder;
  Record record = Record::of("numbers", 0);
  std::vector<double> values = {0.1, 1.0 / 3.0, 5e-324, 1.7976931348623157e308, -0.0, 123456789.123456789};
  for (std::size_t k = 0; k < values.size(); ++k) record.metric("m" + std::to_string(k), values[k]);
  save(folder / "r.json", record);
  const Record read = load_record(folder / "r.json");
  ASSERT_EQ(read.metrics.size(), values.size());
  for (std::size_t k = 0; k < values.size(); ++k) EXPECT_EQ(read.metrics[k].second, values[k]);
  EXPECT_TRUE(std::signbit(read.metrics[4].second));
}

TEST(Record, AnUnexpectedVerdictIsNoticed) {
  Record record = sample_record();
  EXPECT_TRUE(record.as_expected());
  record.checks[0].verdict = "inconclusive";
  EXPECT_FALSE(record.as_expected());
  EXPECT_FALSE(record.checks[0].as_expected());
}

TEST(Record, BytesThatAreNotTextDoNotLoseTheRecord) {
  const TemporaryDirectory folder;
  Record record = sample_record();
  record.figure("bad\xff.svg");
  save(folder / "r.json", record);
  EXPECT_EQ(load_record(folder / "r.json").figures[1], "bad\xef\xbf\xbd.svg");
}

TEST(Record, RefusedBeforeTheFileIsTouched) {
  const TemporaryDirectory folder;
  const std::string path = folder / "r.json";
  write_bytes(path, "old");
  const auto text_of = [&](auto change) {
    Record record = sample_record();
    change(record);
    return error_of<DomainError>([&] { save(path, record); });
  };
  const std::string start = "[save] " + path + ": ";
  EXPECT_EQ(text_of([](Record& r) { r.lesson = ""; }), start + "the lesson has no name; correct the record");
  EXPECT_EQ(text_of([](Record& r) { r.metric("test_accuracy", 1.0); }),
            start + "two metrics are called \"test_accuracy\"; correct the record");
  EXPECT_EQ(text_of([](Record& r) { r.metric("", 1.5); }),
            start + "the metric of value 1.5 has no name; correct the record");
  EXPECT_EQ(text_of([](Record& r) { r.check(r.checks[0]); }),
            start + "two checks are called \"rate\"; correct the record");
  EXPECT_EQ(text_of([](Record& r) { r.checks[0].name = ""; }),
            start + "the check of the claim \"f_k <= (1 - μ/L)^k f_0\" has no name; correct the record");
  EXPECT_EQ(text_of([](Record& r) { r.checks[0].expected = "proved"; }),
            start +
                "check \"rate\" has the verdict \"proved\", none of certified, supported, refuted, agrees, "
                "inconclusive, not_applicable; correct the record");
  EXPECT_EQ(text_of([](Record& r) { r.figure(""); }),
            start + "a figure has no file name; correct the record");
  EXPECT_EQ(read_bytes(path), "old");
}

TEST(Record, BrokenFilesAreNamedWithThePlace) {
  const TemporaryDirectory folder;
  const std::string path = folder / "r.json";
  const std::string good = kSampleText;
  const auto text_of = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    write_bytes(path, text.replace(at, from.size(), to));
    return error_of<DomainError>([&] { load_record(path); });
  };
  const std::string start = "[load_record] " + path + ": ",
                    fix = "; run the lesson again to write the file anew";
  EXPECT_EQ(text_of(good, ""), start + "not JSON from byte 1 of 0 on" + fix);
  EXPECT_EQ(text_of(good, good.substr(0, 100)), start + "not JSON from byte 101 of 100 on" + fix);
  EXPECT_EQ(text_of(good, good + "x"), start + "not JSON from byte " + std::to_string(good.size() + 1) +
                                           " of " + std::to_string(good.size() + 1) + " on" + fix);
  EXPECT_EQ(text_of(good, "[1, 2]"), start + "the whole is an array, not an object" + fix);
  EXPECT_EQ(text_of("\"lesson\"", "\"lessen\""), start + "the whole has no \"lesson\"" + fix);
  EXPECT_EQ(text_of("18446744073709551615", "-1"),
            start + "seed is a number that is no whole number from 0 on of the size expected" + fix);
  EXPECT_EQ(text_of("18446744073709551615", "1.5"),
            start + "seed is a number that is no whole number from 0 on of the size expected" + fix);
  EXPECT_EQ(text_of("\"blas_threads\": 2", "\"blas_threads\": 3000000000"),
            start +
                "provenance.blas_threads is a number that is no whole number from 0 on of the size expected" +
                fix);
  EXPECT_EQ(text_of("\"isa\": \"v3\"", "\"isa\": null"), start + "provenance.isa is null, not a text" + fix);
  EXPECT_EQ(text_of("0.9685", "\"high\""),
            start + "metrics.test_accuracy is a string, not a number or null" + fix);
  EXPECT_EQ(text_of("\"rhs\": 1e-17,", ""), start + "checks[0] has no \"rhs\"" + fix);
  EXPECT_EQ(text_of("\"lhs\": 0.1", "\"lhs\": true"),
            start + "checks[0].lhs is a boolean, not a number or null" + fix);
  EXPECT_EQ(text_of("[\n    \"02_loss.svg\"\n  ]", "{}"), start + "figures is an object, not a list" + fix);
  EXPECT_EQ(text_of("\"verdict\": \"refuted\"", "\"verdict\": \"maybe\""),
            start +
                "check \"rate\" has the verdict \"maybe\", none of certified, supported, refuted, agrees, "
                "inconclusive, not_applicable" +
                fix);
  EXPECT_EQ(text_of(good, std::string(100000, '[')), start + "is nested more than 32 deep" + fix);
  EXPECT_EQ(
      text_of("\"lesson\"", "\"x\": " + std::string(31, '[') + "1" + std::string(31, ']') + ", \"lessen\""),
      start + "the whole has no \"lesson\"" + fix);
  EXPECT_EQ(text_of("\"verdict\": \"refuted\"", "\"verdict\": \"may\\u0000be\""),
            start +
                "check \"rate\" has the verdict \"may be\", none of certified, supported, refuted, agrees, "
                "inconclusive, not_applicable" +
                fix);
  const std::string beyond =
      "a number in it is beyond the range of doubles; write null for what is not finite";
  EXPECT_EQ(text_of("0.9685", "1e999"), start + beyond);
  EXPECT_EQ(text_of("\"lesson\"", "\"unknown\": [-1e400], \"lesson\""), start + beyond);
  const std::string missing = folder / "missing.json";
  EXPECT_EQ(error_of<DomainError>([&] { load_record(missing); }),
            "[load_record] " + missing +
                ": cannot be opened: No such file or directory; check the name and the permissions");
}

TEST(Record, NumbersTooSmallForADoubleAreRoundedToZero) {
  const TemporaryDirectory folder;
  const std::string path = folder / "r.json", from = "0.9685";
  for (const auto& [to, value] :
       {std::pair("1e-400", 0.0), std::pair("4e-324", 5e-324), std::pair("1e-99999", 0.0)}) {
    std::string text = kSampleText;
    write_bytes(path, text.replace(text.find(from), from.size(), to));
    EXPECT_EQ(load_record(path).metrics[0].second, value) << to;
  }
}

TEST(Record, AnObjectHasSoManyNames) {
  const TemporaryDirectory folder;
  const std::string path = folder / "r.json";
  Record record;
  record.lesson = "many";
  for (int k = 0; k < 10000; ++k) record.metric("m" + std::to_string(k), 1.0);
  save(path, record);
  EXPECT_EQ(load_record(path).metrics, record.metrics);
  for (int k = 0; k < 5000; ++k) record.metric("n" + std::to_string(k), 1.0);
  save(path, record);
  const std::string many = "[load_record] " + path +
                           ": has too many names in an object; run the lesson again to write the file anew";
  EXPECT_EQ(error_of<DomainError>([&] { load_record(path); }), many);
  // Or in several; few in each do not count.
  std::string object = "{\"\": 0", objects = "[0", small = "[0";
  for (int k = 0; k < 8000; ++k) object += ", \"" + std::to_string(k) + "\": 0";
  for (int k = 0; k < 4; ++k) objects += ", " + object + "}";
  for (int k = 0; k < 100000; ++k) small += ", {\"a\": 0, \"b\": {}}";
  write_bytes(path, objects + "]");
  EXPECT_EQ(error_of<DomainError>([&] { load_record(path); }), many);
  write_bytes(path, small + "]");
  EXPECT_EQ(error_of<DomainError>([&] { load_record(path); }),
            "[load_record] " + path +
                ": the whole is an array, not an object; run the lesson again to write the "
                "file anew");
}

TEST(Record, WhatAFileNeedNotSayIsEmptyOrUnknown) {
  const TemporaryDirectory folder;
  std::string text = kSampleText;
  text.insert(text.find("\"seed\""), "\"a key of some later day\": [1, {}],\n  ");
  write_bytes(folder / "r.json", text);
  const Record read = load_record(folder / "r.json");
  EXPECT_EQ(read.claim + read.statement, "");
  EXPECT_TRUE(std::isnan(read.seconds));
  EXPECT_TRUE(read.captions.empty());
  EXPECT_EQ(read.caption("02_loss.svg"), "");
  ASSERT_EQ(read.checks.size(), 1u);
  const Check& check = read.checks[0];
  EXPECT_EQ(check.scope + check.note + check.witness, "");
  EXPECT_TRUE(check.hypotheses.empty() && check.steps.empty());
}

Record full_record() {
  Record record = sample_record();
  record.figure("02_digits.png", "What it got wrong");
  record.claim = "Descent converges linearly";
  record.statement = "If $f$ is PL, then $$f_k \\le (1 - \\mu/L)^k f_0.$$";
  record.seconds = 13.25;
  Check& check = record.checks[0];
  check.scope = "on this trajectory";
  check.note = "PL fails at iterate 17";
  check.citation = "lecture 000, descent (O2)";
  check.formula = "$f_{k+1} \\le f_k$";
  check.hypotheses = {
      {.name = "PL", .lhs = 2.0, .rhs = 1.0, .margin = -1.0, .holds = false, .where = "iterate 17"},
      {.name = "smooth", .lhs = 0.5, .rhs = kInf, .margin = kInf, .holds = true}};
  check.steps = {
      {.name = "descent", .lhs = 0.25, .rhs = 0.5, .margin = 0.25, .holds = true, .where = "iterate 3"},
      {.name = "identity", .lhs = 1.0, .rhs = 1.0, .margin = -1e-16, .holds = true, .within = "rounding"}};
  check.witness = "02_witness.npz";
  return record;
}

TEST(Record, TheOptionalKeysAreAddedBehindTheOthers) {
  const TemporaryDirectory folder;
  save(folder / "r.json", full_record());
  const std::string text = read_bytes(folder / "r.json");
  EXPECT_THAT(text, testing::HasSubstr(R"x("expected": "refuted",
      "scope": "on this trajectory",
      "note": "PL fails at iterate 17",
      "citation": "lecture 000, descent (O2)",
      "formula": "$f_{k+1} \\le f_k$",
      "hypotheses": [
        {
          "name": "PL",
          "lhs": 2.0,
          "rhs": 1.0,
          "margin": -1.0,
          "holds": false,
          "where": "iterate 17"
        },
        {
          "name": "smooth",
          "lhs": 0.5,
          "rhs": null,
          "margin": null,
          "holds": true
        }
      ],
      "steps": [)x"));
  EXPECT_THAT(text, testing::EndsWith(R"("captions": {
    "02_digits.png": "What it got wrong"
  },
  "claim": "Descent converges linearly",
  "statement": "If $f$ is PL, then $$f_k \\le (1 - \\mu/L)^k f_0.$$",
  "seconds": 13.25
}
)"));
}

TEST(Record, TheOptionalKeysReadBack) {
  const TemporaryDirectory folder;
  const Record made = full_record();
  save(folder / "r.json", made);
  const Record read = load_record(folder / "r.json");
  EXPECT_EQ(read.figures, made.figures);
  EXPECT_EQ(read.captions, made.captions);
  EXPECT_EQ(read.caption("02_digits.png"), "What it got wrong");
  EXPECT_EQ(read.caption("02_loss.svg"), "");
  EXPECT_EQ(read.claim, made.claim);
  EXPECT_EQ(read.statement, made.statement);
  EXPECT_EQ(read.seconds, 13.25);
  ASSERT_EQ(read.checks.size(), 1u);
  const Check &check = read.checks[0], &wanted = made.checks[0];
  EXPECT_EQ(check.scope, wanted.scope);
  EXPECT_EQ(check.note, wanted.note);
  EXPECT_EQ(check.witness, wanted.witness);
  ASSERT_EQ(check.hypotheses.size(), 2u);
  EXPECT_EQ(check.hypotheses[0].name, "PL");
  EXPECT_EQ(check.hypotheses[0].lhs, 2.0);
  EXPECT_EQ(check.hypotheses[0].rhs, 1.0);
  EXPECT_EQ(check.hypotheses[0].margin, -1.0);
  EXPECT_FALSE(check.hypotheses[0].holds);
  EXPECT_EQ(check.hypotheses[0].where, "iterate 17");
  EXPECT_TRUE(std::isnan(check.hypotheses[1].rhs));
  EXPECT_TRUE(check.hypotheses[1].holds);
  EXPECT_EQ(check.hypotheses[1].where, "");
  ASSERT_EQ(check.steps.size(), 2u);
  EXPECT_EQ(check.steps[0].name, "descent");
  EXPECT_EQ(check.steps[1].within, "rounding");
  EXPECT_EQ(check.citation, "lecture 000, descent (O2)");
  EXPECT_EQ(check.formula, wanted.formula);
}

TEST(Record, TheOptionalKeysAreCheckedToo) {
  const TemporaryDirectory folder;
  const std::string path = folder / "r.json";
  const auto save_error = [&](auto change) {
    Record record = full_record();
    change(record);
    return error_of<DomainError>([&] { save(path, record); });
  };
  EXPECT_EQ(
      save_error([](Record& r) { r.checks[0].steps[0].name = ""; }),
      "[save] " + path + ": check \"rate\" has a hypothesis or step without a name; correct the record");
  EXPECT_EQ(save_error([](Record& r) { r.figure("02_digits.png", "again"); }),
            "[save] " + path + ": the figure \"02_digits.png\" has two captions; correct the record");
  save(path, full_record());
  const std::string good = read_bytes(path);
  const auto load_error = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    write_bytes(path, text.replace(at, from.size(), to));
    return error_of<DomainError>([&] { load_record(path); });
  };
  const std::string start = "[load_record] " + path + ": ",
                    fix = "; run the lesson again to write the file anew";
  EXPECT_EQ(load_error("\"holds\": false", "\"holds\": 0"),
            start + "checks[0].hypotheses[0].holds is a number, not true or false" + fix);
  EXPECT_EQ(load_error("\"scope\": \"on this trajectory\"", "\"scope\": 1"),
            start + "checks[0].scope is a number, not a text" + fix);
  EXPECT_EQ(load_error("\"seconds\": 13.25", "\"seconds\": \"long\""),
            start + "seconds is a string, not a number or null" + fix);
  EXPECT_EQ(load_error("\"captions\": {", "\"captions\": 1, \"x\": {"),
            start + "captions is a number, not an object" + fix);
}

TEST(Record, AFullDiskLeavesTheOldFile) {
  const TemporaryDirectory folder;
  const std::string path = folder / "r.json";
  save(path, sample_record());
  const std::string before = read_bytes(path);
  Record big = sample_record();
  for (int k = 0; k < 2000; ++k) big.metric("metric number " + std::to_string(k), 1.0 / (k + 1));
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{.rlim_cur = 4096, .rlim_max = old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string text = error_of<DomainError>([&] { save(path, big); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(text,
            "[save] " + path +
                ": cannot be written: File too large; the old file, if any, is untouched; free some space "
                "or save elsewhere");
  EXPECT_EQ(read_bytes(path), before);
}

}  // namespace
}  // namespace cotangent::report
