// The operation behind a loss of one node; the losses themselves are in nn.
#include "autodiff/ops/loss_node.hpp"

#include <memory>

#include "autodiff/ops.hpp"
#include "autodiff/tape/record.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::detail {
namespace {

const LossRule& rule_of(const OpAttributes& a) { return *static_cast<const LossRule*>(a.payload.get()); }

const Op kLoss({
    .name = "loss",
    .forward = [](const OpInputs& in,
                  const OpAttributes& a) { return Tensor::scalar(rule_of(a).value(in[0], in[1])); },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const LossRule& rule = rule_of(p.attributes());
          const Var& x = p.in(0);
          if (x.tracked() || g.tracked()) return out.add(0, g * rule.slope(x, p.in(1)));
          Tensor slope = uninitialized(x.shape());
          rule.pull_back(mutable_data(slope), g.item(), x.value(), p.in(1).value());
          out.add(0, std::move(slope));
        },
    .keep = Keep::kInputs,
});

bool brief(const Var& x) {
  const TapeState& tape = live_tape("loss", x);
  return tape.brief && !tape.probe;
}

}  // namespace

Var loss_node(const LossRule& rule, const Var& x, const Tensor& target) {
  if (!x.tracked() || !brief(x)) return rule.by_operations(x, target);
  // The rule outlives every record, so nobody owns it.
  return apply(kLoss, x, target, {.payload = {std::shared_ptr<const void>(), &rule}});
}

}  // namespace cotangent::detail
