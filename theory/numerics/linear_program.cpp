// Clp behind one function; its answers are measured against the program itself.
#include "theory/linear_program.hpp"

#include <Clp_C_Interface.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/compensated.hpp"

namespace cotangent::theory {
namespace {

using Vector = std::vector<double>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMost = 1e20;  // Clp takes numbers a few powers further up for infinite
/// What an answer may miss, relative to the numbers it is made of; what misses more is none. Clp's dual
/// simplex calls some feasible programs in free variables infeasible, with a ray that is no certificate.
constexpr double kAccuracy = 1e-7;

std::span<const double> numbers(const std::optional<Tensor>& x) {
  return x ? x->data() : std::span<const double>();
}

void check_numbers(const char* what, const std::optional<Tensor>& x, bool may_be_infinite) {
  for (const double v : numbers(x))
    if (std::isnan(v) || (std::isinf(v) ? !may_be_infinite : std::fabs(v) > kMost))
      throw DomainError(fmt::format("[linear_program] {} {} holds {}; give {} of magnitudes up to 1e20", what,
                                    x->shape().to_string(), v,
                                    may_be_infinite ? "infinities or numbers" : "finite numbers"));
}

void check_rows(const char* matrix, const std::optional<Tensor>& a, const char* sides,
                const std::optional<Tensor>& b, Index n) {
  if (a.has_value() != b.has_value())
    throw ShapeError(fmt::format("[linear_program] {} is given without {}; give both or neither",
                                 a ? matrix : sides, a ? sides : matrix));
  if (!a) return;
  if (a->rank() != 2 || a->size(1) != n || b->rank() != 1 || b->size(0) != a->size(0))
    throw ShapeError(fmt::format("[linear_program] {} is {}, {} is {}, c is [{}]; give [m, {}] and [m]",
                                 matrix, a->shape().to_string(), sides, b->shape().to_string(), n, n));
  check_numbers(matrix, a, false);
  check_numbers(sides, b, false);
}

void check(const LinearProgram& p) {
  if (p.c.rank() != 1 || p.c.size() == 0)
    throw ShapeError(
        fmt::format("[linear_program] c is {}; give a vector [n], n at least 1", p.c.shape().to_string()));
  // Each row has up to two slack columns more.
  const Index rows = (p.b ? p.b->size() : 0) + (p.b_eq ? p.b_eq->size() : 0);
  if (static_cast<double>(p.c.size() + 2) * static_cast<double>(rows) > std::numeric_limits<int>::max())
    throw DomainError(
        fmt::format("[linear_program] {} variables and {} rows are more than the 2^31 numbers "
                    "that Clp can count; give fewer of them",
                    p.c.size(), rows));
  check_numbers("c", p.c, false);
  check_rows("a", p.a, "b", p.b, p.c.size());
  check_rows("a_eq", p.a_eq, "b_eq", p.b_eq, p.c.size());
  for (const auto& [name, bounds] : {std::pair{"lower", &p.lower}, std::pair{"upper", &p.upper}}) {
    if (*bounds && (*bounds)->shape() != p.c.shape())
      throw ShapeError(fmt::format("[linear_program] {} is {}, c is {}; give one bound for each variable",
                                   name, (*bounds)->shape().to_string(), p.c.shape().to_string()));
    check_numbers(name, *bounds, true);
  }
}

/// A program as Clp takes it: all bounds written out, the rows of A over those of
/// A_eq, columns without their zeros.
struct Problem {
  explicit Problem(const LinearProgram& p)
      : c(p.c.data().begin(), p.c.data().end()),
        lower(c.size(), -kInfinity),
        upper(c.size(), kInfinity),
        sides(numbers(p.b).begin(), numbers(p.b).end()),
        inequalities(sides.size()) {
    sides.insert(sides.end(), numbers(p.b_eq).begin(), numbers(p.b_eq).end());
    if (p.lower) lower.assign(p.lower->data().begin(), p.lower->data().end());
    if (p.upper) upper.assign(p.upper->data().begin(), p.upper->data().end());
    for (std::size_t j = 0; j < c.size(); ++j) {
      if (lower[j] > upper[j] || lower[j] == kInfinity || upper[j] == -kInfinity)
        throw DomainError(fmt::format(
            "[linear_program] variable {} has the bounds {} and {}; nothing finite lies between them", j,
            lower[j], upper[j]));
      for (std::size_t i = 0; i < sides.size(); ++i) add_entry(i, row(p, i)[j]);
      end_column();
    }
  }

  /// Row i of A, or of A_eq.
  std::span<const double> row(const LinearProgram& p, std::size_t i) const {
    const std::size_t n = static_cast<std::size_t>(p.c.size());
    return i < inequalities ? p.a->data().subspan(i * n, n)
                            : p.a_eq->data().subspan((i - inequalities) * n, n);
  }

  /// The least sum of what the rows must give way for some x within the bounds: 0 if there is a feasible x,
  /// and its multipliers are Farkas's if there is none. Always has a solution.
  Problem elastic() const {
    Problem e = *this;
    std::fill(e.c.begin(), e.c.end(), 0.0);
    for (std::size_t i = 0; i < sides.size(); ++i) {
      e.add_slack(i, -1.0);
      if (i >= inequalities) e.add_slack(i, 1.0);
    }
    return e;
  }
  /// The steepest direction along which every feasible x stays feasible, of entries
  /// up to 1. Always has a solution.
  Problem recession() const {
    Problem r = *this;
    std::fill(r.sides.begin(), r.sides.end(), 0.0);
    for (double& v : r.lower) v = std::isinf(v) ? -1.0 : 0.0;
    for (double& v : r.upper) v = std::isinf(v) ? 1.0 : 0.0;
    return r;
  }

  Vector c, lower, upper, sides;
  std::size_t inequalities;
  Vector values;
  std::vector<int> starts = {0}, indices;

 private:
  void add_entry(std::size_t i, double v) {
    if (v == 0.0) return;
    values.push_back(v);
    indices.push_back(static_cast<int>(i));
  }
  void end_column() { starts.push_back(static_cast<int>(values.size())); }
  void add_slack(std::size_t i, double v) {
    add_entry(i, v);
    end_column();
    c.push_back(1.0);
    lower.push_back(0.0);
    upper.push_back(kInfinity);
  }
};

/// What Clp calls an optimum: the point, and multipliers of all rows, those of inequalities from 0 on.
struct Optimum {
  Vector x, multipliers;
};

using Algorithm = int (*)(Clp_Simplex*, int);

std::optional<Optimum> optimum(const Problem& p, Algorithm algorithm) {
  const std::unique_ptr<Clp_Simplex, void (*)(Clp_Simplex*)> model(Clp_newModel(), Clp_deleteModel);
  Clp_setLogLevel(model.get(), 0);
  Vector least(p.sides.size(), -kInfinity);
  std::copy(p.sides.begin() + static_cast<std::ptrdiff_t>(p.inequalities), p.sides.end(),
            least.begin() + static_cast<std::ptrdiff_t>(p.inequalities));
  Clp_loadProblem(model.get(), static_cast<int>(p.c.size()), static_cast<int>(p.sides.size()),
                  p.starts.data(), p.indices.data(), p.values.data(), p.lower.data(), p.upper.data(),
                  p.c.data(), least.data(), p.sides.data());
  algorithm(model.get(), 0);
  if (Clp_status(model.get()) != 0) return std::nullopt;
  const double *x = Clp_primalColumnSolution(model.get()), *prices = Clp_dualRowSolution(model.get());
  Optimum found{Vector(x, x + p.c.size()), Vector(prices, prices + p.sides.size())};
  for (double& v : found.multipliers) v = -v;
  for (std::size_t i = 0; i < p.inequalities; ++i) found.multipliers[i] = std::max(found.multipliers[i], 0.0);
  return found;
}

double largest_of(const Vector& v) {
  double largest = 0.0;
  for (const double x : v) largest = std::max(largest, std::fabs(x));
  return largest;
}

/// Fills multipliers, bound and residual. Returns whether the residual is rounding.
bool measure_dual(LinearSolution& s, const LinearProgram& program, const Problem& p, const Vector& c,
                  const Vector& lambda) {
  Vector terms, column(p.sides.size());
  s.residual = 0.0;
  for (std::size_t j = 0; j < c.size(); ++j) {
    for (std::size_t i = 0; i < column.size(); ++i) column[i] = p.row(program, i)[j];
    const double g = compensated_dot_minus(column, lambda, -c[j]).value;
    const double at = g > 0.0 ? p.lower[j] : p.upper[j];
    if (g == 0.0) continue;
    if (std::isinf(at))
      s.residual = std::max(s.residual, std::fabs(g));
    else
      terms.push_back(g * at);
  }
  for (std::size_t i = 0; i < lambda.size(); ++i) terms.push_back(-lambda[i] * p.sides[i]);
  s.bound = compensated_sum(terms).value;
  const auto middle = lambda.begin() + static_cast<std::ptrdiff_t>(p.inequalities);
  const auto rows = static_cast<Index>(p.inequalities), all = static_cast<Index>(lambda.size());
  s.multipliers = Tensor::from(Vector(lambda.begin(), middle), Shape{rows});
  s.multipliers_eq = Tensor::from(Vector(middle, lambda.end()), Shape{all - rows});
  return s.residual <= kAccuracy * (largest_of(c) + largest_of(lambda) * largest_of(p.values));
}

/// Fills x, value and violation for the rows' sides and the bounds of p. Returns
/// whether the violation is rounding.
bool measure_primal(LinearSolution& s, const LinearProgram& program, const Problem& p, const Vector& x) {
  s.x = Tensor::from(x, Shape{program.c.size()});
  s.value = compensated_dot(program.c.data(), x).value;
  s.violation = 0.0;
  for (std::size_t i = 0; i < p.sides.size(); ++i) {
    const double over = compensated_dot_minus(p.row(program, i), x, p.sides[i]).value;
    s.violation = std::max(s.violation, i < p.inequalities ? over : std::fabs(over));
  }
  for (std::size_t j = 0; j < x.size(); ++j)
    s.violation = std::max({s.violation, p.lower[j] - x[j], x[j] - p.upper[j]});
  return s.violation <=
         kAccuracy * (largest_of(x) * std::max(largest_of(p.values), 1.0) + largest_of(p.sides));
}

std::optional<LinearSolution> solved(const LinearProgram& program, const Problem& p, Algorithm algorithm) {
  const std::optional<Optimum> found = optimum(p, algorithm);
  if (!found) return std::nullopt;
  LinearSolution s;
  // Both write into s, so both are measured.
  const bool primal = measure_primal(s, program, p, found->x);
  const bool dual = measure_dual(s, program, p, p.c, found->multipliers);
  const double size = std::max({1.0, std::fabs(s.value), largest_of(p.c) * largest_of(found->x)});
  if (!primal || !dual || std::fabs(s.value - s.bound) > kAccuracy * size) return std::nullopt;
  return s;
}

std::optional<LinearSolution> infeasible(const LinearProgram& program, const Problem& p,
                                         Algorithm algorithm) {
  const std::optional<Optimum> found = optimum(p.elastic(), algorithm);
  if (!found) return std::nullopt;
  Vector lambda = found->multipliers;
  double sum = 0.0;
  for (const double v : lambda) sum += std::fabs(v);
  if (!(sum > 0.0)) return std::nullopt;
  for (double& v : lambda) v /= sum;
  LinearSolution s;
  s.status = LinearStatus::infeasible;
  s.value = std::numeric_limits<double>::quiet_NaN();
  const bool holds = measure_dual(s, program, p, Vector(p.c.size(), 0.0), lambda);
  if (!holds || !(s.bound > kAccuracy * largest_of(p.sides))) return std::nullopt;
  return s;
}

/// A direction, and a point to start from.
std::optional<LinearSolution> unbounded(const LinearProgram& program, const Problem& p, Algorithm algorithm) {
  const std::optional<Optimum> start = optimum(p.elastic(), algorithm);
  const Problem recession = p.recession();
  const std::optional<Optimum> found = optimum(recession, algorithm);
  if (!start || !found) return std::nullopt;
  const Vector point(start->x.begin(), start->x.begin() + static_cast<std::ptrdiff_t>(p.c.size()));
  LinearSolution s;
  if (!measure_primal(s, program, p, point)) return std::nullopt;
  s.status = LinearStatus::unbounded;
  s.bound = -kInfinity;
  const bool holds = measure_primal(s, program, recession, found->x);
  if (!holds || !(s.value < -kAccuracy * largest_of(p.c))) return std::nullopt;
  return s;
}

}  // namespace

const char* to_string(LinearStatus status) noexcept {
  return status == LinearStatus::optimal      ? "optimal"
         : status == LinearStatus::infeasible ? "infeasible"
                                              : "unbounded";
}

LinearSolution linear_program(const LinearProgram& program) {
  check(program);
  const Problem p(program);
  for (const auto answer : {solved, infeasible, unbounded})
    for (const Algorithm algorithm : {Algorithm{Clp_dual}, Algorithm{Clp_primal}})
      if (const std::optional<LinearSolution> s = answer(program, p, algorithm)) return *s;
  throw DomainError(
      fmt::format("[linear_program] no answer of Clp's to a program of {} variables and {} rows holds; bring "
                  "its numbers to like "
                  "sizes",
                  p.c.size(), p.sides.size()));
}

std::string LinearSolution::to_string() const {
  switch (status) {
    case LinearStatus::infeasible:
      return fmt::format("infeasible: Farkas's multipliers leave {:.6g}, up to {:.3g} in free variables",
                         bound, residual);
    case LinearStatus::unbounded:
      return fmt::format("unbounded: {:.6g} a step along x, which breaks constraints by {:.3g}", value,
                         violation);
    case LinearStatus::optimal:
      break;
  }
  return fmt::format(
      "optimal: {:.10g}, at least {:.10g} by the duals, up to {:.3g} in free variables; constraints "
      "broken by {:.3g}",
      value, bound, residual, violation);
}

}  // namespace cotangent::theory
