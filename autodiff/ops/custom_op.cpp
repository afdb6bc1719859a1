// CustomOp: the engine's Op with the row rules a script can choose from.
#include "autodiff/custom_op.hpp"

#include <fmt/format.h>

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops/zip.hpp"
#include "autodiff/tape/registry.hpp"

namespace cotangent {
namespace {

int along_rows(const detail::NodeView& node, int axis, int j) {
  return axis == 0 && node.in(j).rank() > 0 ? 0 : detail::kBlocked;
}

int along_rows_of_first(const detail::NodeView& node, int axis, int j) {
  if (axis != 0 || node.in(0).rank() == 0) return detail::kBlocked;
  return j == 0 ? 0 : detail::kFactor;
}

bool is_smooth(const CustomOpSpec& spec) { return spec.at_kink && std::string_view(spec.at_kink) == "none"; }

detail::OpSpec spec_of(const CustomOpSpec& spec) {
  detail::OpSpec full{.name = spec.name,
                      .forward = spec.forward,
                      .roundings = spec.roundings.value_or(detail::kRoundingsNotStated),
                      .own_error = spec.own_error,
                      .pullback = spec.pullback,
                      .keep = detail::Keep::kInputsAndOutput,
                      .at_kink = is_smooth(spec) ? nullptr : spec.at_kink,
                      .kink_distance = spec.kink_distance,
                      .linear = spec.linear,
                      .flops = spec.flops,
                      .silent_on_kinks = !spec.at_kink,
                      .enclose = spec.enclose};
  if (spec.samples == OpSamples::elementwise) full.row_rule = detail::same_axis;
  if (spec.samples == OpSamples::rows) full.row_rule = along_rows;
  if (spec.samples == OpSamples::rows_of_first) full.row_rule = along_rows_of_first;
  return full;
}

bool alike(const CustomOpSpec& a, const CustomOpSpec& b) {
  return a.forward == b.forward && a.pullback == b.pullback && a.samples == b.samples &&
         a.kink_distance == b.kink_distance && is_smooth(a) == is_smooth(b) && a.linear == b.linear &&
         a.flops == b.flops && a.enclose == b.enclose && a.roundings == b.roundings &&
         a.own_error == b.own_error;
}

[[noreturn]] void throw_taken(std::string_view name) {
  throw DomainError(fmt::format("[{}] another operation has this name; choose one of its own", name));
}

void check_name(std::string_view name) {
  for (const Op* op = Op::first(); op; op = op->next())
    if (name == op->name()) throw_taken(name);
}

}  // namespace

struct CustomOp::State {
  explicit State(const CustomOpSpec& s)
      : name(s.name), at_kink(s.at_kink ? s.at_kink : ""), spec(s), op(spec_of(own(spec)), Op::Unlisted()) {}

  // The script's own texts may be gone when its operation is used.
  const CustomOpSpec& own(CustomOpSpec& s) const {
    s.name = name.c_str();
    if (s.at_kink) s.at_kink = at_kink.c_str();
    return s;
  }

  const std::string name, at_kink;
  CustomOpSpec spec;
  const Op op;
  std::once_flag name_checked;
};

CustomOp::State* CustomOp::state_of(const CustomOpSpec& spec) {
  if (!spec.name || !*spec.name) throw DomainError("[CustomOp] the operation has no name; give .name");
  if (!spec.forward)
    throw DomainError(fmt::format("[{}] the operation has no forward rule; give .forward", spec.name));
  if ((spec.at_kink && !is_smooth(spec)) != (spec.kink_distance != nullptr))
    throw DomainError(
        fmt::format("[{}] at_kink is {} and kink_distance is{} given; give both, or neither, or \"none\" as "
                    "at_kink alone",
                    spec.name, spec.at_kink ? fmt::format("\"{}\"", spec.at_kink) : "not given",
                    spec.kink_distance ? "" : " not"));
  check_name(spec.name);
  detail::CustomOps& known = detail::custom_ops();
  const std::lock_guard lock(known.mutex);
  std::shared_ptr<void>& entry = known.by_name[spec.name];
  if (!entry) entry = std::make_shared<State>(spec);
  auto* state = static_cast<State*>(entry.get());
  if (!alike(state->spec, spec)) throw_taken(spec.name);
  return state;
}

CustomOp::CustomOp(const CustomOpSpec& spec) : state_(state_of(spec)) {}

const char* CustomOp::name() const noexcept { return state_->op.name(); }

Var CustomOp::apply(std::span<const Var* const> inputs, const OpAttributes& attributes) const {
  // Before main the library's own list was perhaps not complete.
  std::call_once(state_->name_checked, check_name, state_->name);
  return detail::apply(state_->op, inputs, attributes);
}

Var CustomOp::operator()(std::span<const Var> inputs, const OpAttributes& attributes) const {
  std::vector<const Var*> pointers;
  for (const Var& input : inputs) pointers.push_back(&input);
  return apply(pointers, attributes);
}

Tensor map_elements(const Tensor& x, double (*f)(double)) { return detail::map(x, f); }
Tensor map_elements(const Tensor& a, const Tensor& b, double (*f)(double, double)) {
  const Var left(a), right(b);
  const Var* const both[] = {&left, &right};
  return detail::zip("map_elements", OpInputs{both}, f);
}
Tensor map_elements(const OpInputs& in, const OpAttributes& attributes, const ElementLoop& loop) {
  if (in.count() != loop.inputs)
    throw DomainError(fmt::format("[map_elements] the loop is over {} input{}, and {} {} given", loop.inputs,
                                  loop.inputs == 1 ? "" : "s", in.count(), in.count() == 1 ? "is" : "are"));
  const bool one = loop.inputs == 1;
  Tensor out =
      one ? detail::uninitialized(in.shape(0)) : detail::room_for_pairs("map_elements", in[0], in[1]);
  const double* numbers[] = {in[0].data().data(), one ? nullptr : in[1].data().data()};
  const bool steps[] = {in[0].rank() > 0 || out.rank() == 0, !one && (in[1].rank() > 0 || out.rank() == 0)};
  loop.run(numbers, steps, detail::mutable_data(out), out.size(), attributes);
  return out;
}

}  // namespace cotangent
