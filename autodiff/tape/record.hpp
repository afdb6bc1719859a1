// Recording: how an operation computes its value and enters the record of its operands.
#pragma once
#include "autodiff/tape/state.hpp"

namespace cotangent::detail {

/// The tape v is recorded on. Throws: TapeError naming both epochs if that tape has ended or was reset.
TapeState& live_tape(const char* operation, const Var& v);

/// A new input of the tape, with no operation behind it.
Var add_leaf(TapeState& tape, Tensor value);

/// Computes an operation and, if an input is tracked, records it. Throws: TapeError on operands of different
/// tapes or of a tape that has ended; what the forward rule throws.
Var apply(const Op& op, std::span<const Var* const> inputs, const OpAttributes& attributes = {},
          const Shape* target = nullptr);
/// What apply does where no input is tracked: most of what a pullback at first order asks for.
Var compute(const Op& op, std::span<const Var* const> inputs, const OpAttributes& attributes = {},
            const Shape* target = nullptr);
inline Var apply(const Op& op, const Var& a, const OpAttributes& attributes = {}) {
  const Var* in[] = {&a};
  return a.tracked() ? apply(op, in, attributes) : compute(op, in, attributes);
}
inline Var apply(const Op& op, const Var& a, const Var& b, const OpAttributes& attributes = {}) {
  const Var* in[] = {&a, &b};
  return a.tracked() || b.tracked() ? apply(op, in, attributes) : compute(op, in, attributes);
}
inline Var apply(const Op& op, const Var& a, const Var& b, const Var& c,
                 const OpAttributes& attributes = {}) {
  const Var* in[] = {&a, &b, &c};
  return apply(op, in, attributes);
}

}  // namespace cotangent::detail
