// Claims as they are written: two sides, each with its variable and its numbers.
#include "theory/falsifier.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/kernels/compensated.hpp"
#include "autodiff/ops.hpp"
#include "theory/numerics/interval.hpp"

namespace cotangent::theory {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// What a sum, a product or a slack of plain numbers loses: on the record nothing is lost, but two numbers
/// that are not on it are computed in doubles.
double lost_in_sum(double a, double b, double sum) {
  const double part = sum - a, lost = (a - (sum - part)) + (b - part);
  return std::isfinite(sum) && std::isfinite(lost) ? std::fabs(lost) : kInfinity;
}
double lost_in_product(double a, double b, double product) {
  if (a == 0.0 || b == 0.0) return 0.0;
  // What underflows on the way to fma's result is less than the smallest normal number.
  const double lost = std::fabs(std::fma(a, b, -product));
  return !std::isfinite(product) ? kInfinity : std::fabs(product) > 1e-250 ? lost : above(lost);
}

bool plain(const Var& v) { return !v.tracked(); }
bool plain(const Var& a, const Var& b) { return plain(a) && plain(b); }

using Slack = std::optional<Var>;

Slack both(const Slack& a, const Slack& b) {
  if (!a || !b) return a ? a : b;
  return plain(*a, *b) ? Var(above(a->item() + b->item())) : *a + *b;
}
Slack times(double factor, const Slack& a) {
  if (!a || factor == 0.0) return std::nullopt;
  return plain(*a) ? Var(above(factor * a->item())) : factor * *a;
}
Slack of(double error) { return error == 0.0 ? Slack() : Var(error); }

}  // namespace

Side side(const Var& v) {
  const double x = v.item();
  return {v, rounded(x), std::fabs(x)};
}

Side side(const Measured& constant) {
  return {Var(constant.value()), constant, std::fabs(constant.value()), of(constant.error())};
}

Side inner_product(const Var& a, const Var& b) {
  const Compensated dot = compensated_dot(a.value().data(), b.value().data());
  const Measured measured = rounded(dot.value, dot.magnitude);
  if (plain(a, b)) return {Var(dot.value), measured, dot.magnitude, of(measured.error())};
  return {cotangent::dot(a, b), measured, dot.magnitude};
}

Side inner_product(const Var& a, const Var& b, const Var& c) {
  const Compensated dot = compensated_dot_difference(a.value().data(), b.value().data(), c.value().data());
  const Measured measured = rounded(dot.value, dot.magnitude);
  if (plain(a) && plain(b, c)) return {Var(dot.value), measured, dot.magnitude, of(measured.error())};
  if (!plain(a) && plain(b, c)) return {cotangent::dot(a, lift(b.value(), a) - c), measured, dot.magnitude};
  return {cotangent::dot(a, b - c), measured, dot.magnitude};
}

Side operator-(const Side& a) { return {-a.var, -a.measured, a.magnitude, a.slack}; }

Side operator+(const Side& a, const Side& b) {
  Side sum{a.var + b.var, a.measured + b.measured, a.magnitude + b.magnitude, both(a.slack, b.slack)};
  if (plain(a.var, b.var))
    sum.slack = both(sum.slack, of(lost_in_sum(a.var.item(), b.var.item(), sum.var.item())));
  return sum;
}

Side operator-(const Side& a, const Side& b) { return a + (-b); }

Side operator*(const Measured& factor, const Side& a) {
  Side product{factor.value() * a.var, factor * a.measured, std::fabs(factor.value()) * a.magnitude};
  product.slack = times(std::fabs(factor.value()), a.slack);
  if (plain(a.var))
    product.slack =
        both(product.slack, of(lost_in_product(factor.value(), a.var.item(), product.var.item())));
  if (factor.error() != 0.0)
    product.slack = both(product.slack, times(factor.error(), both(abs(a.var), a.slack)));
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
