// The theorem of lecture 000: gradient descent on a two-layer leaky ReLU net reaches every accuracy
// on linearly separable data (O33 to O35), and its perceptron argument (O36), checked on a user's
// own net and data.
#pragma once
#include <optional>

#include "autodiff/params.hpp"
#include "theory/leaky_relu_problem.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

/// O34: Lhat is (Lhat, l(rho alpha gamma), V)-proxy convex: certified everywhere if every hypothesis holds,
/// for the theorem then has no exception. `claimed` replaces h = l(rho alpha gamma): a smaller one is looked
/// for a counterexample to, with falsify() around 0 and V.
/// Throws: DomainError unless rho > 0.
/// Source: proxy (lecture 000), O34.
Verdict check_leaky_relu_proxy(const LeakyReluProblem& problem, double rho, Rng& rng,
                               std::optional<double> claimed = std::nullopt,
                               const FalsifyOptions& options = {});

/// lecture: step <= 2 eps/3 and T >= (3/2) |W_0 - V|^2 / (step eps).
/// sharper: step <= 1 and T >= 3 |W_0 - V|^2 / (step eps), by |grad Lhat|^2 <= Lhat.
enum class LeakyReluForm { lecture, sharper };

struct LeakyReluOptions {
  /// eps, 0 < eps < 3.
  double accuracy = 0.1;
  LeakyReluForm form = LeakyReluForm::lecture;
  /// Unless set, the longest the form allows, and the fewest.
  std::optional<double> step = std::nullopt;
  std::optional<Index> iterations = std::nullopt;
  /// The bound on min_{t<T} Lhat(W_t) that is claimed; unless set, eps.
  std::optional<double> claimed = std::nullopt;
  /// Goes on to T after the claim has come true, which nothing later can change.
  bool whole_run = false;
  /// The run is broken off after so many iterations; the verdict is then inconclusive.
  Index budget = 1'000'000;
  bool progress = false;
};

/// For any W_0: min_{t<T} Lhat(W_t) <= eps. Verifies the hypotheses one by one, computes V, rho, step and T,
/// runs gradient descent and evaluates at every iterate, for every sample, what the proof uses:
///
///   y_i <grad f(x_i; W), V> >= rho alpha gamma;   |grad f(x_i; W)| <= 1;
///   l'(z_i) (z_i - rho alpha gamma) >= l(z_i) - l(rho alpha gamma), z_i = y_i f(x_i; W);
///   <grad Lhat, W> = mean l'(z_i) z_i and <grad Lhat, V> = mean l'(z_i) y_i <grad f(x_i), V>: closed forms
///   against the engine;   |grad Lhat| <= mean -l'(z_i) <= 1;   and those of check_proxy_descent.
///
/// Series: "risk", "|grad|", "proxy slack"; predicted "bound", on the least risk so far. Numbers: "rho" =
/// log(3 / eps) / (alpha gamma), "h" = l(rho alpha gamma) = log(1 + eps / 3), "distance" = |W_0 - V|_F^2,
/// "step", "T", "least", "least at".
/// Cost: the run, and a forward pass more an iterate.
/// Throws: ShapeError unless w0 is [m d]; DomainError for options that are not numbers.
/// Source: proxy (lecture 000), O35.
Verdict check_leaky_relu_theorem(const LeakyReluProblem& problem, const Params& w0,
                                 const LeakyReluOptions& options = {});

struct PerceptronOptions {
  double step = 1.0;
  Index iterations = 1000;
  /// The bound on the mean of G_t that is claimed; unless set, the theorem's.
  std::optional<double> claimed = std::nullopt;
  bool progress = false;
};

/// (1/T) sum_{t<T} G_t <= (2 |W_0|_F + sqrt(T (2 step c + step^2))) / (alpha gamma step T), c = max z/(1 +
/// e^z), for every step > 0 and T; hence the smallest error of the run is at most twice that.
///
/// At every iterate: <W_{t+1} - W_t, V/rho> >= step alpha gamma G_t, |W_{t+1}|^2 <= |W_t|^2 + 2 step c +
/// step^2, the error at most 2 G_t (O28), and the bound for every T up to the last. The account's parts add
/// up to bound - mean of G.
/// Series: "G" = mean -l'(z_i(W_t)), "error" = share of samples with z_i <= 0; predicted "bound", on the mean
/// of G so far.
/// Throws: as check_leaky_relu_theorem.
/// Source: proxy (lecture 000, homework), O36.
Verdict check_perceptron(const LeakyReluProblem& problem, const Params& w0,
                         const PerceptronOptions& options = {});

}  // namespace cotangent::theory
