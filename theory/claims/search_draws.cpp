// Where a search looks first: points at random, and points where units of a net die.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "autodiff/kinks.hpp"
#include "autodiff/ops.hpp"
#include "theory/claims/search.hpp"

namespace cotangent::theory {
namespace {

/// Distances, in radii: by turns within it, and over nine decades.
double distance(Trials& trials, Index k) {
  Rng& rng = trials.rng();
  return trials.radius() * std::pow(10.0, k % 2 ? -5.0 + 9.0 * rng.uniform() : -3.0 + 3.0 * rng.uniform());
}

/// A direction; of every third only few coordinates are not 0, of every third each is of a scale of its own.
Tensor direction(Trials& trials, Index k, Index size) {
  Tensor all = random_direction(trials.rng(), Shape{size});
  if (k % 3 == 0) return all;
  if (k % 3 == 1) {
    const Var scaled = Var(all) * exp(trials.rng().uniform(Shape{size}, -4.0 * std::numbers::ln10, 0.0));
    return (scaled / std::max(norm(scaled).item(), 1e-300)).value();
  }
  const auto share = std::pow(static_cast<double>(size), trials.rng().uniform() - 1.0);
  const Var few = Var(all) * less(trials.rng().uniform(Shape{size}), Var(share));
  const double length = norm(few).item();
  return length > 0.0 ? (few / length).value() : all;
}

/// Rows d z_i / d w of the distances to kinks, by differences: they are linear in the weights next to the
/// data.
Tensor rows_of_distances(Trials& trials, const Tensor& w, const Tensor& distances,
                         FunctionRef<Tensor(const Tensor&)> at) {
  const double h = 1e-6 * trials.radius();
  std::vector<Var> rows;
  for (Index j = 0; j < w.size(); ++j) {
    std::vector<double> moved(w.data().begin(), w.data().end());
    moved[static_cast<std::size_t>(j)] += h;
    rows.push_back((Var(at(Tensor::from(moved, w.shape()))) - Var(distances)) / h);
  }
  return transpose(stack(rows)).value();  // [elements, P]
}

/// d with <row_i, d> < 0 for the rows chosen, by the perceptron; nullopt if it finds none.
std::optional<Tensor> direction_below(const Tensor& rows, const std::vector<bool>& chosen) {
  constexpr int kPasses = 200;
  const Index n = rows.size(0), p = rows.size(1);
  std::vector<double> d(static_cast<std::size_t>(p));
  const double* r = rows.data().data();
  for (int pass = 0; pass < kPasses; ++pass) {
    bool changed = false;
    for (Index i = 0; i < n; ++i) {
      if (!chosen[static_cast<std::size_t>(i)]) continue;
      const double* row = r + i * p;
      double along = 0.0, square = 0.0, length = 0.0;
      for (Index j = 0; j < p; ++j) {
        along += row[j] * d[static_cast<std::size_t>(j)];
        square += row[j] * row[j];
        length += d[static_cast<std::size_t>(j)] * d[static_cast<std::size_t>(j)];
      }
      if (square == 0.0 || along < -1e-3 * std::sqrt(square * length)) continue;
      changed = true;
      for (Index j = 0; j < p; ++j) d[static_cast<std::size_t>(j)] -= row[j] / std::sqrt(square);
    }
    if (!changed) break;
    if (pass + 1 == kPasses) return std::nullopt;
  }
  const Tensor found = Tensor::from(d, Shape{p});
  const double length = norm(Var(found)).item();
  if (!(length > 0.0)) return std::nullopt;
  return (Var(found) / length).value();
}

}  // namespace

Tensor random_direction(Rng& rng, const Shape& shape) {
  const Var d = rng.normal(shape);
  return (d / std::max(norm(d).item(), 1e-300)).value();
}

Tensor draw(Trials& trials, const Tensor& centre, Index k) {
  const Index points = trials.claim().points, size = centre.size() / points;
  const Var c = view(centre, 0, Shape{size});
  const Var x = c + distance(trials, k) * Var(direction(trials, k, size));
  if (points == 1) return trials.inside(x).value();
  Var y = x;
  switch (k % 4) {
    case 0:
      y = c + distance(trials, k) * Var(direction(trials, k, size));
      break;
    case 1:
      y = c + 2.0 * trials.rng().uniform() * (x - c);
      break;
    default: {
      const double apart = norm(x - c).item() * std::pow(10.0, -4.0 * trials.rng().uniform());
      y = x + apart * Var(direction(trials, k, size));
    }
  }
  return trials.inside(concat({x, y}, 0)).value();
}

Tensor draw_on_diagonal(Trials& trials) {
  const Index size = trials.centre().size() / 2;
  const Var x = view(trials.centre(), 0, Shape{size}) +
                distance(trials, trials.rng().below(2)) * Var(random_direction(trials.rng(), Shape{size}));
  return trials.inside(concat({x, x}, 0)).value();
}

std::vector<Tensor> points_where_units_die(Trials& trials) {
  constexpr Index kElements = 4000;
  constexpr int kSubsets = 4;
  const Tensor& w = trials.centre();
  std::vector<bool> everything;
  std::vector<std::pair<Index, Index>> columns;  // of each element: its operation, its column
  const auto distances_at = [&](const Tensor& at) {
    const KinkDistances found = kink_distances(
        [&](const Var& v) {
          const Sides s = trials.claim().sides(v);
          return s.lhs.var + s.rhs.var + 0.0 * sum(v);
        },
        at);
    trials.charge(1);
    std::vector<Var> parts;
    columns.clear();
    for (std::size_t k = 0; k < found.operations.size(); ++k) {
      const Tensor& d = found.operations[k].distance;
      const Index width = d.rank() == 0 ? 1 : d.size(d.rank() - 1);
      for (Index i = 0; i < d.size(); ++i) columns.emplace_back(k, i % width);
      parts.push_back(reshape(d, Shape{d.size()}));
    }
    return parts.empty() ? Tensor() : concat(parts, 0).value();
  };
  std::vector<Tensor> points;
  try {
    const Tensor here = distances_at(w);
    const auto elements = static_cast<Index>(columns.size());
    if (elements == 0 || elements > kElements || w.size() > trials.left() / 20) return points;
    const Tensor rows = rows_of_distances(trials, w, here, distances_at);
    for (int subset = 0; subset < kSubsets; ++subset) {
      std::vector<bool> dies(1000);
      for (std::size_t j = 0; j < dies.size(); ++j) dies[j] = subset == 0 || trials.rng().below(2) == 0;
      std::vector<bool> chosen;
      for (const auto& [operation, column] : columns)
        chosen.push_back(dies[static_cast<std::size_t>(column) % dies.size()]);
      const std::optional<Tensor> d = direction_below(rows, chosen);
      if (!d) continue;
      for (int decade = -1; decade <= 2; ++decade)
        points.push_back(trials.inside(Var(w) + trials.radius() * std::pow(10.0, decade) * Var(*d)).value());
    }
  } catch (const std::exception&) {
    // Where the sides cannot be computed there is nothing to learn of their kinks.
  }
  return points;
}

}  // namespace cotangent::theory
