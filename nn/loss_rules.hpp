// The losses as single nodes of a record: see autodiff/ops/loss_node.hpp.
#pragma once
#include "autodiff/ops/loss_node.hpp"
#include "nn/margin_loss.hpp"

namespace cotangent::nn {

/// Of outputs f and labels y in one shape.
const cotangent::detail::LossRule& margin_rule(MarginLoss loss) noexcept;
/// Of predictions and targets in one shape.
extern const cotangent::detail::LossRule kMseRule;
extern const cotangent::detail::LossRule kHalfMseRule;
/// Of logits and probabilities [n, C].
extern const cotangent::detail::LossRule kCrossEntropyRule;

}  // namespace cotangent::nn
