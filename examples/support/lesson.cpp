// The frame of a lesson.
#include "examples/support/lesson.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
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
  report::Table checks({{"check: lhs <= rhs"}, {"of"}, {"lhs"}, {"rhs"}, {"margin"}, {"verdict"}});
  for (const report::Check& c : record_.checks)
    checks.row({c.name, c.citation, c.lhs, c.rhs, c.margin,
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

}  // namespace cotangent::examples
