// The setting of the leaky ReLU theorem, and what it presupposes.
#include "theory/leaky_relu_problem.hpp"

#include <fmt/format.h>

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

double norm(std::span<const double> v) { return std::sqrt(compensated_dot(v, v).value); }

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
}

LeakyReluProblem::LeakyReluProblem(const nn::TwoLayer& net, const Tensor& x, const Tensor& y,
                                   const Tensor& direction, std::optional<double> margin)
    : net_(net), x_(x), direction_(direction), slope_(net.slope().value_or(kNaN)) {
  check_inputs(net, x);
  const double exact = margin_of(direction, x, y);
  y_ = y.reshape(Shape{y.size(), 1});
  if (margin) check_finite("LeakyReluProblem", "margin", *margin);
  // A claim that only rounding separates from the exact margin is lowered to what is certain.
  const bool rounded = margin && *margin > exact && *margin - exact <= rounding({exact});
  margin_ = margin && !rounded ? *margin : exact;
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
  for (Index j = 0; j < a.size(); ++j) outer.observe(j, rounded(std::fabs(a(j))) == share);
  Clause& length = proof.hypothesis_at_each("sample", "|x_i| <= 1");
  for (Index i = 0; i < x_.size(0); ++i) length.observe(i, rounded(norm(row_of(x_, i))) <= exact(1.0));
  proof.hypothesis("0 < gamma", exact(0.0) < exact(margin_));
  if (direction_.size() == 0) return;
  proof.hypothesis("|v*| = 1", rounded(norm(direction_.data())) == exact(1.0));
  Clause& separated = proof.hypothesis_at_each("sample", "gamma <= y_i <v*, x_i>");
  for (Index i = 0; i < x_.size(0); ++i)
    // A compensated product of given numbers is known to its last digits, however much of it cancels.
    separated.observe(
        i, exact(margin_) <= rounded(y_(i, 0) * compensated_dot(row_of(x_, i), direction_.data()).value));
}

}  // namespace cotangent::theory
