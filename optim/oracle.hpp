// Oracle: f as the parts of a run see it, with the account of what they asked.
#pragma once
#include "optim/objective.hpp"
#include "optim/state.hpp"

namespace cotangent::optim {

/// What a run has asked of f, in components: a call on a batch of b counts b, one on all samples n.
struct Counts {
  Index gradients = 0;  // of f_i, each with its value
  Index values = 0;     // of f_i alone
  Index products = 0;   // Hessian-vector products of f_i

  friend bool operator==(const Counts&, const Counts&) = default;
};

/// f, asked by the parts of one run and charged to it, whichever part asks. What observers ask f itself is
/// not charged.
class Oracle {
 public:
  explicit Oracle(const FiniteSum& f) : f_(f) {}
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  /// n.
  Index size() const noexcept { return f_.size(); }
  const FiniteSum& objective() const noexcept { return f_; }
  const Counts& spent() const noexcept { return spent_; }

  ValueAndGrad<Params> value_and_grad(const Params& w, const Batch& batch);
  /// Over all samples. If `w` shares its numbers with the point given to `remember`, that is the answer.
  ValueAndGrad<Params> value_and_grad(const Params& w);
  double value(const Params& w, const Batch& batch);
  double value(const Params& w);
  /// The Hessian of the mean over a batch, times v.
  Params hvp(const Params& w, const Params& v, const Batch& batch);

  /// Keeps what a line search found at the point it chose, so that the next estimate need not ask again.
  void remember(const Params& w, ValueAndGrad<Params> found);

  /// Adds what a part computed of f by other ways.
  void charge(const Counts& counts) noexcept;

  /// The account, and what is remembered of the run's present point w.
  void visit(State& state, const Params& w);

 private:
  bool knows(const Params& w) const;

  FiniteSum f_;
  Counts spent_;
  bool knows_ = false;  // what was found at the point remembered
  Params remembered_;
  ValueAndGrad<Params> found_{};
};

}  // namespace cotangent::optim
