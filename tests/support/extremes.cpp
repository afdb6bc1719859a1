#include "tests/support/extremes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent::test {
namespace {

using At = ExtremeRecord::At;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// "0.1*3 -inf" as numbers: 0.1 three times. "-5+0.01k*1000" are -5 + 0.01 k for k = 0 .. 999.
std::vector<double> unpacked(const std::string& text) {
  std::vector<double> numbers;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    char* rest = nullptr;
    const double first = std::strtod(word.c_str(), &rest);
    const double step = *rest == '+' ? std::strtod(rest + 1, &rest) : 0.0;
    if (*rest == 'k') ++rest;
    const int count = *rest == '*' ? std::atoi(rest + 1) : 1;
    if (step == 0.0) numbers.insert(numbers.end(), static_cast<std::size_t>(count), first);
    for (int k = 0; step != 0.0 && k < count; ++k) numbers.push_back(first + step * k);
  }
  return numbers;
}

ExtremeRecord::Element element_of(const std::string& line) {
  ExtremeRecord::Element element;
  std::istringstream words(line);
  words >> element.index;
  for (std::string word; words >> word;)
    if (word != ":") element.numbers.push_back(std::strtod(word.c_str(), nullptr));
  return element;
}

std::map<std::string, ExtremeRecord> read_records() {
  const char* root = std::getenv("COTANGENT_SOURCE_DIR");
  std::ifstream file(std::filesystem::path(root ? root : ".") / "tests/autodiff/ops/golden/extremes.txt");
  std::map<std::string, ExtremeRecord> records;
  ExtremeRecord* record = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("row ")) {
      const std::size_t at = line.find(" = ");
      record = &records[line.substr(4, at - 4)];
      record->formula = line.substr(at + 3);
    } else if (line.starts_with("at ")) {
      const std::string input = line.substr(3);
      record->cases.push_back({input, unpacked(input), std::vector<ExtremeRecord::Element>{}});
    } else if (line == "refused") {
      record->cases.back().elements.reset();
    } else {
      record->cases.back().elements->push_back(element_of(line));
    }
  }
  return records;
}

/// The inputs that derivatives are recorded by.
std::vector<Index> chosen(Index n) {
  std::vector<Index> all;
  if (n > 4) return {0, 1, n - 1};
  for (Index i = 0; i < n; ++i) all.push_back(i);
  return all;
}

double spacing(double x) {
  const double size = std::fabs(x);
  if (size == std::numeric_limits<double>::max()) return size - std::nextafter(size, 0.0);
  return std::nextafter(size, kInfinity) - size;
}

/// In units of the last place of `right`, or of `size` if that is larger.
double ulps_apart(double got, double right, double size = 0.0) {
  if (got == right || (std::isnan(got) && std::isnan(right))) return 0.0;
  if (!std::isfinite(got) || !std::isfinite(right)) return kInfinity;
  return std::fabs(got - right) / spacing(std::isfinite(size) ? std::max(size, std::fabs(right)) : right);
}

bool any(const std::vector<double>& x, bool (*is)(double)) { return std::any_of(x.begin(), x.end(), is); }
bool has_nan(const std::vector<double>& x) {
  return any(x, [](double v) { return std::isnan(v); });
}

/// Kinds of inputs that conventions speak of.
const std::map<std::string, bool (*)(const std::vector<double>&)>& kinds() {
  using Numbers = const std::vector<double>&;
  static const std::map<std::string, bool (*)(Numbers)> table = {
      {"nan", has_nan},
      {"infinite", [](Numbers x) { return !has_nan(x) && any(x, [](double v) { return std::isinf(v); }); }},
      {"with 0", [](Numbers x) { return any(x, [](double v) { return v == 0.0; }); }},
      {"subnormal",
       [](Numbers x) { return any(x, [](double v) { return std::fpclassify(v) == FP_SUBNORMAL; }); }},
      {"zero",
       [](Numbers x) {
         return !x.empty() && std::all_of(x.begin(), x.end(), [](double v) { return v == 0.0; });
       }},
      {"finite",
       [](Numbers x) { return std::all_of(x.begin(), x.end(), [](double v) { return std::isfinite(v); }); }},
      {"tiny base", [](Numbers x) { return std::fabs(x[0]) > 0.0 && std::fabs(x[0]) <= 1e-300; }},
      {"rounded exponent",
       [](Numbers x) { return x.size() == 2 && (x[1] - 1.0 + 1.0 != x[1] || x[1] - (x[1] - 1.0) != 1.0); }},
      {"from 0", [](Numbers x) { return x.front() == 0.0; }},
      {"below -700", [](Numbers x) { return !has_nan(x) && any(x, [](double v) { return v < -700.0; }); }},
  };
  return table;
}

const Convention* convention_for(const ExtremeRow& row, const At& at, const std::string& what) {
  for (const Convention& convention : row.conventions) {
    const auto kind = kinds().find(convention.where);
    const bool here = kind == kinds().end() ? convention.where == at.input : kind->second(at.x);
    if (here && convention.what.find(what) != std::string::npos) return &convention;
  }
  return nullptr;
}

/// sum |x_i|, or their mean.
double magnitude(const ExtremeRow& row, const std::vector<double>& x) {
  double total = 0.0;
  if (row.unit == Unit::result) return total;
  for (const double v : x) total += std::fabs(v);
  return row.unit == Unit::sum ? total : total / static_cast<double>(x.size());
}

Compared compare(const ExtremeRow& row, const At& at, const std::string& what, int order, double got,
                 double right) {
  static constexpr const char* kOrders[] = {"value", "first", "second"};
  const double size = order == 0 ? magnitude(row, at.x) : 0.0;
  Compared c{.what = what, .order = order, .got = got, .right = right, .ulps = ulps_apart(got, right, size)};
  const double further = row.ulps_by_square == 0.0 ? 0.0 : row.ulps_by_square * at.x.front() * at.x.front();
  c.agrees = std::isfinite(c.ulps) && c.ulps <= (order == 0 ? row.ulps : row.slope_ulps) + further;
  if (has_nan(at.x) && std::isnan(got)) c.agrees = true;  // NaN in, NaN out
  const bool signed_zeros = row.inputs == "numbers" || row.inputs == "pairs" || row.inputs == "powers";
  if (order == 0 && signed_zeros && got == 0.0 && right == 0.0 && std::signbit(got) != std::signbit(right))
    c.agrees = false;
  c.convention = convention_for(row, at, kOrders[order]);
  if (c.convention && c.convention->gives && ulps_apart(got, *c.convention->gives) != 0.0)
    c.convention = nullptr;
  return c;
}

/// Values, first and second derivatives of one element of f.
struct Derivatives {
  double value;
  std::vector<double> first, recorded, second;
};

/// An element of a function of several operands, by one number of them after another. Each operand is a
/// variable of its own, so that what is seen is the operation's rule and not 0 * inf on the way of another.
class Differentiated {
 public:
  Differentiated(const ExtremeRow& row, const std::vector<Tensor>& operands, Index element)
      : row_(row), element_(element), vars_(operands.begin(), operands.end()) {}

  Derivatives at(const std::vector<Index>& picks) const {
    Derivatives d{of(vars_).value().item(), {}, {}, {}};
    for (const Index i : picks)
      d.first.push_back(grad([&](const Var& v) { return with(i, v); }, value(i))(local(i)));
    for (std::size_t a = 0; a < picks.size(); ++a)
      for (std::size_t b = a; b < picks.size(); ++b)
        d.second.push_back(second_or_nan(picks[a], picks[b], d.recorded));
    return d;
  }

 private:
  Index local(Index i) const { return vars_.size() == 1 ? i : 0; }
  std::size_t operand(Index i) const { return vars_.size() == 1 ? 0 : static_cast<std::size_t>(i); }
  Tensor value(Index i) const { return vars_[operand(i)].value(); }

  Var of(const std::vector<Var>& vars) const {
    const Var y = row_.function(vars);
    return view(reshape(y, Shape{y.size()}), element_, Shape{});
  }
  Var with(Index i, const Var& v) const {
    std::vector<Var> vars = vars_;
    vars[operand(i)] = v;
    return of(vars);
  }
  /// NaN where there is an error instead of a second derivative.
  double second_or_nan(Index i, Index j, std::vector<double>& recorded) const {
    try {
      return second(i, j, recorded);
    } catch (const DomainError&) {
      return std::numeric_limits<double>::quiet_NaN();
    }
  }
  /// d2y / dx_i dx_j; where i = j the first derivative as it is recorded is kept too.
  double second(Index i, Index j, std::vector<double>& recorded) const {
    const bool one = operand(i) == operand(j);
    return grad(
        [&](const Var& vj) {
          std::vector<Var> vars = vars_;
          vars[operand(j)] = vj;
          const Var slope = grad(
              [&](const Var& vi) {
                std::vector<Var> inner = vars;
                inner[operand(i)] = vi;
                return of(inner);
              },
              one ? vj : lift(value(i), vj));
          if (i == j) recorded.push_back(slope.value()(local(i)));
          return view(slope, local(i), Shape{});
        },
        value(j))(local(j));
  }

  const ExtremeRow& row_;
  Index element_;
  std::vector<Var> vars_;
};

bool takes_pairs(const ExtremeRow& row) { return row.inputs.ends_with("pairs") || row.inputs == "powers"; }

/// The operands of a row with these numbers.
std::vector<Tensor> operands(const ExtremeRow& row, const std::vector<double>& x) {
  if (!takes_pairs(row)) return {Tensor::from(x, Shape{static_cast<Index>(x.size())})};
  return {Tensor{x[0]}, Tensor{x[1]}};
}

void compare_element(const ExtremeRow& row, const At& at, const ExtremeRecord::Element& element,
                     const Derivatives& d, const std::string& way, std::vector<Compared>& out) {
  const std::vector<Index> picks = chosen(static_cast<Index>(at.x.size()));
  const std::string y = "y" + std::to_string(element.index);
  const double* right = element.numbers.data();
  out.push_back(compare(row, at, way + y, 0, d.value, *right++));
  for (std::size_t a = 0; a < picks.size(); ++a, ++right) {
    const std::string name = way + "d" + y + "/dx" + std::to_string(picks[a]);
    out.push_back(compare(row, at, name, 1, d.first[a], *right));
    if (ulps_apart(d.recorded[a], d.first[a]) != 0.0)
      out.push_back(compare(row, at, "recorded " + name, 1, d.recorded[a], *right));
  }
  std::size_t k = 0;
  for (std::size_t a = 0; a < picks.size(); ++a)
    for (std::size_t b = a; b < picks.size(); ++b, ++k, ++right)
      out.push_back(compare(
          row, at, way + "d2" + y + "/dx" + std::to_string(picks[a]) + "dx" + std::to_string(picks[b]), 2,
          d.second[k], *right));
}

/// What a function of each number gives when its numbers stand in one long vector.
struct InOneVector {
  Tensor value, first, second;

  InOneVector(const ExtremeRow& row, const std::vector<At>& cases) {
    std::vector<double> numbers;
    for (const At& at : cases) numbers.push_back(at.x.front());
    const Tensor x = Tensor::from(numbers, Shape{static_cast<Index>(numbers.size())});
    const auto f = [&](const Var& v) { return row.function(Vars(&v, 1)); };
    const auto total = [&](const Var& v) { return sum(f(v)); };
    value = f(x).value();
    first = grad(total, x);
    second = grad([&](const Var& v) { return sum(grad(total, v)); }, x);
  }
  Derivatives at(Index i) const { return {value(i), {first(i)}, {first(i)}, {second(i)}}; }
};

}  // namespace

const ExtremeRecord* extreme_record(const std::string& name) {
  static const std::map<std::string, ExtremeRecord> records = read_records();
  const auto found = records.find(name);
  return found == records.end() ? nullptr : &found->second;
}

std::vector<ExtremeCase> compared(const ExtremeRow& row, const ExtremeRecord& record) {
  std::vector<ExtremeCase> cases;
  std::optional<InOneVector> together;
  if (row.each) together.emplace(row, record.cases);
  for (const At& at : record.cases) {
    ExtremeCase& c = cases.emplace_back();
    c.input = at.input;
    c.refuses = !at.elements;
    const std::vector<Tensor> x = operands(row, at.x);
    try {
      row.function(std::vector<Var>(x.begin(), x.end()));
    } catch (const DomainError& error) {
      c.refusal = error.what();
      c.convention = convention_for(row, at, "refusal");
      continue;
    }
    if (!at.elements) continue;
    for (const ExtremeRecord::Element& element : *at.elements) {
      const Differentiated f(row, x, element.index);
      compare_element(row, at, element, f.at(chosen(static_cast<Index>(at.x.size()))), "", c.numbers);
      if (together)
        compare_element(row, at, element, together->at(static_cast<Index>(cases.size()) - 1),
                        "many: ", c.numbers);
    }
  }
  return cases;
}

}  // namespace cotangent::test
