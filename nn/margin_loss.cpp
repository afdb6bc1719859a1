// The table of losses of the margin.
#include "nn/margin_loss.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

#include "autodiff/ops.hpp"

namespace cotangent::nn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr std::array<MarginLossFacts, kMarginLosses.size()> kTable = {{
    {.name = "hinge",
     .formula = "max(0, 1 - t)",
     .value = [](double t) noexcept { return t <= 1.0 ? 1.0 - t : 0.0; },
     .slope = [](double t) noexcept { return t <= 1.0 ? -1.0 : 0.0; },
     .elementwise = [](const Var& t) { return relu(1.0 - t); },
     .at_zero = 1.0,
     .slope_at_zero = -1.0,
     .at_zero_error = 0.0,
     .steepest = 1.0,
     .curvature = kInfinity},
    {.name = "squared hinge",
     .formula = "max(0, 1 - t)^2",
     .value = [](double t) noexcept { return t <= 1.0 ? (1.0 - t) * (1.0 - t) : 0.0; },
     .slope = [](double t) noexcept { return t <= 1.0 ? -2.0 * (1.0 - t) : 0.0; },
     .elementwise = [](const Var& t) { return square(relu(1.0 - t)); },
     .at_zero = 1.0,
     .slope_at_zero = -2.0,
     .at_zero_error = 0.0,
     .steepest = kInfinity,
     .curvature = 2.0},
    {.name = "exponential",
     .formula = "exp(-t)",
     .value = [](double t) noexcept { return std::exp(-t); },
     .slope = [](double t) noexcept { return -std::exp(-t); },
     .elementwise = [](const Var& t) { return exp(-t); },
     .at_zero = 1.0,
     .slope_at_zero = -1.0,
     .at_zero_error = 0.0,
     .steepest = kInfinity,
     .curvature = kInfinity},
    {.name = "logistic",
     .formula = "log(1 + exp(-t))",
     .value = log_loss,
     .slope = log_loss_slope,
     .elementwise = [](const Var& t) { return softplus(-t); },
     .at_zero = std::numbers::ln2,
     .slope_at_zero = -0.5,
     .at_zero_error = 0x1p-55,  // log 2 = 0.69314718055994530942 lies 2.3e-17 above
     .steepest = 1.0,
     .curvature = 0.25},
}};

}  // namespace

const MarginLossFacts& facts(MarginLoss loss) noexcept { return kTable[static_cast<std::size_t>(loss)]; }
const char* to_string(MarginLoss loss) noexcept { return facts(loss).name; }
double value(MarginLoss loss, double t) noexcept { return facts(loss).value(t); }
double slope(MarginLoss loss, double t) noexcept { return facts(loss).slope(t); }

double log_loss(double t) noexcept { return std::fmax(-t, 0.0) + std::log1p(std::exp(-std::fabs(t))); }

double log_loss_slope(double t) noexcept {
  const double e = std::exp(-std::fabs(t));
  return -(t >= 0.0 ? e : 1.0) / (1.0 + e);
}

}  // namespace cotangent::nn
