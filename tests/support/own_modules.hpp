// Modules as a script writes its own.
#pragma once
#include <utility>

#include "autodiff/ops.hpp"
#include "nn/init.hpp"
#include "nn/layers.hpp"
#include "nn/module.hpp"

namespace cotangent::test {

/// y_ij = s_j x_ij.
struct Scale : nn::Module {
  explicit Scale(Index size) : factor(declare("factor", {size}, nn::ones())) {}
  Var operator()(const Var& w, const Var& x) const override { return mul_rows(x, param(w, factor)); }
  nn::ParamId factor;
};

/// y = x + body(x).
struct Residual : nn::Module {
  explicit Residual(nn::Sequential inner) : body(declare("body", std::move(inner))) {}
  Var operator()(const Var& w, const Var& x) const override { return x + call(body, w, x); }
  nn::ChildId body;
};

}  // namespace cotangent::test
