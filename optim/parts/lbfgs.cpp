// The two-loop recursion over pairs of differences.
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "optim/rules.hpp"

namespace cotangent::optim {
namespace {

class Lbfgs final : public Rule {
 public:
  explicit Lbfgs(Index pairs) : pairs_(static_cast<std::size_t>(pairs)) {}

  Params direction(const At& at, Params gradient) override {
    remember(at.w, gradient);
    Params d = gradient;
    std::vector<double>& alpha = alpha_;
    alpha.resize(s_.size());
    for (std::size_t k = s_.size(); k-- > 0;) {
      alpha[k] = rho_[k] * dot(s_[k], d);
      d = axpy(-alpha[k], y_[k], std::move(d));
    }
    if (!s_.empty()) {
      const double size = norm(y_.back());  // whose square may be too small or too large for a double
      d = (1.0 / (rho_.back() * size) / size) * d;
    }
    for (std::size_t k = 0; k < s_.size(); ++k) {
      const double factor = alpha[k] - rho_[k] * dot(y_[k], d);
      d = axpy(factor, s_[k], std::move(d));
    }
    if (s_.empty() || dot(d, gradient) > 0.0) return d;
    s_.clear();
    y_.clear();
    rho_.clear();
    return gradient;
  }

  void visit(State& state) override {
    state("s", s_);
    state("y", y_);
    state("rho", rho_);
    state("w", w_);
    state("gradient", gradient_);
  }

 private:
  void remember(const Params& w, const Params& gradient) {
    if (w_.size() > 0) {
      Params s = w - w_, y = gradient - gradient_;
      const double curvature = dot(s, y);
      if (curvature > 1e-10 * norm(s) * norm(y)) {
        if (s_.size() == pairs_) {
          s_.erase(s_.begin());
          y_.erase(y_.begin());
          rho_.erase(rho_.begin());
        }
        s_.push_back(std::move(s));
        y_.push_back(std::move(y));
        rho_.push_back(1.0 / curvature);
      }
    }
    w_ = w;
    gradient_ = gradient;
  }

  std::size_t pairs_;
  std::vector<Params> s_, y_;  // the oldest first
  std::vector<double> rho_, alpha_;
  Params w_, gradient_;
};

}  // namespace

Choice<Rule> lbfgs(Index pairs) {
  if (pairs < 1) throw DomainError(fmt::format("[lbfgs] pairs is {}; give 1 or more", pairs));
  return [pairs](const Setting&) -> std::unique_ptr<Rule> { return std::make_unique<Lbfgs>(pairs); };
}

}  // namespace cotangent::optim
