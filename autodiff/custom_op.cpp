// CustomOp: the engine's Op with the row rules a script can choose from.
#include "autodiff/custom_op.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops_zip.hpp"

namespace cotangent {
namespace {

int along_rows(const detail::NodeView& node, int axis, int j) {
  return axis == 0 && node.in(j).rank() > 0 ? 0 : detail::kBlocked;
}

detail::OpSpec spec_of(const CustomOpSpec& spec) {
  detail::OpSpec full{.name = spec.name,
                      .forward = spec.forward,
                      .pullback = spec.pullback,
                      .keep = detail::Keep::kInputsAndOutput};
  if (spec.samples == OpSamples::elementwise) full.row_rule = detail::same_axis;
  if (spec.samples == OpSamples::rows) full.row_rule = along_rows;
  return full;
}

}  // namespace

CustomOp::CustomOp(const CustomOpSpec& spec) : op_(spec_of(spec)) {}

Tensor map_elements(const Tensor& x, double (*f)(double)) { return detail::map(x, f); }
Tensor map_elements(const Tensor& a, const Tensor& b, double (*f)(double, double)) {
  const Var left(a), right(b);
  const Var* const both[] = {&left, &right};
  return detail::zip("map_elements", detail::Inputs{both}, f);
}

}  // namespace cotangent
