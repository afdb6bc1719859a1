// The best proxy for a run that was made: which v and h explain what gradient descent did (O29, the search).
#pragma once
#include <vector>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "autodiff/tape.hpp"

namespace cotangent::theory {

struct ProxySearchOptions {
  double step = 0.1;
  /// T: as many gradients are kept, and a matrix [T, T].
  Index iterations = 200;
  /// The search ends when value and lower differ by at most this, or after so many exchanges of weight.
  double gap = 1e-6;
  Index exchanges = 100'000;
};

struct ProxySearch {
  /// min_v max_t [g(w_t) + <grad f(w_t), v - w_t>] + |w_0 - v|^2 / (2 step T), bracketed by lower <= exact <= value.
  double value = 0.0;
  double lower = 0.0;
  /// The v of `value`, and its h = max_t [...]: on this run f is (g, h, v)-proxy convex.
  Params v;
  double h = 0.0;
  /// [T], weights of the iterates: those that bind are positive.
  std::vector<double> weights;
  /// value + (step/2) mean |grad f(w_t)|^2, which bounds min_t g(w_t); and that minimum.
  double bound = 0.0;
  double least = 0.0;
};

/// Runs w_{t+1} = w_t - step grad f(w_t) and finds the v for which the proxy theorem says most of this run: a convex
/// quadratic program, solved through its dual over the simplex by pairwise Frank-Wolfe steps with exact line search.
///
/// A value that stays high whatever the v shows that no proxy of this kind explains the run: dead ReLU units give
/// value = g(w_0).
/// Cost: the run; T^2 P for the gradients' Gram matrix; O(T) an exchange.
/// Throws: DomainError on options outside their ranges or a run that stops being finite.
/// Source: proxy (lecture 000), O29; Lacoste-Julien, Jaggi 2015 (pairwise steps).
ProxySearch search_proxy(const Function<Var(const Var& w)>& f, const Params& w0,
                         const ProxySearchOptions& options = {}, const Function<Var(const Var& w)>& g = {});

}  // namespace cotangent::theory
