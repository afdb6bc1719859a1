// Exact expectations of random runs: every path is met, and weighted by its chance.
#pragma once
#include <map>
#include <vector>

#include "optim/optim.hpp"

namespace cotangent::test {

/// f_i(x) = a_i / 2 (x - b_i)^2 on the line.
struct Parabolas {
  Tensor a, b;
  Index n() const { return a.size(); }
  optim::FiniteSum sum() const;
  double gradient(Index i, double x) const { return a(i) * (x - b(i)); }
  double gradient(double x) const;
  double value(double x) const;
};

/// Those of the sheet: a = (1, 2, 3), b = (1, 0, -1); x* = -1/3, f* = 5/9.
Parabolas three_parabolas();

/// What was drawn in each iteration, with the points: the batches in order.
struct Path : optim::Observer {
  std::vector<std::vector<Index>> batches;
  std::vector<double> points, values, norms;
  std::vector<Tensor> gradients;
  optim::Flow on_step(const optim::View& view) override;
};

}  // namespace cotangent::test
