// Estimators without memory: all samples, a batch of them, values alone; and noise on any.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "optim/estimators.hpp"
#include "optim/parts/batches.hpp"
#include "optim/parts/directions.hpp"

namespace cotangent::optim {
namespace {

class Full final : public Estimator {
 public:
  explicit Full(Oracle& f) : f_(f) {}
  Index begin_epoch(const Params&) override { return 1; }
  Estimate at(const Params& w, Index) override {
    auto [value, gradient] = f_.value_and_grad(w);
    return {.value = value, .gradient = std::move(gradient), .batch = Batch::all(f_.size()), .exact = true};
  }

 private:
  Oracle& f_;
};

class MiniBatch final : public Estimator {
 public:
  MiniBatch(const Setting& s, const BatchSampling& o)
      : f_(s.f), rng_(s.rng), batches_(s.f.size(), o.batch, o.replacement) {}

  Index begin_epoch(const Params&) override { return batches_.begin_epoch(rng_); }
  Estimate at(const Params& w, Index i) override {
    const Batch batch = batches_.at(i, rng_);
    auto [value, gradient] = f_.value_and_grad(w, batch);
    return {.value = value, .gradient = std::move(gradient), .batch = batch, .exact = batch.is_all()};
  }
  void visit(State& state) override { batches_.visit(state); }

 private:
  Oracle& f_;
  Rng& rng_;
  Batches batches_;
};

class ZerothOrder final : public Estimator {
 public:
  ZerothOrder(const Setting& s, const ZerothOrderSampling& o) : f_(s.f), rng_(s.rng), options_(o) {}

  Index begin_epoch(const Params&) override { return 1; }
  Estimate at(const Params& w, Index) override {
    const double h = options_.distance, share = 1.0 / static_cast<double>(options_.directions);
    Estimate sum{.value = 0.0, .gradient = {}, .batch = Batch::all(f_.size())};
    for (Index k = 0; k < options_.directions; ++k) {
      const Params u = on_sphere(w, 1.0, rng_);
      const double above = f_.value(axpy(h, u, w)), below = f_.value(axpy(-h, u, w));
      const double slope = static_cast<double>(w.size()) * (above - below) / (2.0 * h);
      sum.value += share * 0.5 * (above + below);
      sum.gradient = k == 0 ? share * slope * u : axpy(share * slope, u, std::move(sum.gradient));
    }
    return sum;
  }

 private:
  Oracle& f_;
  Rng& rng_;
  ZerothOrderSampling options_;
};

class Noisy final : public Estimator {
 public:
  Noisy(const Setting& s, std::unique_ptr<Estimator> inner, double radius)
      : rng_(s.rng), inner_(std::move(inner)), radius_(radius) {}

  Index begin_epoch(const Params& w) override { return inner_->begin_epoch(w); }
  Estimate at(const Params& w, Index i) override {
    Estimate e = inner_->at(w, i);
    e.gradient = axpy(1.0, on_sphere(w, radius_, rng_), e.gradient);
    e.exact = false;
    return e;
  }
  void visit(State& state) override { inner_->visit(state); }

 private:
  Rng& rng_;
  std::unique_ptr<Estimator> inner_;
  double radius_;
};

bool positive(double x) { return x > 0.0 && std::isfinite(x); }

}  // namespace

Choice<Estimator> full() {
  return [](const Setting& s) -> std::unique_ptr<Estimator> { return std::make_unique<Full>(s.f); };
}

Choice<Estimator> mini_batch(const BatchSampling& o) {
  if (o.batch < 1)
    throw DomainError(
        fmt::format("[mini_batch] batch is {}; give the number of samples an iteration, 1 or more", o.batch));
  return [o](const Setting& s) -> std::unique_ptr<Estimator> { return std::make_unique<MiniBatch>(s, o); };
}

Choice<Estimator> zeroth_order(const ZerothOrderSampling& o) {
  if (!positive(o.distance) || o.directions < 1)
    throw DomainError(
        fmt::format("[zeroth_order] distance is {}, directions are {}; give a distance above 0 and "
                    "at least one direction",
                    o.distance, o.directions));
  return [o](const Setting& s) -> std::unique_ptr<Estimator> { return std::make_unique<ZerothOrder>(s, o); };
}

Choice<Estimator> noisy(Choice<Estimator> estimator, double radius) {
  if (!positive(radius))
    throw DomainError(fmt::format("[noisy] radius is {}; give a finite number above 0", radius));
  if (!estimator) throw DomainError("[noisy] the estimator is empty; give one, such as full()");
  return [inner = std::move(estimator), radius](const Setting& s) -> std::unique_ptr<Estimator> {
    return std::make_unique<Noisy>(s, inner(s), radius);
  };
}

}  // namespace cotangent::optim
