// The setting of the leaky ReLU theorem, and what it presupposes.
#include "theory/leaky_relu_problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/compensated.hpp"
#include "autodiff/ops.hpp"
#include "nn/losses.hpp"
#include "theory/margin.hpp"
#include "theory/numerics/arguments.hpp"

namespace cotangent::theory {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// 8 units in the last place of 1: how close to its length a vector of doubles is asked to come.
constexpr double kLast = 8.0 * std::numeric_limits<double>::epsilon();

Measured between(double low, double high) {
  return within(0.5 * low + 0.5 * high, std::nextafter(high - low, kInfinity));
}

Measured length(std::span<const double> v) {
  return sqrt(between(std::max(dot_rounded_down(v, v), 0.0), dot_rounded_up(v, v)));
}

/// Whether `length` is `wanted` but for its last digits.
Inequality as_long_as(const Measured& length, const Measured& wanted) {
  return abs(length - wanted) <= exact(kLast) * wanted;
}

void check_inputs(const nn::TwoLayer& net, const Tensor& x) {
  if (x.rank() != 2 || x.size(1) != net.inputs())
    throw ShapeError(fmt::format("[LeakyReluProblem] X is {}, {} takes {} inputs; give X [n, {}]",
                                 x.shape().to_string(), net.name(), net.inputs(), net.inputs()));
}

}  // namespace

LeakyReluProblem::LeakyReluProblem(const nn::TwoLayer& net, const Tensor& x, const Tensor& y)
    : net_(net), x_(x), slope_(net.slope().value_or(kNaN)) {
  check_inputs(net, x);
  const HardMargin found = hard_margin(x, y);
  y_ = y.reshape(Shape{y.size(), 1});
  direction_ = found.direction;
  margin_ = found.margin;
  separation_ = found.separable() || found.inseparable() ? exact(margin_) : between(margin_, found.upper);
  if (direction_.size() > 0) margins_ = margins_of(direction_, x, y);
}

LeakyReluProblem::LeakyReluProblem(const nn::TwoLayer& net, const Tensor& x, const Tensor& y,
                                   const Tensor& direction, std::optional<double> margin)
    : net_(net), x_(x), direction_(direction), slope_(net.slope().value_or(kNaN)) {
  check_inputs(net, x);
  margins_ = margins_of(direction, x, y);
  const double least = *std::min_element(margins_.lower.begin(), margins_.lower.end()),
               most = *std::min_element(margins_.upper.begin(), margins_.upper.end());
  y_ = y.reshape(Shape{y.size(), 1});
  if (margin) check_finite("LeakyReluProblem", "margin", *margin);
  // A claim that only rounding separates from the exact margin is lowered to what is certain.
  const bool rounded = margin && *margin > least && *margin - least <= rounding({least});
  const bool claimed = margin && !rounded;
  margin_ = claimed ? *margin : least;
  separation_ = claimed || least > 0.0 ? exact(margin_) : between(least, most);
}

Var LeakyReluProblem::risk(const Var& w) const { return nn::logistic(net_(w, x_), y_); }

Params LeakyReluProblem::reference(double rho) const {
  std::vector<double> v;
  for (const double a : net_.outer().data())
    for (const double c : direction_.data()) v.push_back(rho * a * c);
  return Params(Tensor::from(v, Shape{static_cast<Index>(v.size())}), net_.table());
}

ProxyConvexity LeakyReluProblem::proxy(double rho) const {
  const double h = nn::log_loss(rho * slope_ * margin_);
  return {.f = [problem = *this](const Var& w) { return problem.risk(w); },
          .h = [h](const Var&) { return Var(h); },
          .v = reference(rho)};
}

void LeakyReluProblem::check_start(const char* operation, const Params& w0) const {
  if (w0.size() != net_.num_params())
    throw ShapeError(fmt::format("[{}] w0 has {} parameters, {} has {}; start from net.init(rng)", operation,
                                 w0.size(), net_.name(), net_.num_params()));
  for (const double v : w0.flat().data()) check_finite(operation, "a number of w0", v);
}

void LeakyReluProblem::hypotheses(Proof& proof) const {
  const Tensor& a = net_.outer();
  const Measured share = exact(1.0) / sqrt(exact(static_cast<double>(a.size())));
  proof.hypothesis("phi is a leaky ReLU", exact(std::isnan(slope_) ? 1.0 : 0.0) <= exact(0.0));
  proof.hypothesis("0 < alpha", exact(0.0) < exact(slope_));
  proof.hypothesis("alpha <= 1", exact(slope_) <= exact(1.0));
  Clause& outer = proof.hypothesis_at_each("unit", "|a_j| = 1/sqrt(m)");
  for (Index j = 0; j < a.size(); ++j) outer.observe(j, as_long_as(exact(std::fabs(a(j))), share));
  Clause& short_enough = proof.hypothesis_at_each("sample", "|x_i| <= 1");
  for (Index i = 0; i < x_.size(0); ++i) short_enough.observe(i, length(row_of(x_, i)) <= exact(1.0 + kLast));
  proof.hypothesis("0 < gamma", exact(0.0) < separation_);
  if (direction_.size() == 0) return;
  proof.hypothesis("|v*| = 1", as_long_as(length(direction_.data()), exact(1.0)));
  Clause& separated = proof.hypothesis_at_each("sample", "gamma <= y_i <v*, x_i>");
  for (Index i = 0; i < x_.size(0); ++i) {
    const auto k = static_cast<std::size_t>(i);
    separated.observe(
        i, exact(margin_) <= (margin_ <= margins_.lower[k] ? exact(margins_.lower[k])
                                                           : between(margins_.lower[k], margins_.upper[k])));
  }
}

Measured LeakyReluProblem::level(double rho) const {
  return exact(rho) * exact(slope_) * exact(margin_) * length(direction_.data()) *
         inner(net_.outer().data(), net_.outer().data());
}

}  // namespace cotangent::theory
