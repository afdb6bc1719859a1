// The frame of a lesson.
#include "examples/support/lesson.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/print.hpp"
#include "examples/support/options.hpp"
#include "report/table.hpp"

namespace cotangent::examples {
namespace {

constexpr int kUnexpectedVerdict = 1;

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
  Options options(info.name, info.about);
  options.flag("--smoke", l.smoke_, "A run of seconds that shows every step");
  options.whole("--seed", l.seed_, "Where all random numbers come from, a whole number below 2^64");
  options.text("--out", l.out_, "DIR", "Directory for the results");
  if (info.reads_data)
    options.directory("--data", l.data_, "Directory with MNIST's four files; without it, digits are drawn");
  if (const std::optional<int> code = options.parse(argc, argv)) return *code;

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
