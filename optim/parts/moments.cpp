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

class Adam final : public Rule {
 public:
  explicit Adam(const AdamNumbers& numbers) : n_(numbers) {}

  Params direction(const At&, Params gradient) override {
    const Index size = gradient.size();
    double *m = first_.numbers(size), *v = second_.numbers(size);
    power1_ *= n_.beta1;
    power2_ *= n_.beta2;
    const double b1 = n_.beta1, b2 = n_.beta2, epsilon = n_.epsilon;
    const double scale = 1.0 / (1.0 - power1_), root = 1.0 / std::sqrt(1.0 - power2_);
    double* top = n_.amsgrad ? largest_.numbers(size) : nullptr;
    if (top)
      return transformed(gradient, [=](Index j, double g) {
        m[j] += (1.0 - b1) * (g - m[j]);
        v[j] = b2 * v[j] + (1.0 - b2) * g * g;
        top[j] = std::max(top[j], v[j]);
        return scale * m[j] / (std::sqrt(top[j]) * root + epsilon);
      });
    return transformed(gradient, [=](Index j, double g) {
      m[j] += (1.0 - b1) * (g - m[j]);
      v[j] = b2 * v[j] + (1.0 - b2) * g * g;
      return scale * m[j] / (std::sqrt(v[j]) * root + epsilon);
    });
  }

  void visit(State& state) override {
    first_.visit(state, "m");
    second_.visit(state, "v");
    if (n_.amsgrad) largest_.visit(state, "largest");
    state("beta1^t", power1_);
    state("beta2^t", power2_);
  }

 private:
  AdamNumbers n_;
  Moments first_, second_, largest_;
  double power1_ = 1.0, power2_ = 1.0;
};

/// v <- keep * v + add * g^2; g / (sqrt(v) + epsilon): RMSProp and AdaGrad.
class RootMeanSquare final : public Rule {
 public:
  RootMeanSquare(double keep, double add, double epsilon) : keep_(keep), add_(add), epsilon_(epsilon) {}

  Params direction(const At&, Params gradient) override {
    double* v = squares_.numbers(gradient.size());
    return transformed(gradient, [=, this](Index j, double g) {
      v[j] = keep_ * v[j] + add_ * g * g;
      return g / (std::sqrt(v[j]) + epsilon_);
    });
  }

  void visit(State& state) override { squares_.visit(state, "v"); }

 private:
  double keep_, add_, epsilon_;
  Moments squares_;
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
