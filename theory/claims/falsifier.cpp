// Claims as they are written: two sides, each with its variable and its numbers.
#include "theory/falsifier.hpp"

#include <cmath>
#include <utility>

#include "autodiff/kernels/compensated.hpp"
#include "autodiff/ops.hpp"

namespace cotangent::theory {
Side side(const Var& v) {
  const double x = v.item();
  return {v, rounded(x), std::fabs(x)};
}

Side side(const Measured& constant) {
  Side s{Var(constant.value()), constant, std::fabs(constant.value())};
  if (constant.error() != 0.0) s.slack = Var(constant.error());
  return s;
}

Side inner_product(const Var& a, const Var& b) {
  const Compensated dot = compensated_dot(a.value().data(), b.value().data());
  return {cotangent::dot(a, b), rounded(dot.value, dot.magnitude), dot.magnitude};
}

Side inner_product(const Var& a, const Var& b, const Var& c) {
  const Compensated dot = compensated_dot_difference(a.value().data(), b.value().data(), c.value().data());
  return {cotangent::dot(a, b - c), rounded(dot.value, dot.magnitude), dot.magnitude};
}

namespace {

std::optional<Var> both(const std::optional<Var>& a, const std::optional<Var>& b) {
  return a && b ? *a + *b : a ? a : b;
}

}  // namespace

Side operator+(const Side& a, const Side& b) {
  return {a.var + b.var, a.measured + b.measured, a.magnitude + b.magnitude, both(a.slack, b.slack)};
}

Side operator-(const Side& a, const Side& b) {
  return {a.var - b.var, a.measured - b.measured, a.magnitude + b.magnitude, both(a.slack, b.slack)};
}

Side operator*(const Measured& factor, const Side& a) {
  Side product{factor.value() * a.var, factor * a.measured, std::fabs(factor.value()) * a.magnitude};
  if (a.slack) product.slack = std::fabs(factor.value()) * *a.slack;
  if (factor.error() != 0.0) {
    const Var largest = a.slack ? abs(a.var) + *a.slack : abs(a.var);
    product.slack = both(product.slack, factor.error() * largest);
  }
  return product;
}

Sides operator<=(const Side& a, const Side& b) { return {a, Relation::at_most, b}; }
Sides operator<(const Side& a, const Side& b) { return {a, Relation::below, b}; }
Sides equal(const Side& a, const Side& b, double accuracy) { return {a, Relation::equal, b, accuracy}; }

Inequality Sides::inequality() const {
  Inequality q{lhs.measured, relation, rhs.measured};
  if (relation == Relation::equal) {
    // Added to by the accuracy, so that an error that is an estimate stays one.
    q.lhs = q.lhs + within(0.0, accuracy * lhs.magnitude);
    q.rhs = q.rhs + within(0.0, accuracy * rhs.magnitude);
  }
  return q;
}

Var Sides::violation() const {
  const Var difference = lhs.var - rhs.var;
  return relation == Relation::equal ? cotangent::square(difference) : difference;
}

namespace {

Inequality named(Inequality q, const Claim& claim) {
  q.name = claim.statement.empty() ? claim.name : claim.statement;
  return q;
}

}  // namespace

Inequality PointwiseClaim::evaluate(const Params& w) const {
  return named(sides(w.flat()).inequality(), claim);
}
Var PointwiseClaim::violation(const Var& w) const { return sides(w).violation(); }

Inequality PairClaim::evaluate(const Params& x, const Params& y) const {
  return named(sides(x.flat(), y.flat()).inequality(), claim);
}

PointwiseClaim pointwise(Claim claim, const Function<Var(const Var& w)>& lhs,
                         const Function<Var(const Var& w)>& rhs) {
  return {.claim = std::move(claim),
          .sides = [lhs, rhs](const Var& w) { return side(lhs(w)) <= side(rhs(w)); }};
}

}  // namespace cotangent::theory
