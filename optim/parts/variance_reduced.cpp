// Estimators that remember: snapshots, tables and earlier estimates.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/tensor/access.hpp"
#include "optim/estimators.hpp"
#include "optim/parts/batches.hpp"

namespace cotangent::optim {
namespace {

void check_several(const Setting& s) {
  if (s.f.size() < 2)
    throw DomainError(
        fmt::format("[{}] f has one component, which leaves nothing to sample; use Gd", s.name));
}

/// A batch of several components, no larger than all of them; nothing is allocated for another one.
Index checked_batch(const Setting& s, Index batch) {
  check_several(s);
  if (batch > s.f.size())
    throw DomainError(
        fmt::format("[{}] batch is {} of {} samples; give at most as many", s.name, batch, s.f.size()));
  return batch;
}

Index checked_large(const Setting& s, Index large) {
  if (large < 1 || large > s.f.size())
    throw DomainError(fmt::format("[{}] large_batch is {} of {} samples; give 1 to {}", s.name, large,
                                  s.f.size(), s.f.size()));
  return large;
}

Index rooted(Index n) { return static_cast<Index>(std::sqrt(static_cast<double>(n))); }

class Svrg final : public Estimator {
 public:
  Svrg(const Setting& s, const SvrgSampling& o)
      : f_(s.f),
        rng_(s.rng),
        batches_(s.f.size(), checked_batch(s, o.batch), true),
        inner_(o.inner > 0 ? o.inner : std::max<Index>(1, 2 * s.f.size() / o.batch)) {}

  Index begin_epoch(const Params& w) override {
    auto [value, gradient] = f_.value_and_grad(w);
    snapshot_ = w;
    value_ = value;
    mean_ = std::move(gradient);
    return inner_;
  }

  Estimate at(const Params& w, Index i) override {
    const Batch batch = batches_.at(i, rng_);
    auto [value, gradient] = f_.value_and_grad(w, batch);
    const Params then = f_.value_and_grad(snapshot_, batch).grad;
    if (i == 0)  // the correction is 0 at the snapshot itself
      return {.value = value_, .gradient = mean_, .batch = Batch::all(f_.size()), .exact = true};
    gradient = axpy(-1.0, then, std::move(gradient));
    return {.value = value, .gradient = axpy(1.0, mean_, std::move(gradient)), .batch = batch};
  }

  void visit(State& state) override {
    state.same("batch", batches_.size());
    state("snapshot", snapshot_);
    state("mean", mean_);
    state("value", value_);
  }

 private:
  Oracle& f_;
  Rng& rng_;
  Batches batches_;
  Index inner_;
  Params snapshot_, mean_;
  double value_ = 0.0;
};

class Saga final : public Estimator {
 public:
  Saga(const Setting& s, const SagaSampling& o)
      : f_(s.f), rng_(s.rng), n_(s.f.size()), two_draws_(o.two_draws) {
    check_several(s);
    const double bytes = 8.0 * static_cast<double>(n_ + 1) * static_cast<double>(s.start.size());
    if (o.memory && bytes > static_cast<double>(*o.memory))
      throw DomainError(fmt::format(
          "[{}] the table of {} gradients of {} numbers takes {:.3g} bytes, above .memory = {}; take "
          "svrg or page, which hold two points",
          s.name, n_, s.start.size(), bytes, *o.memory));
  }

  Index begin_epoch(const Params& w) override {
    if (table_.size() == 0) fill(w);
    return n_;
  }

  Estimate at(const Params& w, Index) override {
    const Index i = rng_.below(n_), j = two_draws_ ? rng_.below(n_) : i;
    const bool first = std::exchange(fresh_, false);
    sample_[0] = i;
    auto [value, gradient] = f_.value_and_grad(w, Batch::view(n_, sample_));
    Params estimate = first ? mean_ : minus_row(gradient, i);
    if (!first) estimate = axpy(1.0, mean_, std::move(estimate));
    if (two_draws_) {
      sample_[0] = j;
      gradient = f_.value_and_grad(w, Batch::view(n_, sample_)).grad;
    }
    renew(j, gradient);
    if (first)
      return {.value = value_, .gradient = std::move(estimate), .batch = Batch::all(n_), .exact = true};
    sample_[0] = i;
    return {.value = value, .gradient = std::move(estimate), .batch = Batch::view(n_, sample_)};
  }

  void visit(State& state) override {
    state.same("two_draws", two_draws_ ? 1 : 0);
    state("table", table_);
    state("mean", mean_);
    state("fresh", fresh_);
    state("value", value_);
  }

 private:
  /// The table at w, in the order of the samples, and its mean.
  void fill(const Params& w) {
    // In place only when it is whole: f may throw in between.
    Tensor table = Tensor::zeros({n_, w.size()});
    double value_of_all = 0.0;
    Tensor mean = Tensor::zeros({w.size()});
    for (Index i = 0; i < n_; ++i) {
      sample_[0] = i;
      const auto [value, gradient] = f_.value_and_grad(w, Batch::view(n_, sample_));
      std::copy(gradient.flat().data().begin(), gradient.flat().data().end(),
                detail::mutable_data(table) + i * w.size());
      kernel::loops().add_to(detail::mutable_data(mean), gradient.flat().data().data(), w.size());
      value_of_all += value / static_cast<double>(n_);
    }
    mean_ = w.with(mean) / static_cast<double>(n_);
    table_ = std::move(table);
    value_ = value_of_all;
    fresh_ = true;
  }

  double* row(Index i) { return detail::mutable_data(table_) + i * table_.size(1); }

  Params minus_row(const Params& gradient, Index i) {
    Tensor difference = detail::uninitialized(gradient.flat().shape());
    double* to = detail::mutable_data(difference);
    const double *g = gradient.flat().data().data(), *a = row(i);
    for (Index k = 0; k < gradient.size(); ++k) to[k] = g[k] - a[k];
    return gradient.with(std::move(difference));
  }

  void renew(Index j, const Params& gradient) {
    mean_ = axpy(1.0 / static_cast<double>(n_), minus_row(gradient, j), mean_);
    std::copy(gradient.flat().data().begin(), gradient.flat().data().end(), row(j));
  }

  Oracle& f_;
  Rng& rng_;
  Index n_;
  bool two_draws_;
  Tensor table_;  // [n, P]
  Params mean_;
  double value_ = 0.0;  // f at the start
  bool fresh_ = false;  // the table is of the present point
  std::array<Index, 1> sample_{};
};

class Page final : public Estimator {
 public:
  Page(const Setting& s, const PageSampling& o)
      : f_(s.f),
        rng_(s.rng),
        n_(s.f.size()),
        large_(checked_large(s, o.large_batch.value_or(n_))),
        batches_(n_, checked_batch(s, o.batch > 0 ? o.batch : rooted(n_)), true),
        whole_(n_, large_, true),
        restart_(o.restart.value_or(static_cast<double>(batches_.size()) /
                                    static_cast<double>(n_ + batches_.size()))) {}

  Index begin_epoch(const Params&) override {
    return static_cast<Index>(std::ceil(std::min(1.0 / restart_, 1e15)));
  }

  Estimate at(const Params& w, Index i) override {
    const bool anew = before_.size() == 0 || rng_.uniform() < restart_;
    const bool exact = anew && large_ == n_;
    const Batch batch = exact ? Batch::all(n_) : (anew ? whole_ : batches_).at(i, rng_);
    auto [value, gradient] = f_.value_and_grad(w, batch);
    if (anew) {
      last_ = std::move(gradient);
    } else {
      gradient = axpy(-1.0, f_.value_and_grad(before_, batch).grad, gradient);
      last_ = axpy(1.0, gradient, std::move(last_));
    }
    before_ = w;
    return {.value = value, .gradient = last_, .batch = batch, .exact = exact};
  }

  void visit(State& state) override {
    state.same("batch", batches_.size());
    state.same("large_batch", large_);
    state("before", before_);
    state("last", last_);
  }

 private:
  Oracle& f_;
  Rng& rng_;
  Index n_, large_;
  Batches batches_, whole_;
  double restart_;
  Params before_, last_;
};

void check_theory(const char* name, Index n, double smoothness) {
  if (n < 1 || !(smoothness > 0.0) || !std::isfinite(smoothness))
    throw DomainError(fmt::format(
        "[{}] n is {}, the smoothness {}; give n >= 1 and a finite smoothness above 0", name, n, smoothness));
}

}  // namespace

Choice<Estimator> svrg(const SvrgSampling& o) {
  if (o.inner < 0 || o.batch < 1)
    throw DomainError(fmt::format(
        "[svrg] inner is {}, batch is {}; give inner >= 0 (0: 2 n / batch), batch >= 1", o.inner, o.batch));
  return [o](const Setting& s) -> std::unique_ptr<Estimator> { return std::make_unique<Svrg>(s, o); };
}

Choice<Estimator> saga(const SagaSampling& o) {
  return [o](const Setting& s) -> std::unique_ptr<Estimator> { return std::make_unique<Saga>(s, o); };
}

Choice<Estimator> page(const PageSampling& o) {
  if (o.restart && !(*o.restart > 0.0 && *o.restart <= 1.0))
    throw DomainError(fmt::format("[page] restart is {}; give a chance in (0, 1]", *o.restart));
  if (o.batch < 0)
    throw DomainError(fmt::format("[page] batch is {}; give 1 or more, or 0 for floor(sqrt(n))", o.batch));
  return [o](const Setting& s) -> std::unique_ptr<Estimator> { return std::make_unique<Page>(s, o); };
}

SvrgTheory svrg_theory(Index n, double smoothness) {
  check_theory("svrg_theory", n, smoothness);
  const double size = static_cast<double>(n), L = smoothness;
  const double eta = 1.0 / (4.0 * L * std::cbrt(size * size)), beta = L / std::cbrt(size);
  SvrgTheory theory{.step = eta, .inner = std::max<Index>(1, 4 * n / 3), .gamma = 0.0};
  double c = 0.0, least = std::numeric_limits<double>::infinity();
  for (Index t = theory.inner; t > 0; --t) {
    least = std::min(least, eta - c * eta / beta - eta * eta * L - 2.0 * c * eta * eta);
    c = c * (1.0 + eta * beta + 2.0 * eta * eta * L * L) + eta * eta * L * L * L;
  }
  theory.gamma = least;
  return theory;
}

SagaTheory saga_theory(Index n, double smoothness) {
  check_theory("saga_theory", n, smoothness);
  const double size = static_cast<double>(n), L = smoothness;
  const double eta = 1.0 / (3.0 * L * std::cbrt(size * size)), beta = L / std::cbrt(size);
  // The fixed point of c <- c (1 - 1/n + eta beta + 2 eta^2 L^2) + eta^2 L^3, which c rises to from 0.
  const double shrink = 1.0 / size - eta * beta - 2.0 * eta * eta * L * L;
  const double c = eta * eta * L * L * L / shrink;
  return {.step = eta, .gamma = eta - c * eta / beta - eta * eta * L - 2.0 * c * eta * eta};
}

PageTheory page_theory(Index n, Index batch, double smoothness, double mu) {
  check_theory("page_theory", n, smoothness);
  if (batch < 1 || batch > n || !(mu >= 0.0 && std::isfinite(mu)))
    throw DomainError(
        fmt::format("[page_theory] batch is {} of {}, mu is {}; give 1 <= batch <= n and a finite mu >= 0",
                    batch, n, mu));
  const double b = static_cast<double>(batch), p = b / (static_cast<double>(n) + b);
  const double share = (1.0 - p) / (p * b);
  const double under_pl = 1.0 / (smoothness * (1.0 + std::sqrt(2.0 * share)));
  return {.restart = p,
          .step = 1.0 / (smoothness * (1.0 + std::sqrt(share))),
          .step_of_pl = mu > 0.0 ? std::min(under_pl, p / (2.0 * mu)) : under_pl};
}

}  // namespace cotangent::optim
