// Losses (differentiable in the predictions; targets are constants) and two measures of a classifier. The
// formulas of those of the margin y f stand in nn/margin_loss.hpp.
#pragma once
#include "autodiff/tape.hpp"
#include "autodiff/tensor.hpp"

namespace cotangent::nn {

/// (1/N) sum_i (p_i - t_i)^2 over all N elements: with one output a sample, N = n.
///
/// Shapes: pred [s], target [s] -> [].
/// Throws: ShapeError if the shapes differ ([n, 1] against [n] too); DomainError if there is no element, or a
/// target is not finite.
Var mse(const Var& pred, const Tensor& target);

/// (1/2N) sum_i (p_i - t_i)^2 over all N elements, half of mse.
///
/// With one output a sample this is the theory's MEAN loss (1/2n) |u - y|^2, and n times it is SUM; with C
/// outputs N = n C, so MEAN is C times it.
/// Shapes: pred [s], target [s] -> [].
/// Throws: as mse.
/// Source: landscape (lecture 002), ece8101 (lecture 004).
Var half_mse(const Var& pred, const Tensor& target);

/// (1/N) sum_i log(1 + exp(-y_i f_i)) over all N elements, without overflow.
///
/// Shapes: f [s], y [s] -> [].
/// Throws: ShapeError as mse; DomainError if there is no element, or a label is not exactly -1 or +1.
/// Source: ece826 (lecture 003), O25.
Var logistic(const Var& f, const Tensor& y);

/// (1/N) sum_i max(0, 1 - y_i f_i) over all N elements.
///
/// At y_i f_i = 1: derivative -y_i / N by f_i, as inside, for relu takes 1 at 0;
/// second derivative 0 everywhere.
/// Shapes: f [s], y [s] -> [].
/// Throws: as logistic.
/// Source: proxy (lecture 000), O27; Cortes, Vapnik 1995.
Var hinge(const Var& f, const Tensor& y);

/// (1/N) sum_i max(0, 1 - y_i f_i)^2 over all N elements.
///
/// At y_i f_i = 1: second derivative 2 / N by f_i, as inside.
/// Shapes: f [s], y [s] -> [].
/// Throws: as logistic.
/// Source: proxy (lecture 000), O27.
Var squared_hinge(const Var& f, const Tensor& y);

/// (1/N) sum_i exp(-y_i f_i) over all N elements; inf where y_i f_i < -709.78.
///
/// Shapes: f [s], y [s] -> [].
/// Throws: as logistic.
/// Source: proxy (lecture 000), O27; Freund, Schapire 1997.
Var exponential(const Var& f, const Tensor& y);

/// (1/n) sum_i (log sum_c exp(z_ic) - sum_c p_ic z_ic), without overflow. Labels
/// k stand for p_ic = 1{c = k_i}.
///
/// Shapes: logits z [n, C], C >= 2, finite; labels [n], whole numbers 0 .. C-1,
/// or probabilities [n, C] -> [].
/// Throws: ShapeError for other shapes; DomainError if there is no sample, only one class, a
/// label that is none of these numbers, or a row of probabilities that is negative somewhere or
/// does not sum to 1 within 1e-9.
Var cross_entropy(const Var& logits, const Tensor& labels);

/// Share of samples whose largest logit is the label's; the first one of equals counts, NaN never does.
///
/// Shapes: logits [n, C], labels [n], whole numbers 0 .. C-1.
/// Throws: as cross_entropy; TapeError if the logits are tracked, for it has no derivative: pass .value().
double accuracy(const Var& logits, const Tensor& labels);

/// Share of wrong predictions: (1/N) sum_i 1{y_i f_i < 0} for labels -1 and +1, or 1 - accuracy for classes.
///
/// Shapes: pred [s], labels [s] of -1 and +1; or pred [n, C] with C >= 2, labels [n] of classes.
/// At 0: f_i = 0 is not counted as wrong, as in the lecture; NaN is.
/// Throws: as logistic or cross_entropy; TapeError if pred is tracked.
/// Source: proxy (lecture 000), O27.
double zero_one(const Var& pred, const Tensor& labels);

}  // namespace cotangent::nn
