// Trials along a line.
#include "optim/loop/search_line.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace cotangent::optim {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

SearchLine::SearchLine(const At& at, const Move& move, const Params& gradient, const Params& direction)
    : at_(at),
      move_(move),
      direction_(direction),
      along_(move.line(at.w, direction)),
      value_(at.value + move.penalty(at.w)),
      slope_(straight() ? dot(gradient, along_) : -dot(gradient, direction)) {
  if (!straight() || std::isnormal(slope_)) return;
  const double g = norm(gradient), d = norm(along_);
  if (std::isnormal(g) && std::isnormal(d)) scaled_ = {g, dot(gradient / g, along_ / d), d};
}

const Params& SearchLine::at_step(double step) {
  if (step != step_) {
    point_ = move_.point(at_.w, direction_, step);
    step_ = step;
    found_.reset();
  }
  return point_;
}

double SearchLine::value(double step) {
  const Params& w = at_step(step);
  const double value = at_.f.value(w, at_.batch) + move_.penalty(w);
  return std::isfinite(value) ? value : kNan;
}

double SearchLine::promised(double step) {
  if (straight()) {
    if (std::isnormal(slope_) || !scaled_) return -step * slope_;
    // The product of both lengths may leave the range of doubles where that with the step does not.
    return -((step * scaled_->gradient) * scaled_->cosine) * scaled_->along;
  }
  const Params moved = at_step(step) - at_.w;
  return dot(moved, moved) / step;
}

Line::Found SearchLine::look(double step) {
  const Params& w = at_step(step);
  found_ = at_.f.value_and_grad(w, at_.batch);
  const double value = found_->value + move_.penalty(w),
               slope = straight() ? dot(found_->grad, along_) : -dot(found_->grad, direction_);
  if (std::isfinite(value) && std::isfinite(slope)) return {value, slope};
  found_.reset();
  return {kNan, kNan};
}

std::optional<Params> SearchLine::tried(double step) {
  if (step != step_) return std::nullopt;
  if (found_ && at_.exact) at_.f.remember(point_, *std::move(found_));
  found_.reset();
  return point_;
}

}  // namespace cotangent::optim
