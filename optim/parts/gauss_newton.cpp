// Least squares by linearised residuals.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/lapack.hpp"
#include "autodiff/kernels/products.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor/access.hpp"
#include "optim/rules.hpp"

namespace cotangent::optim {
namespace {

class GaussNewton final : public Rule {
 public:
  GaussNewton(Residuals r, const GaussNewtonNumbers& numbers)
      : r_(std::move(r)), careful_(numbers.damping > 0.0), damping_(numbers.damping) {}

  Params direction(const At& at, Params gradient) override {
    const Tensor r = r_(Var(at.w.flat())).value(), j = jacobian(r_, at.w);
    at.f.charge({.values = 1, .products = std::min(j.size(0), j.size(1))});
    const double largest = largest_of(j);
    if (!careful_) {
      if (const std::optional<Params> step = scaled_solve(j, r, gradient, 0.0, largest)) return *step;
      throw DomainError(
          fmt::format("[gauss_newton] the system of the Jacobian {} is singular; give a damping above 0",
                      j.shape().to_string()));
    }
    // Below this it is nothing beside J^T J.
    const double least = std::clamp(1e-15 * largest * largest, std::numeric_limits<double>::min(),
                                    std::numeric_limits<double>::max());
    for (int trials = 0; trials < 60; ++trials, damping_ = std::max(10.0 * damping_, least)) {
      const std::optional<Params> step = scaled_solve(j, r, gradient, damping_, largest);
      if (step && at.f.value(at.w - *step, at.batch) <= at.value) {
        damping_ = std::max(0.1 * damping_, least);
        return *step;
      }
    }
    at.stalled = true;
    return gradient.zeros_like();
  }

  void visit(State& state) override { state("damping", damping_); }

 private:
  static double largest_of(const Tensor& j) {
    double largest = 0.0;
    for (const double x : j.data()) largest = std::max(largest, std::fabs(x));
    return largest;
  }

  /// In units of J's largest number where squares of it would be beyond the range of numbers.
  static std::optional<Params> scaled_solve(const Tensor& j, const Tensor& r, const Params& gradient,
                                            double damping, double largest) {
    if (!std::isnormal(largest) || (largest < 0x1p400 && largest > 0x1p-400))
      return solve(j, r, gradient, damping);
    const double unit = std::ldexp(1.0, std::ilogb(largest));
    return solve((Var(j) / unit).value(), (Var(r) / unit).value(), (gradient / unit) / unit,
                 damping / unit / unit);
  }

  /// d for this damping, none where the system is singular: by J J^T, or by J^T J where there are more
  /// residuals than parameters.
  static std::optional<Params> solve(const Tensor& j, const Tensor& r, const Params& gradient,
                                     double damping) {
    const Index n = j.size(0), p = j.size(1), size = std::min(n, p);
    const bool by_rows = n < p;
    std::vector<double> gram(static_cast<std::size_t>(size * size));
    const double* jd = j.data().data();
    kernel::matmul(gram.data(), jd, jd, {size, by_rows ? p : n, size},
                   by_rows ? MatmulOptions{.transpose_b = true} : MatmulOptions{.transpose_a = true}, 0.0);
    for (Index k = 0; k < size; ++k) gram[static_cast<std::size_t>(k * size + k)] += damping;
    if (kernel::cholesky("gauss_newton", gram.data(), size) != 0) return std::nullopt;
    const auto solved = [&](const Tensor& right) {
      Tensor x = Tensor::from(std::vector<double>(right.data().begin(), right.data().end()), {size});
      kernel::cholesky_solve("gauss_newton", gram.data(), size, detail::mutable_data(x), 1);
      return x;
    };
    const auto transposed = [&](const Var& v) { return matmul(j, v, {.transpose_a = true}); };
    const auto applied = [&](const Var& v) { return matmul(j, v); };
    // One step of refinement gives back what the squared condition number took.
    if (by_rows) {
      Var z = solved(r);
      z = z + solved((r - applied(transposed(z)) - damping * z).value());
      return gradient.with(transposed(z).value());
    }
    Var d = solved(gradient.flat());
    d = d + solved((transposed(r - applied(d)) - damping * d).value());
    return gradient.with(d.value());
  }

  Residuals r_;
  bool careful_;
  double damping_;
};

}  // namespace

Choice<Rule> gauss_newton(Residuals r, const GaussNewtonNumbers& numbers) {
  if (!(numbers.damping >= 0.0 && std::isfinite(numbers.damping)))
    throw DomainError(
        fmt::format("[gauss_newton] damping is {}; give a finite number, 0 or above", numbers.damping));
  if (!r) throw DomainError("[gauss_newton] the residuals are empty; give a callable of (const Var& w)");
  return [r = std::move(r), numbers](const Setting& s) -> std::unique_ptr<Rule> {
    if (s.shaped || s.restricted)
      throw DomainError(
          fmt::format("[{}] weight decay, clipping or .params would not reach the residuals, of which "
                      "the step is made; build them into r",
                      s.name));
    return std::make_unique<GaussNewton>(r, numbers);
  };
}

FiniteSum least_squares(Residuals r) {
  if (!r) throw DomainError("[least_squares] the residuals are empty; give a callable of (const Var& w)");
  return objective([r = std::move(r)](const Var& w) { return 0.5 * sum(square(r(w))); });
}

}  // namespace cotangent::optim
