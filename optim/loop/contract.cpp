// The plain answers of a move.
#include "optim/contract.hpp"

#include <utility>

namespace cotangent::optim {

Params Move::next(const At& at, Params direction, double step) {
  return point(at.w, std::move(direction), step);
}

Params Move::line(const Params&, const Params&) const { return {}; }

double Move::residual(const At& at, const Params&, double) const { return at.gradient_norm; }

void Move::check_start(const char*, const Params&) const {}

Params Move::result(const Params& w) const { return w; }

}  // namespace cotangent::optim
