// One record under observation, and a backward pass for each number of its result.
#include "autodiff/rounding.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops/own_rounding.hpp"
#include "autodiff/tape/record.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {

RoundedValue rounding_bound(VarFunction f, const Tensor& w) {
  Tape tape;
  detail::TapeState& state = detail::VarAccess::state(tape);
  detail::RoundingProbe probe;
  const Var at = tape.input(w);
  const Var y = [&] {
    const detail::Probing watch(state, probe);
    return f(at);
  }();
  if (y.tracked() && &detail::live_tape("rounding_bound", y) != &state)
    throw TapeError("[rounding_bound] f returned a variable of another tape; let it use the w it is given");
  Tensor rounding = detail::uninitialized(y.shape());
  for (Index k = 0; k < y.size(); ++k) {
    Tensor one = Tensor::zeros(y.shape());
    detail::mutable_data(one)[k] = 1.0;
    detail::mutable_data(rounding)[k] = probe.bound(state, y, one);
  }
  return {y.value(), rounding};
}

RoundedValue rounding_bound(VarFunction f, const Params& w) { return rounding_bound(f, w.flat()); }

}  // namespace cotangent
