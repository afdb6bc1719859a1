// The frame of a lesson. The only file that includes CLI11.
#include "examples/support/lesson.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/print.hpp"
#include "report/table.hpp"

namespace cotangent::examples {
namespace {

constexpr int kUnexpectedVerdict = 1;
constexpr int kBadUsage = 2;

/// What is wrong with a seed; CLI11 itself takes -1 for 2^64 - 1.
std::string whole_number(const std::string& text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? "" : "\"" + text + "\" is no whole number from 0 to 2^64 - 1";
}

/// Before the work, so that an hour of it is not lost for a misspelt directory.
void make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error || !std::filesystem::is_directory(path, error))
    throw DomainError(fmt::format("--out: {} is no directory and cannot be made one ({}); give another", path,
                                  error ? error.message() : "it is a file"));
}

}  // namespace

std::string Lesson::path(std::string_view suffix) const {
  return (std::filesystem::path(out_) / (record_.lesson + std::string(suffix))).string();
}

void Lesson::figure(const report::Drawn& drawn, std::string caption) {
  const std::filesystem::path file(drawn.path);
  if (file.parent_path() != std::filesystem::path(path("")).parent_path())
    throw DomainError(fmt::format(
        "[Lesson::figure] {}: not in the directory of --out, {}; name the file by path(\"_x.svg\")",
        drawn.path, out_));
  if (!drawn.drawn) return;
  if (!drawn.note.empty()) caption += fmt::format("{}({})", caption.empty() ? "" : " ", drawn.note);
  record_.figure(file.filename().string(), std::move(caption));
}

void Lesson::check(theory::Claim claim, double lhs, double rhs, double rounding, theory::Scope scope,
                   theory::Outcome expected) {
  // Two sides that a lesson says nothing of are not taken for exact: equal ones stay inconclusive.
  const double tolerance = rounding == 0.0 ? std::numeric_limits<double>::denorm_min() : rounding;
  const theory::Verdict verdict =
      theory::Proof(std::move(claim)).conclude(scope, {.lhs = lhs, .rhs = rhs, .tolerance = tolerance});
  report::Check check = verdict.record(expected);
  check.scope = check.note = {};
  record_.check(std::move(check));
}

void Lesson::expect(theory::Outcome expected, const theory::Verdict& verdict, std::string name) {
  report::Check check = verdict.record(expected);
  if (!name.empty()) check.name = std::move(name);
  if (verdict.outcome == theory::Outcome::refuted && verdict.witness) {
    const std::string file = path(fmt::format("_witness_{}.npz", record_.checks.size()));
    save(file, *verdict.witness);
    check.witness = std::filesystem::path(file).filename().string();
  }
  record_.check(std::move(check));
}

void Lesson::print_tables() const {
  if (!record_.metrics.empty()) {
    report::Table metrics({{"metric"}, {"value"}});
    for (const auto& [name, value] : record_.metrics) metrics.row({name, value});
    print("\n" + metrics.to_text());
  }
  if (record_.checks.empty()) return;
  report::Table checks({{"check: lhs <= rhs"}, {"source"}, {"lhs"}, {"rhs"}, {"margin"}, {"verdict"}});
  for (const report::Check& c : record_.checks)
    checks.row({c.name, c.source, c.lhs, c.rhs, c.margin,
                c.as_expected() ? c.verdict : c.verdict + ", expected " + c.expected});
  print("\n" + checks.to_text());
}

int run_lesson(const LessonInfo& info, int argc, char** argv, FunctionRef<void(Lesson&)> lesson) {
  Lesson l;
  CLI::App app(info.about, info.name);
  app.add_flag("--smoke", l.smoke_, "A run of seconds that shows every step");
  app.add_option("--seed", l.seed_, "Where all random numbers come from, a whole number below 2^64")
      ->type_name("N")
      ->check(whole_number)
      ->capture_default_str();
  app.add_option("--out", l.out_, "Directory for the results")->type_name("DIR")->capture_default_str();
  if (info.reads_data)
    app.add_option("--data", l.data_, "Directory with MNIST's four files; without it, digits are drawn")
        ->type_name("DIR")
        ->check(CLI::Validator(CLI::ExistingDirectory).description(""));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadUsage;
  }

  try {
    const auto start = std::chrono::steady_clock::now();
    l.record_ = report::Record::of(info.name, l.seed_);
    l.record_.claim = info.claim;
    l.record_.statement = info.statement;
    make_directory(l.out_);
    lesson(l);
    l.record_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    l.print_tables();
    report::save(l.path(".json"), l.record_);
    return l.record_.as_expected() ? 0 : kUnexpectedVerdict;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s: %s\n", info.name.c_str(), error.what());
    return kBadUsage;
  }
}

double relative_error(const Tensor& got, const Tensor& wanted) {
  if (got.shape() != wanted.shape())
    throw ShapeError(fmt::format("[relative_error] got is {}, wanted is {}; compare tensors of one shape",
                                 got.shape().to_string(), wanted.shape().to_string()));
  double error = 0.0, largest = 0.0;
  for (std::size_t i = 0; i < wanted.data().size(); ++i) {
    const double difference = std::fabs(got.data()[i] - wanted.data()[i]);
    if (std::isnan(difference)) return difference;
    error = std::max(error, difference);
    largest = std::max(largest, std::fabs(wanted.data()[i]));
  }
  if (largest == 0.0)
    throw DomainError(fmt::format("[relative_error] wanted, {}, has nothing but zeros; compare absolutely",
                                  wanted.shape().to_string()));
  return error / largest;
}

}  // namespace cotangent::examples
