// Prints the table of extreme values: scripts/extremes --help says what is in it. --list names its rows for
// tests/autodiff/ops/golden/make_extremes.py: name, inputs, formula and inputs of its own, with tabs between.
#include <fmt/format.h>

#include <string_view>

#include "tests/support/extremes.hpp"

namespace {

using namespace cotangent::test;

struct Counts {
  std::size_t numbers = 0, meant = 0, wrong = 0;
};

void list() {
  for (const ExtremeRow& row : extreme_rows())
    fmt::print("{}\t{}\t{}\t{}\n", row.name, row.inputs, row.formula, row.more);
}

std::string remark(const Compared& n) {
  if (n.agrees) return "";
  return n.convention ? n.convention->why : "WRONG";
}

void print_case(const ExtremeCase& c, bool only_differences, Counts& counts) {
  const bool refused = !c.refusal.empty();
  if (refused != c.refuses) {
    ++(c.convention ? counts.meant : counts.wrong);
    fmt::print("  {:26} {}: {}\n", c.input, c.convention ? c.convention->why : "WRONG",
               refused ? c.refusal : "it is to be refused");
  } else if (refused && !only_differences) {
    fmt::print("  {:26} refused\n", c.input);
  }
  for (const Compared& n : c.numbers) {
    ++counts.numbers;
    if (!n.agrees) ++(n.convention ? counts.meant : counts.wrong);
    if (n.agrees && only_differences) continue;
    fmt::print("  {:26} {:22} {:>24} {:>24} {:>9.3g}  {}\n", c.input, n.what, n.got, n.right, n.ulps,
               remark(n));
  }
}

void print_row(const ExtremeRow& row, bool only_differences, Counts& counts) {
  fmt::print("\n{} = {}\n", row.name, row.formula);
  const ExtremeRecord* record = extreme_record(row.name);
  if (!record || record->formula != row.formula) {
    ++counts.wrong;
    fmt::print("  WRONG: not recorded; run scripts/extremes --record\n");
    return;
  }
  fmt::print("  {:26} {:22} {:>24} {:>24} {:>9}\n", "at", "number", "is", "exact", "ulps off");
  for (const ExtremeCase& c : compared(row, *record)) print_case(c, only_differences, counts);
}

}  // namespace

int main(int argc, char** argv) {
  bool only_differences = false;
  std::string_view part;
  for (int k = 1; k < argc; ++k) {
    const std::string_view argument = argv[k];
    if (argument == "--list") return list(), 0;
    if (argument == "--differences")
      only_differences = true;
    else
      part = argument;
  }
  Counts counts;
  for (const ExtremeRow& row : extreme_rows())
    if (row.name.find(part) != std::string::npos) print_row(row, only_differences, counts);
  fmt::print("\n{} numbers: {} differ by convention, {} are wrong\n", counts.numbers, counts.meant,
             counts.wrong);
  return counts.wrong == 0 ? 0 : 1;
}
