// Gradient descent and its stochastic form.
#include "optim/first_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "autodiff/error.hpp"

namespace cotangent::optim {
namespace {

void check_momentum(const char* name, double momentum) {
  if (!(momentum >= 0.0 && momentum < 1.0))
    throw DomainError(fmt::format("[{}] momentum is {}; give 0 <= momentum < 1", name, momentum));
}

/// w - step * direction, where the direction is the gradient or made of it and the velocity.
class Descent : public Method {
 public:
  Descent(double momentum, bool nesterov) : momentum_(momentum), nesterov_(nesterov) {}

  Params next(const Params& w, Params gradient, double step) override {
    if (momentum_ == 0.0) return axpy(-step, gradient, w);
    if (!nesterov_) {
      // Written over the gradient where nobody else holds it.
      velocity_ = velocity_.size() ? axpy(momentum_, velocity_, std::move(gradient)) : std::move(gradient);
      return axpy(-step, velocity_, w);
    }
    velocity_ = velocity_.size() ? axpy(momentum_, velocity_, gradient) : gradient;
    return axpy(-step, axpy(momentum_, velocity_, std::move(gradient)), w);
  }

 private:
  double momentum_;
  bool nesterov_;
  Params velocity_;
};

class FullDescent final : public Descent {
 public:
  FullDescent(const FiniteSum& f, double momentum, bool nesterov) : Descent(momentum, nesterov), f_(f) {}
  Index begin_epoch() override { return 1; }
  Estimate estimate(const Params& w, Index) override {
    const Batch all = Batch::all(f_.size());
    auto [value, gradient] = f_.value_and_grad(w, all);
    return {.value = value, .gradient = std::move(gradient), .batch = all};
  }

 private:
  const FiniteSum& f_;
};

class StochasticDescent final : public Descent {
 public:
  StochasticDescent(const FiniteSum& f, Rng& rng, const SgdOptions& options)
      : Descent(options.momentum, options.nesterov),
        f_(f),
        rng_(rng),
        batch_(options.replacement ? options.batch : std::min(options.batch, f.size())),
        replacement_(options.replacement),
        list_(static_cast<std::size_t>(replacement_        ? batch_
                                       : batch_ < f.size() ? f.size()
                                                           : 0)) {}

  Index begin_epoch() override {
    const Index n = f_.size();
    if (!replacement_) shuffle();
    return (n - 1) / batch_ + 1;
  }

  Estimate estimate(const Params& w, Index i) override {
    const Batch batch = choose(i);
    auto [value, gradient] = f_.value_and_grad(w, batch);
    return {.value = value, .gradient = std::move(gradient), .batch = batch};
  }

 private:
  /// The same order as rng.permutation(n), in the memory of the epoch before.
  void shuffle() {
    std::iota(list_.begin(), list_.end(), Index{0});
    for (std::size_t i = list_.size(); i > 1; --i)
      std::swap(list_[i - 1], list_[static_cast<std::size_t>(rng_.below(static_cast<Index>(i)))]);
  }

  Batch choose(Index i) {
    const Index n = f_.size();
    if (replacement_) {
      for (Index& sample : list_) sample = rng_.below(n);
      return Batch::view(n, list_);
    }
    if (batch_ == n) return Batch::all(n);
    const Index first = i * batch_;
    const std::span<const Index> order(list_);
    return Batch::view(n, order.subspan(static_cast<std::size_t>(first),
                                        static_cast<std::size_t>(std::min(batch_, n - first))));
  }

  const FiniteSum& f_;
  Rng& rng_;
  Index batch_;
  bool replacement_;
  std::vector<Index> list_;  // the epoch's order, or the batch drawn last
};

}  // namespace

Gd::Gd(const GdOptions& options) : options_(options) {
  check_loop(loop(), "iterations");
  check_momentum("Gd", options.momentum);
}

LoopOptions Gd::loop() const {
  return {.name = "Gd",
          .step = options_.step,
          .epochs = options_.iterations,
          .gradient_tolerance = options_.gradient_tolerance,
          .value_limit = options_.value_limit,
          .progress = options_.progress};
}

std::unique_ptr<Method> Gd::method(const FiniteSum& f, Rng&) const {
  return std::make_unique<FullDescent>(f, options_.momentum, options_.nesterov);
}

Run Gd::minimize(const FiniteSum& f, const Params& w, const std::vector<Observer*>& observers) const {
  Rng unused(0);
  return Optimizer::minimize(f, w, unused, observers);
}

Run Gd::minimize(const FiniteSum& f, const Tensor& w, const std::vector<Observer*>& observers) const {
  Rng unused(0);
  return Optimizer::minimize(f, w, unused, observers);
}

Sgd::Sgd(const SgdOptions& options) : options_(options) {
  check_loop(loop(), "epochs");
  check_momentum("Sgd", options.momentum);
  if (options.batch < 1)
    throw DomainError(
        fmt::format("[Sgd] batch is {}; give the number of samples an iteration, 1 or more", options.batch));
}

LoopOptions Sgd::loop() const {
  return {.name = "Sgd",
          .step = options_.step,
          .epochs = options_.epochs,
          .gradient_tolerance = std::nullopt,
          .value_limit = options_.value_limit,
          .progress = options_.progress};
}

std::unique_ptr<Method> Sgd::method(const FiniteSum& f, Rng& rng) const {
  return std::make_unique<StochasticDescent>(f, rng, options_);
}

}  // namespace cotangent::optim
