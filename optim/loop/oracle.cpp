// The account of a run.
#include "optim/oracle.hpp"

#include <utility>

namespace cotangent::optim {

ValueAndGrad<Params> Oracle::value_and_grad(const Params& w, const Batch& batch) {
  spent_.gradients += batch.size();
  return f_.value_and_grad(w, batch);
}

ValueAndGrad<Params> Oracle::value_and_grad(const Params& w) {
  if (knows(w)) {
    knows_ = false;
    remembered_ = Params();
    return std::move(found_);
  }
  return value_and_grad(w, Batch::all(size()));
}

double Oracle::value(const Params& w, const Batch& batch) {
  spent_.values += batch.size();
  return f_.value(w.flat(), batch);
}

double Oracle::value(const Params& w) { return value(w, Batch::all(size())); }

Params Oracle::hvp(const Params& w, const Params& v, const Batch& batch) {
  spent_.products += batch.size();
  Params sum;
  f_.in_pieces(batch, [&](const Batch& piece, double share) {
    Params product = cotangent::hvp([&](const Var& x) { return f_(x, piece); }, w, v);
    if (share != 1.0) product = share * product;
    sum = sum.size() == 0 ? std::move(product) : axpy(1.0, product, std::move(sum));
  });
  return sum;
}

void Oracle::charge(const Counts& counts) noexcept {
  spent_.gradients += counts.gradients;
  spent_.values += counts.values;
  spent_.products += counts.products;
}

void Oracle::visit(State& state, const Params& w) {
  state("spent.gradients", spent_.gradients);
  state("spent.values", spent_.values);
  state("spent.products", spent_.products);
  bool known = knows(w);
  ValueAndGrad<Params> found = known ? found_ : ValueAndGrad<Params>{0.0, Params()};
  state("known", known);
  state("known.value", found.value);
  state("known.gradient", found.grad);
  knows_ = false;
  if (known) remember(w, std::move(found));
}

bool Oracle::knows(const Params& w) const {
  return knows_ && remembered_.flat().data().data() == w.flat().data().data();
}

void Oracle::remember(const Params& w, ValueAndGrad<Params> found) {
  knows_ = true;
  remembered_ = w;
  found_ = std::move(found);
}

}  // namespace cotangent::optim
