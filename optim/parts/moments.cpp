// Directions scaled number by number: Adam and its relatives.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/tensor/access.hpp"
#include "optim/rules.hpp"

namespace cotangent::optim {
namespace {

/// A tensor of the rule's own, whose numbers it changes in place.
class Moments {
 public:
  double* numbers(Index size) {
    if (tensor_.size() != size) tensor_ = Tensor::zeros({size});
    return detail::mutable_data(tensor_);
  }
  void visit(State& state, const char* name) { state(name, tensor_); }

 private:
  Tensor tensor_;
};

/// New numbers of the gradient's shape, each made of its own.
template <class EachNumber>
Params transformed(const Params& gradient, EachNumber each) {
  Tensor to = detail::uninitialized(gradient.flat().shape());
  double* d = detail::mutable_data(to);
  const double* g = gradient.flat().data().data();
  for (Index j = 0; j < gradient.size(); ++j) d[j] = each(j, g[j]);
  return gradient.with(std::move(to));
}

/// sqrt(keep * root^2 + add * g^2), whose squares are scaled where they would leave the range of doubles.
double root_of_mean(double keep, double root, double add, double g) {
  constexpr double kLarge = 0x1p+500, kSmall = 0x1p-500;
  const double top = std::max(root, std::fabs(g));
  const double scale = top > kLarge ? kSmall : top < kSmall ? kLarge : 1.0;
  const double r = root * scale, s = g * scale;
  return std::sqrt(keep * (r * r) + add * (s * s)) / scale;
}
/// a / b, and 0 where all gradients were 0 and no epsilon keeps b away from it.
double over(double a, double b) { return b == 0.0 ? 0.0 : a / b; }

class Adam final : public Rule {
 public:
  explicit Adam(const AdamNumbers& numbers) : n_(numbers) {}

  Params direction(const At&, Params gradient) override {
    const Index size = gradient.size();
    double *m = first_.numbers(size), *r = roots_.numbers(size);
    power1_ *= n_.beta1;
    power2_ *= n_.beta2;
    const double b1 = n_.beta1, b2 = n_.beta2, epsilon = n_.epsilon;
    const double scale = 1.0 / (1.0 - power1_), root = 1.0 / std::sqrt(1.0 - power2_);
    double* top = n_.amsgrad ? largest_.numbers(size) : nullptr;
    if (top)
      return transformed(gradient, [=](Index j, double g) {
        m[j] += (1.0 - b1) * (g - m[j]);
        r[j] = root_of_mean(b2, r[j], 1.0 - b2, g);
        top[j] = std::max(top[j], r[j]);
        return over(scale * m[j], top[j] * root + epsilon);
      });
    return transformed(gradient, [=](Index j, double g) {
      m[j] += (1.0 - b1) * (g - m[j]);
      r[j] = root_of_mean(b2, r[j], 1.0 - b2, g);
      return over(scale * m[j], r[j] * root + epsilon);
    });
  }

  void visit(State& state) override {
    first_.visit(state, "m");
    roots_.visit(state, "sqrt(v)");
    if (n_.amsgrad) largest_.visit(state, "largest");
    state("beta1^t", power1_);
    state("beta2^t", power2_);
  }

 private:
  AdamNumbers n_;
  Moments first_, roots_, largest_;
  double power1_ = 1.0, power2_ = 1.0;
};

/// v <- keep * v + add * g^2; g / (sqrt(v) + epsilon): RMSProp and AdaGrad.
class RootMeanSquare final : public Rule {
 public:
  RootMeanSquare(double keep, double add, double epsilon) : keep_(keep), add_(add), epsilon_(epsilon) {}

  Params direction(const At&, Params gradient) override {
    double* r = roots_.numbers(gradient.size());
    return transformed(gradient, [=, this](Index j, double g) {
      r[j] = root_of_mean(keep_, r[j], add_, g);
      return over(g, r[j] + epsilon_);
    });
  }

  void visit(State& state) override { roots_.visit(state, "sqrt(v)"); }

 private:
  double keep_, add_, epsilon_;
  Moments roots_;
};

void check_beta(const char* name, const char* field, double value) {
  if (!(value >= 0.0 && value < 1.0))
    throw DomainError(fmt::format("[{}] {} is {}; give a number in [0, 1)", name, field, value));
}

void check_epsilon(const char* name, double epsilon) {
  if (!(epsilon >= 0.0 && std::isfinite(epsilon)))
    throw DomainError(fmt::format("[{}] epsilon is {}; give a finite number, 0 or above", name, epsilon));
}

}  // namespace

Choice<Rule> adam(const AdamNumbers& n) {
  check_beta("adam", "beta1", n.beta1);
  check_beta("adam", "beta2", n.beta2);
  check_epsilon("adam", n.epsilon);
  return [n](const Setting&) -> std::unique_ptr<Rule> { return std::make_unique<Adam>(n); };
}

Choice<Rule> rmsprop(const RmsPropNumbers& n) {
  check_beta("rmsprop", "alpha", n.alpha);
  check_epsilon("rmsprop", n.epsilon);
  return [n](const Setting&) -> std::unique_ptr<Rule> {
    return std::make_unique<RootMeanSquare>(n.alpha, 1.0 - n.alpha, n.epsilon);
  };
}

Choice<Rule> adagrad(double epsilon) {
  check_epsilon("adagrad", epsilon);
  return [epsilon](const Setting&) -> std::unique_ptr<Rule> {
    return std::make_unique<RootMeanSquare>(1.0, 1.0, epsilon);
  };
}

}  // namespace cotangent::optim
