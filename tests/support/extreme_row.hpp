// A row of the table of extreme values: an operation, its formula in Python and the inputs it is asked at.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/op_row.hpp"

namespace cotangent::test {

/// A difference from the exact numbers that is meant.
struct Convention {
  /// At which inputs: one as the record writes it, or a kind of them such as "infinite" (kinds() in
  /// extremes.cpp).
  std::string where;
  /// What may differ: any of "value", "first", "second" (derivatives), or "refusal".
  std::string what;
  std::string why;
  /// What the operation gives there, if that is always the same.
  std::optional<double> gives = std::nullopt;
};

/// What the error of a value is measured by: units in the last place of the value itself, or of the sum or
/// the mean of the operand's magnitudes, where terms of both signs may cancel.
enum class Unit { result, sum, mean };

struct ExtremeRow {
  std::string name;
  /// A list of inputs in tests/autodiff/ops/golden/make_extremes.py: "numbers", "pairs", "vectors", ...
  std::string inputs;
  /// The exact function in Python, as make_extremes.py reads it: of x, a number; of a and b, a pair; of x, a
  /// list.
  std::string formula;
  /// Of one operand [n]; of pairs, of two operands [1].
  std::function<Var(Vars)> function;
  /// A function of each number by itself, which is also asked for all inputs in one vector.
  bool each = false;
  /// How far from the exact number the value may be, and a derivative, in units in its last place.
  double ulps = 4.0;
  double slope_ulps = 8.0;
  /// Further units for each unit of x^2, for functions whose error grows so in their tails.
  double ulps_by_square = 0.0;
  Unit unit = Unit::result;
  /// Inputs besides the list's, in Python.
  std::string more = {};
  std::vector<Convention> conventions = {};
};

/// The table of extreme values.
std::vector<ExtremeRow> extreme_rows();

}  // namespace cotangent::test
