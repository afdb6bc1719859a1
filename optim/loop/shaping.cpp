// What groups say of each number, and the arithmetic of clipping, decay and factors.
#include "optim/loop/shaping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/jacobian.hpp"
#include "autodiff/samples/sweep.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::optim {
namespace {

void check_group(const char* name, const Group& g) {
  if (!(g.step_factor >= 0.0 && std::isfinite(g.step_factor)))
    throw DomainError(
        fmt::format("[{}] the group \"{}\" has the step factor {}; give a finite number, 0 or above", name,
                    g.pattern, g.step_factor));
  if (g.weight_decay && !(*g.weight_decay >= 0.0 && std::isfinite(*g.weight_decay)))
    throw DomainError(
        fmt::format("[{}] the group \"{}\" has the weight decay {}; give a finite number, 0 or above", name,
                    g.pattern, *g.weight_decay));
}

Params product(const Params& v, const Tensor& factors) {
  Tensor to = detail::uninitialized(factors.shape());
  const double *a = v.flat().data().data(), *b = factors.data().data();
  for (Index j = 0; j < v.size(); ++j) detail::mutable_data(to)[j] = a[j] * b[j];
  return v.with(std::move(to));
}

}  // namespace

Shaping::Shaping(const Recipe& recipe, const Params& w)
    : clip_norm_(recipe.clip_norm),
      weight_decay_(recipe.weight_decay),
      decoupled_(recipe.decoupled_decay),
      decays_(recipe.weight_decay > 0.0) {
  const std::vector<Group>& groups = recipe.groups.list();
  if (groups.empty()) return;
  std::vector<double> factor(static_cast<std::size_t>(w.size()), 1.0),
      decay(static_cast<std::size_t>(w.size()), weight_decay_);
  for (const Group& g : groups) {
    check_group(recipe.name, g);
    std::vector<ParamEntry> names;
    detail::select_columns(w.table(), w.size(), {g.pattern}, names);  // throws where nothing matches
    for (const ParamEntry& e : w.table()) {
      if (!matches(g.pattern, e.name)) continue;
      std::fill_n(factor.begin() + e.offset, e.size(), g.step_factor);
      if (g.weight_decay) std::fill_n(decay.begin() + e.offset, e.size(), *g.weight_decay);
    }
  }
  decays_ = decays_ || std::any_of(decay.begin(), decay.end(), [](double d) { return d > 0.0; });
  step_factor_ = Tensor::from(factor, {w.size()});
  decay_of_each_ = Tensor::from(decay, {w.size()});
}

Params Shaping::gradient(Params g, double norm, const Params& w) const {
  if (clip_norm_ && norm > *clip_norm_) g = (*clip_norm_ / norm) * g;
  return decoupled_ ? g : decayed(std::move(g), w);
}

Params Shaping::direction(Params d, const Params& w) const {
  if (decoupled_) d = decayed(std::move(d), w);
  return step_factor_.size() == 0 ? d : product(d, step_factor_);
}

Params Shaping::decayed(Params g, const Params& w) const {
  if (decay_of_each_.size() > 0) return g + product(w, decay_of_each_);
  return weight_decay_ > 0.0 ? axpy(weight_decay_, w, std::move(g)) : g;
}

}  // namespace cotangent::optim
