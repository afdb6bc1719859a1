// Operations at extreme numbers against what was recorded of their exact values and derivatives.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tests/support/extreme_row.hpp"

namespace cotangent::test {

/// One number of the record beside the computed one.
struct Compared {
  std::string what;  // "y0", "dy0/dx1", "d2y0/dx0dx1"
  int order = 0;
  double got = 0.0;
  double right = 0.0;
  /// How far apart, in units in the last place of the right one; infinite between numbers of different kinds.
  double ulps = 0.0;
  bool agrees = true;
  /// Why a difference is meant; null where there is none.
  const Convention* convention = nullptr;
};

/// An input of a row with all that was compared there.
struct ExtremeCase {
  std::string input;  // "0.1*49 1"
  /// What the operation said instead of a result, and whether the record has the refusal.
  std::string refusal;
  bool refuses = false;
  const Convention* convention = nullptr;
  std::vector<Compared> numbers;
};

struct ExtremeRecord {
  std::string formula;
  struct Element {
    Index index = 0;
    std::vector<double> numbers;  // the value, first derivatives, second derivatives
  };
  struct At {
    std::string input;
    std::vector<double> x;
    std::optional<std::vector<Element>> elements;  // none: refused
  };
  std::vector<At> cases;
};

/// The record of a row, or null.
const ExtremeRecord* extreme_record(const std::string& name);

/// All inputs of a row that has a record.
std::vector<ExtremeCase> compared(const ExtremeRow& row, const ExtremeRecord& record);

}  // namespace cotangent::test
