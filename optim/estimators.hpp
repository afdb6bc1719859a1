// Estimators: how a run learns f's gradient, from all samples, a few of them, corrected by what earlier
// points told, or from values alone.
#pragma once
#include "optim/contract.hpp"

namespace cotangent::optim {

/// The gradient over all samples, exact. An epoch is one iteration. Cost: n component gradients.
Choice<Estimator> full();

struct BatchSampling {
  /// Samples an iteration.
  Index batch = 32;
  /// false: each epoch walks through a fresh permutation; true: every sample is drawn from all n anew.
  bool replacement = false;
};
/// The gradient of the mean over a batch. Without replacement an epoch has ceil(n / batch) iterations and
/// visits each sample once; its last batch is what remains, and its mean is over its own size. A batch of n
/// or more is the whole sum in order, exact, and nothing is drawn. With replacement an epoch has ceil(n /
/// batch) iterations of exactly `batch` independent draws. Cost: batch component gradients.
/// Source: optimisation.md A2, A3.
Choice<Estimator> mini_batch(const BatchSampling& options = {});

struct SvrgSampling {
  /// Steps between two snapshots; 0 stands for 2 n / batch.
  Index inner = 0;
  /// Samples a step, drawn with replacement.
  Index batch = 1;
};
/// Stochastic variance-reduced gradients. An epoch begins at a snapshot s <- w with G <- grad f(s); an
/// iteration draws a batch B and estimates grad f_B(w) - grad f_B(s) + G, which is unbiased, and exact at s.
///
/// Cost: n component gradients a snapshot, 2 batch an iteration. State: s and G, 2 P numbers.
/// Source: Johnson, Zhang 2013; Reddi et al. 2016; optimisation.md A6.
Choice<Estimator> svrg(const SvrgSampling& options = {});

struct SagaSampling {
  /// false: the sample that is drawn serves the estimate and renews its entry of the table, as usual; true:
  /// an independent second one renews, as in Reddi's analysis.
  bool two_draws = false;
  /// Refuses, with the forecast, to hold a table of more bytes.
  std::optional<Index> memory = std::nullopt;
};
/// A table a_i of each component's gradient at an earlier point, at first the start, and its mean G: draws i
/// and estimates grad f_i(w) - a_i + G, which is unbiased; then a_i <- grad f_i(w), or a_j of a second draw.
/// An epoch is n iterations.
///
/// Cost: n component gradients at the start, then 1 an iteration (2 with two draws). State: (n + 1) P
/// numbers.
/// Throws: DomainError when the run begins if n = 1 (that is `full`) or the table is above .memory.
/// Source: Defazio, Bach, Lacoste-Julien 2014; Reddi et al. 2016; optimisation.md A7.
Choice<Estimator> saga(const SagaSampling& options = {});

struct PageSampling {
  /// b', samples of a step that goes on from the one before, drawn with replacement; 0 stands for
  /// floor(sqrt(n)).
  Index batch = 0;
  /// p, the chance to begin anew; unset: b' / (n + b').
  std::optional<double> restart = std::nullopt;
  /// b, samples of a new beginning, drawn with replacement; unset or n: all of them.
  std::optional<Index> large_batch = std::nullopt;
};
/// The first estimate is g = grad f_b(w); later, with chance p anew g <- grad f_b(w), else g <- g + grad
/// f_B(w) - grad f_B(w-) for a batch B of b' and the point before, w-. It is biased, by what it remembers. An
/// epoch is ceil(1 / p) iterations, so that it begins anew about once.
///
/// Cost: b component gradients with chance p, else 2 b'. State: w- and g, 2 P numbers.
/// Throws: DomainError when the run begins unless 0 < p <= 1, b' <= n, 1 <= b <= n, n > 1.
/// Source: Li, Bao, Zhang, Richtarik 2021; optimisation.md A8.
Choice<Estimator> page(const PageSampling& options = {});

struct ZerothOrderSampling {
  /// The distance h of the two points.
  double distance = 1e-4;
  /// Directions an iteration, of which the mean is taken.
  Index directions = 1;
};
/// (P / (2 h)) (f(w + h u) - f(w - h u)) u with u uniform on the unit sphere: without gradients. Unbiased on
/// quadratics, where E |g|^2 = P |grad f|^2; otherwise the bias is O(h^2). The value is the mean of those
/// taken. An epoch is one iteration. Cost: 2 n component values a direction.
/// Source: Nesterov, Spokoiny 2017; additions.md 6.4.
Choice<Estimator> zeroth_order(const ZerothOrderSampling& options = {});

/// Another estimator with noise added: uniform on the sphere of this radius, as noisy gradient descent
/// escapes saddles with. Throws: DomainError unless radius > 0, finite.
/// Source: Ge, Huang, Jin, Yuan 2015; optimisation.md A10.
Choice<Estimator> noisy(Choice<Estimator> estimator, double radius);

/// Steps and lengths with which the theory's bounds hold, beside which practical ones are much longer and
/// shorter.
struct SvrgTheory {
  double step;   // eta = 1 / (4 L n^(2/3))
  Index inner;   // m = floor(4 n / 3), at least 1
  double gamma;  // E |grad f(w_a)|^2 <= (f(w_0) - f*) / (T gamma), by the recursion of c_t
};
/// L: the largest smoothness of a component. Throws: DomainError unless n >= 1 and L > 0.
/// Source: Reddi et al. 2016; optimisation.md A6.
SvrgTheory svrg_theory(Index n, double smoothness);

struct SagaTheory {
  double step;   // eta = 1 / (3 L n^(2/3))
  double gamma;  // Gamma, by the recursion: 1 / Gamma iterations where the closed form takes 12 L n^(2/3)
};
/// With two draws. Source: Reddi et al. 2016; optimisation.md A7, additions.md 6.1.
SagaTheory saga_theory(Index n, double smoothness);

struct PageTheory {
  double restart;     // p = b' / (n + b')
  double step;        // without PL: 1 / (L (1 + sqrt((1 - p) / (p b'))))
  double step_of_pl;  // under PL: min(1 / (L (1 + sqrt(2 (1 - p) / (p b')))), p / (2 mu))
};
/// L: the root of the mean of the components' squared smoothnesses. mu: PL's, 2 mu (f - f*) <= |grad f|^2; 0
/// where there is none. Source: Li et al. 2021; optimisation.md A8.
PageTheory page_theory(Index n, Index batch, double smoothness, double mu = 0.0);

}  // namespace cotangent::optim
