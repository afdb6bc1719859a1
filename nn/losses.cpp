// The losses: checks first, then a rule each.
#include "nn/losses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/loss_node.hpp"
#include "autodiff/tensor/access.hpp"
#include "nn/loss_rules.hpp"

namespace cotangent::nn {

using cotangent::detail::loss_node;

namespace {

/// Two operands of one shape with at least one element.
void check_pair(const char* loss, const char* left, const Shape& a, const char* right, const Shape& b) {
  if (!(a == b)) {
    const bool same_numbers = a.size() == b.size();
    throw ShapeError(fmt::format(
        "[{}] {} is {}, {} is {}; {}", loss, left, a.to_string(), right, b.to_string(),
        same_numbers
            ? fmt::format("they hold the same number of elements: reshape {} to {}", right, a.to_string())
            : std::string("give one target for each prediction, in equal shapes")));
  }
  if (a.size() == 0)
    throw DomainError(fmt::format("[{}] {} and {} are {}, without elements; give at least one sample", loss,
                                  left, right, a.to_string()));
}

void check_finite(const char* loss, const Tensor& target) {
  const std::span<const double> t = target.data();
  const auto bad = std::find_if(t.begin(), t.end(), [](double v) { return !std::isfinite(v); });
  if (bad != t.end())
    throw DomainError(
        fmt::format("[{}] target{} is {}, target is {}; targets must be finite, so mend or leave out "
                    "such samples",
                    loss, target.shape().position(bad - t.begin()), *bad, target.shape().to_string()));
}

void check_signs(const char* loss, const char* what, const Tensor& y) {
  const std::span<const double> labels = y.data();
  const auto bad = std::find_if(labels.begin(), labels.end(), [](double v) { return v != 1.0 && v != -1.0; });
  if (bad == labels.end()) return;
  const bool zeros_and_ones =
      std::all_of(labels.begin(), labels.end(), [](double v) { return v == 0.0 || v == 1.0; });
  throw DomainError(fmt::format("[{}] {}{} is {}, {} is {}; labels must be exactly -1 or +1{}", loss, what,
                                y.shape().position(bad - labels.begin()), *bad, what, y.shape().to_string(),
                                zeros_and_ones ? ": these are 0 and 1, so pass 2 * labels - 1" : ""));
}

void check_logits(const char* loss, const Shape& logits, const Shape& labels, bool allow_probabilities) {
  const bool classes = logits.rank() == 2 && labels.rank() == 1 && labels[0] == logits[0];
  const bool probabilities = allow_probabilities && logits.rank() == 2 && labels == logits;
  if (!classes && !probabilities) {
    std::string fix = allow_probabilities ? "logits must be [n, C], labels [n] (or probabilities [n, C])"
                                          : "logits must be [n, C], labels [n]";
    if (logits.rank() == 2 && labels.rank() == 2 && labels[0] == logits[0] && labels[1] == 1)
      fix = fmt::format("reshape labels to [{}]", labels[0]);
    throw ShapeError(fmt::format("[{}] logits are {}, labels are {}; {}", loss, logits.to_string(),
                                 labels.to_string(), fix));
  }
  if (logits[0] == 0)
    throw DomainError(
        fmt::format("[{}] logits are {}, without samples; give at least one", loss, logits.to_string()));
  if (logits[1] < 2)
    throw DomainError(fmt::format(
        "[{}] logits are {}: with fewer than two classes there is nothing to learn; give two outputs, or "
        "use logistic with one",
        loss, logits.to_string()));
}

void check_classes(const char* loss, const Tensor& labels, Index classes) {
  const std::span<const double> k = labels.data();
  const auto top = static_cast<double>(classes);
  const auto bad = std::find_if(k.begin(), k.end(),
                                [top](double v) { return !(v >= 0.0 && v < top && v == std::floor(v)); });
  if (bad != k.end())
    throw DomainError(
        fmt::format("[{}] labels[{}] is {}, with {} classes; labels must be whole numbers 0 .. {}{}", loss,
                    bad - k.begin(), *bad, classes, classes - 1,
                    *bad == top ? ": if yours begin at 1, pass labels - 1" : ""));
}

void check_probabilities(const char* loss, const Tensor& p) {
  const Index n = p.size(0), classes = p.size(1);
  const double* row = p.data().data();
  for (Index i = 0; i < n; ++i, row += classes) {
    double sum = 0.0;
    for (Index c = 0; c < classes; ++c) {
      if (!(row[c] >= 0.0))
        throw DomainError(
            fmt::format("[{}] labels[{}, {}] is {}, labels are {}; probabilities must be at least 0", loss, i,
                        c, row[c], p.shape().to_string()));
      sum += row[c];
    }
    if (!(std::abs(sum - 1.0) <= 1e-9))
      throw DomainError(
          fmt::format("[{}] row {} of labels sums to {}, labels are {}; probabilities must sum to 1: divide "
                      "each row by its sum",
                      loss, i, sum, p.shape().to_string()));
  }
}

Tensor one_hot(const Tensor& labels, Index classes) {
  Tensor p = detail::uninitialized(Shape{labels.size(), classes});
  double* out = detail::mutable_data(p);
  std::fill(out, out + p.size(), 0.0);
  for (const double k : labels.data()) {
    out[static_cast<Index>(k)] = 1.0;
    out += classes;
  }
  return p;
}

void refuse_tracked(const char* measure, const Var& pred) {
  if (pred.tracked())
    throw TapeError(
        fmt::format("[{}] the predictions {} are tracked, but this measure has no derivative; pass "
                    ".value(), or train on a loss",
                    measure, pred.shape().to_string()));
}

double count_right(const Tensor& logits, const Tensor& labels) {
  const Index n = logits.size(0), classes = logits.size(1);
  const double* row = logits.data().data();
  Index right = 0;
  for (Index i = 0; i < n; ++i, row += classes) {
    const auto label = static_cast<Index>(labels.data()[static_cast<std::size_t>(i)]);
    bool largest = true;
    for (Index c = 0; c < classes; ++c) largest &= c < label ? row[c] < row[label] : row[c] <= row[label];
    right += largest ? 1 : 0;
  }
  return static_cast<double>(right);
}

Var of_margins(const char* operation, MarginLoss loss, const Var& f, const Tensor& y) {
  check_pair(operation, "f", f.shape(), "y", y.shape());
  check_signs(operation, "y", y);
  return loss_node(margin_rule(loss), f, y);
}

}  // namespace

Var mse(const Var& pred, const Tensor& target) {
  check_pair("mse", "pred", pred.shape(), "target", target.shape());
  check_finite("mse", target);
  return loss_node(kMseRule, pred, target);
}

Var half_mse(const Var& pred, const Tensor& target) {
  check_pair("half_mse", "pred", pred.shape(), "target", target.shape());
  check_finite("half_mse", target);
  return loss_node(kHalfMseRule, pred, target);
}

Var logistic(const Var& f, const Tensor& y) { return of_margins("logistic", MarginLoss::logistic, f, y); }
Var hinge(const Var& f, const Tensor& y) { return of_margins("hinge", MarginLoss::hinge, f, y); }
Var squared_hinge(const Var& f, const Tensor& y) {
  return of_margins("squared_hinge", MarginLoss::squared_hinge, f, y);
}
Var exponential(const Var& f, const Tensor& y) {
  return of_margins("exponential", MarginLoss::exponential, f, y);
}

Var cross_entropy(const Var& logits, const Tensor& labels) {
  check_logits("cross_entropy", logits.shape(), labels.shape(), true);
  const bool classes = labels.rank() == 1;
  if (classes)
    check_classes("cross_entropy", labels, logits.size(1));
  else
    check_probabilities("cross_entropy", labels);
  const Tensor p = classes ? one_hot(labels, logits.size(1)) : labels;
  return loss_node(kCrossEntropyRule, logits, p);
}

double accuracy(const Var& logits, const Tensor& labels) {
  refuse_tracked("accuracy", logits);
  check_logits("accuracy", logits.shape(), labels.shape(), false);
  check_classes("accuracy", labels, logits.size(1));
  return count_right(logits.value(), labels) / static_cast<double>(labels.size());
}

double zero_one(const Var& pred, const Tensor& labels) {
  refuse_tracked("zero_one", pred);
  if (pred.rank() == 2 && labels.rank() == 1 && pred.size(1) != 1) {
    check_logits("zero_one", pred.shape(), labels.shape(), false);
    check_classes("zero_one", labels, pred.size(1));
    const auto n = static_cast<double>(labels.size());
    return (n - count_right(pred.value(), labels)) / n;
  }
  check_pair("zero_one", "pred", pred.shape(), "labels", labels.shape());
  check_signs("zero_one", "labels", labels);
  const std::span<const double> f = pred.value().data(), y = labels.data();
  Index wrong = 0;
  for (std::size_t i = 0; i < f.size(); ++i) wrong += y[i] * f[i] >= 0.0 ? 0 : 1;
  return static_cast<double>(wrong) / static_cast<double>(f.size());
}

}  // namespace cotangent::nn
