// Modules that keep or restore the size of what passes through: Residual, Scale, Normalise.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "nn/init.hpp"
#include "nn/module.hpp"

namespace cotangent::nn {

/// y = x + f(x): a module and a way round it. Its parameters are called "inner.weight" and so on.
///
/// Shapes: x [n, ..] -> [n, ..], the shape f keeps.
/// Throws: DomainError for a null pointer; ShapeError if f changes the shape; what f
/// throws, with the path in front.
/// Source: He, Zhang, Ren, Sun 2016.
class Residual : public Module {
 public:
  template <IsModule M>
  explicit Residual(M inner)
      : Residual(std::shared_ptr<const Module>(std::make_shared<const M>(std::move(inner)))) {}
  explicit Residual(std::shared_ptr<const Module> inner);
  Var operator()(const Var& w, const Var& x) const override;
  std::string name() const override;

 private:
  ChildId inner_;
  std::string inner_name_;
};

/// One factor for all numbers unless `features` says how many there are, each with a factor of its own.
struct ScaleOptions {
  std::optional<Index> features = std::nullopt;
  /// Initial factors; 1 unless set.
  Init init = {};
};
/// y = s x for one number s, or y_ij = s_j x_ij.
///
/// Shapes: "factor" [] or [features]; x [n, ..] -> [n, ..], with features [n, features].
/// Throws: DomainError for fewer than one feature; ShapeError for other shapes of x.
class Scale : public Module {
 public:
  explicit Scale(const ScaleOptions& options = {});
  Var operator()(const Var& w, const Var& x) const override;
  std::string name() const override;

 private:
  std::optional<Index> features_;
  ParamId factor_;
};

/// What every sample is given: mean 0 and variance 1 over its features, or length 1.
enum class NormaliseTo { unit_variance, unit_length };
struct NormaliseOptions {
  NormaliseTo to = NormaliseTo::unit_variance;
  /// Added to the variance, so that features that are all alike do no harm: variance v becomes v / (v +
  /// epsilon). With 0 a sample of such features becomes NaN.
  double epsilon = 1e-5;
};
/// Each sample by itself: (x_i - mean_i) / sqrt(variance_i + epsilon), or x_i / |x_i|. Samples do
/// not mix, so per-sample Jacobians and tangent kernels are those of single samples. No
/// parameters; Scale and Linear can follow.
///
/// Shapes: x [n, k] -> [n, k].
/// At 0: a sample of length 0 stays 0, with derivative 0.
/// Throws: DomainError unless epsilon is finite and at least 0; ShapeError for other shapes of x.
/// Source: Ba, Kiros, Hinton 2016 (without their gain and bias).
class Normalise : public Module {
 public:
  explicit Normalise(const NormaliseOptions& options = {});
  Var operator()(const Var& w, const Var& x) const override;
  std::string name() const override;

 private:
  NormaliseOptions options_;
};

}  // namespace cotangent::nn
