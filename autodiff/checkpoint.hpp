// checkpoint: a part of a function recorded as one operation and computed again in the backward pass.
#pragma once
#include <utility>
#include <vector>

#include "autodiff/function.hpp"
#include "autodiff/var.hpp"

namespace cotangent {

/// A function of several variables, owned: it is called again when derivatives are taken.
using ManyFunction = Function<Var(const std::vector<Var>& inputs)>;

/// f(inputs) as one node of the tape: nothing f computes on the way is kept. The backward pass records f
/// again on a tape of its own, and drops that when it is through; a derivative that is itself recorded is
/// again one such node, so this holds at any order.
///
/// Shapes: as f. Each input may be of any shape; hand over the slices of parameters f needs rather than all
/// of w, for the cotangent of an input has the input's size.
/// Cost: f once more for the backward pass, and at order k some 2^k times; memory: inputs and result, and
/// while the backward pass goes through this node, what f itself records; from the heap, in a steady step,
/// the lists of inputs f takes: three at first order.
/// Limits: f must give the same result for the same inputs (no Rng that moves on). The gradient has the bits
/// of that of f(inputs) unless an input is also used elsewhere, for sums then associate differently; higher
/// orders agree to rounding. Per-sample Jacobians of several samples cannot see into the node and refuse it.
/// Throws: TapeError if f uses a tracked variable that is not among its inputs; what f throws.
/// Source: Griewank, Walther 2000; Chen, Xu, Zhang, Guestrin 2016.
Var checkpoint(ManyFunction f, const std::vector<Var>& inputs);
/// checkpoint(f, w, x) for an f(w, x), and so on for any number of inputs.
template <class F, class... More>
requires std::is_invocable_r_v<Var, const F&, const Var&, const More&...> Var
checkpoint(F f, const Var& first, const More&... more) {
  return checkpoint(ManyFunction([f = std::move(f)](const std::vector<Var>& inputs) -> Var {
                      return [&]<std::size_t... k>(std::index_sequence<k...>) { return f(inputs[k]...); }
                      (std::make_index_sequence<1 + sizeof...(More)>());
                    }),
                    std::vector<Var>{first, Var(more)...});
}

}  // namespace cotangent
