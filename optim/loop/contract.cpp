// What parts share: the plain answers of a move, and f along a direction.
#include "optim/contract.hpp"

#include <cmath>
#include <limits>

namespace cotangent::optim {

double Move::residual(const At& at, const Params&, double) const { return at.gradient_norm; }

void Move::check_start(const char*, const Params&) const {}

Line::Line(const At& at, const Move& move, const Params& gradient, const Params& direction)
    : at_(at),
      move_(move),
      direction_(direction),
      along_(move.line(at.w, direction)),
      value_(at.value + move.penalty(at.w)),
      slope_(along_ ? dot(gradient, *along_) : -dot(gradient, direction)) {}

const Params& Line::at_step(double step) {
  if (step != step_) {
    point_ = move_.point(at_.w, direction_, step);
    step_ = step;
    found_.reset();
  }
  return point_;
}

double Line::value(double step) {
  const Params& w = at_step(step);
  const double value = at_.f.value(w, at_.batch) + move_.penalty(w);
  return std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
}

double Line::promised(double step) {
  if (along_) return -step * slope_;
  const Params moved = at_step(step) - at_.w;
  return dot(moved, moved) / step;
}

Line::Found Line::look(double step) {
  const Params& w = at_step(step);
  found_ = at_.f.value_and_grad(w, at_.batch);
  const double value = found_->value + move_.penalty(w),
               slope = along_ ? dot(found_->grad, *along_) : -dot(found_->grad, direction_);
  if (std::isfinite(value) && std::isfinite(slope)) return {value, slope};
  found_.reset();
  return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
}

std::optional<Params> Line::tried(double step) {
  if (step != step_) return std::nullopt;
  if (found_ && at_.exact) at_.f.remember(point_, *std::move(found_));
  found_.reset();
  return point_;
}

}  // namespace cotangent::optim
