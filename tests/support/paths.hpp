// Runs as tests watch them, and a sum on the line of which all is known.
#pragma once
#include <vector>

#include "optim/optim.hpp"

namespace cotangent::test {

/// All that a run shows before each step.
struct Path : optim::Observer {
  std::vector<std::vector<Index>> batches;
  std::vector<Params> points, gradients;
  std::vector<Tensor> w;  // the points' numbers
  std::vector<double> x;  // the first of them
  std::vector<double> values, norms, steps;
  optim::Flow on_step(const optim::View& view) override;
};

/// f_i(x) = a_i / 2 (x - b_i)^2 on the line.
struct Parabolas {
  Tensor a, b;
  Index n() const { return a.size(); }
  optim::FiniteSum sum() const;
  double minimiser() const;
  double value(double x) const;
  double component_gradient(Index i, double x) const { return a(i) * (x - b(i)); }
  double gradient(double x) const;
  /// Of the mean over a list of samples.
  double gradient(double x, const std::vector<Index>& list) const;
};

/// Those of the sheet: a = (1, 2, 3), b = (1, 0, -1); x* = -1/3, f* = 5/9.
Parabolas three_parabolas();

}  // namespace cotangent::test
