// The backward pass. Cotangents of slices and reshapes go straight into their base's cotangent, so that the
// gradient of a flat parameter vector is filled in place, without one padded copy per parameter.
#include "autodiff/tape/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/memory/recycled.hpp"
#include "autodiff/tape/dependents.hpp"
#include "autodiff/tape/engine_ops.hpp"
#include "autodiff/tape/probe.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {

/// Makes an OpRecord of where its parts lie.
struct RecordAccess {
  static OpRecord record(const Var* inputs, std::uint32_t count, const Var& output,
                         const OpAttributes& attributes) {
    return {inputs, static_cast<int>(count), &output, &attributes};
  }
};

namespace {

/// a += b where a's numbers belong to a alone, else a new sum.
void accumulate(Tensor& a, const Tensor& b) {
  if (TensorAccess::unique(a)) {
    kernel::loops().add_to(mutable_data(a), b.data().data(), a.size());
  } else {
    Tensor sum = uninitialized(a.shape());
    kernel::loops().add(mutable_data(sum), a.data().data(), b.data().data(), a.size());
    a = std::move(sum);
  }
}

[[noreturn, gnu::cold]] void throw_no_such_input(const Node& node, int j) {
  throw DomainError(fmt::format("[{}] its pullback names input {}, but it has {} input{} (0 .. {})",
                                node.op->name(), j, node.num_inputs, node.num_inputs == 1 ? "" : "s",
                                node.num_inputs - 1));
}

}  // namespace

Sweep::Sweep(TapeState& tape, std::uint32_t from, std::uint32_t stop, bool create_graph)
    : tape_(tape),
      probe_(tape.probe),
      scratch_(std::move(tape.scratch)),
      from_(from),
      stop_(stop),
      create_graph_(create_graph) {
  if (!scratch_) scratch_ = std::make_unique<SweepScratch>();
  const std::size_t needed = std::size_t{from} - stop + 1;
  if (scratch_->slots.size() < needed) scratch_->slots.resize(needed);
}

Sweep::~Sweep() {
  const std::size_t used = std::size_t{from_} - stop_ + 1;
  for (std::size_t k = 0; k < used; ++k)  // leftovers exist only after an error
    if (scratch_->slots[k].filled) scratch_->slots[k] = {};
  scratch_->ranges.clear();
  scratch_->pieces.clear();
  tape_.scratch = std::move(scratch_);
}

void Sweep::activate_dependents() {
  if (stop_ == 0 && tape_.leaves == 1) return;  // everything recorded depends on the only input
  scratch_->active.assign(std::size_t{from_} + 1, 0);
  scratch_->active[stop_] = 1;
  mark_dependents(tape_, stop_, from_, scratch_->active.data());
  active_ = scratch_->active.data();
}

std::uint32_t Sweep::base_of(std::uint32_t node, Index& offset) const {
  while (node != stop_ && tape_.nodes[node].op == &kView) {
    offset += tape_.nodes[node].attributes.whole[0];
    node = tape_.source(tape_.nodes[node], 0);
  }
  return node;
}

void Sweep::add(std::uint32_t node, Var&& contribution) {
  Index offset = 0;
  const std::uint32_t base = base_of(node, offset);
  if (along_ && base == stop_)
    return contract(dot(contribution, view_of(*along_, offset, contribution.shape())));
  if (base != node && !fit_base(base, offset, contribution)) return;
  Slot& s = slot(base);
  if (s.partial) complete(base);
  if (base == stop_) gaps_.clear();
  if (!s.filled) {
    s.value = std::move(contribution);
    s.filled = true;
  } else if (create_graph_) {
    s.value = s.value + contribution;
  } else {
    accumulate(VarAccess::value(s.value), contribution.value());
  }
}

void Sweep::contract(const Var& part) { total_ = total_.size() ? total_ + part : part; }

// A view of the whole base passes its cotangent on, in the base's shape; one of a part leaves
// it in its place.
bool Sweep::fit_base(std::uint32_t base, Index offset, Var& contribution) {
  const Shape shape = tape_.nodes[base].output.shape();
  if (contribution.size() == shape.size()) {
    if (!(contribution.shape() == shape)) contribution = reshape(contribution, shape);
    return true;
  }
  if (create_graph_) {
    Slot& s = slot(base);
    s.filled = s.partial = true;
    scratch_->pieces.push_back({base, offset, std::move(contribution)});
  } else {
    add_range(base, offset, contribution);
  }
  return false;
}

double* Sweep::place(std::uint32_t base, Index offset, Index size, bool& written) {
  Slot& s = slot(base);
  if (!s.filled) {
    s.value = Var(uninitialized(tape_.nodes[base].output.shape()));
    s.filled = s.partial = true;
  }
  Tensor& numbers = VarAccess::value(s.value);
  if (!s.partial) {
    if (!TensorAccess::unique(numbers)) numbers = Tensor::from(numbers.data(), numbers.shape());
    if (base == stop_) cover(offset, offset + size);
    written = true;
    return mutable_data(numbers) + offset;
  }
  // Slices of one vector are few: a linear look suffices. Equal ranges add up; overlapping ones
  // need a full vector.
  written = false;
  for (const Stretch& range : scratch_->ranges) {
    if (range.node != base || range.last <= offset || offset + size <= range.first) continue;
    written = true;
    if (range.first <= offset && offset + size <= range.last) break;
    complete(base);
    return place(base, offset, size, written);
  }
  if (!written) scratch_->ranges.push_back({base, offset, offset + size});
  return mutable_data(numbers) + offset;
}

void Sweep::cover(Index first, Index last) {
  std::vector<Stretch> left;
  for (const Stretch& gap : gaps_) {
    if (gap.first < first) left.push_back({gap.node, gap.first, std::min(gap.last, first)});
    if (gap.last > last) left.push_back({gap.node, std::max(gap.first, last), gap.last});
  }
  gaps_ = std::move(left);
}

void Sweep::add_range(std::uint32_t base, Index offset, const Var& contribution) {
  bool written = false;
  double* to = place(base, offset, contribution.size(), written);
  const std::span<const double> numbers = contribution.value().data();
  if (written)
    kernel::loops().add_to(to, numbers.data(), contribution.size());
  else
    std::copy(numbers.begin(), numbers.end(), to);
}

void Sweep::add_matmul(std::uint32_t node, const Var& a, const Var& b, const MatmulOptions& options) {
  Index offset = 0;
  const std::uint32_t base = base_of(node, offset);
  const Shape result = matmul_shape("matmul", a.shape(), b.shape(), options);
  if (along_ && base == stop_) {
    const Var v = view_of(*along_, offset, result);
    if (b.rank() == 1)  // <op(a) b, v> = <b, op(a)^T v>
      return contract(dot(b, matmul(a, v, {.transpose_a = !options.transpose_a, .scale = options.scale})));
    // <op(a) op(b), v> = <op(a), v op(b)^T>
    return contract(dot(a, options.transpose_a ? matmul(b, v, {options.transpose_b, true, options.scale})
                                               : matmul(v, b, {false, !options.transpose_b, options.scale})));
  }
  Slot& s = slot(base);
  const bool whole = result.size() == tape_.nodes[base].output.size();
  if (create_graph_ || (whole && (s.partial || !s.filled || !TensorAccess::unique(s.value.value())))) {
    add(node, matmul(a, b, options));
    return;
  }
  if (whole && base == stop_) gaps_.clear();
  bool written = true;
  double* to = whole ? mutable_data(VarAccess::value(s.value)) : place(base, offset, result.size(), written);
  matmul_into(to, a.value(), b.value(), options, written ? 1.0 : 0.0);
}

void Sweep::complete(std::uint32_t node) {
  Slot& s = slot(node);
  if (!s.partial) return;
  s.partial = false;
  if (create_graph_) {
    RecycledVector<Piece> pieces;
    std::erase_if(scratch_->pieces, [&](Piece& piece) {
      if (piece.node != node) return false;
      pieces.push_back(std::move(piece));
      return true;
    });
    const Var assembled = assemble(pieces, tape_.nodes[node].output.shape());
    s.value = s.value.value().size() == assembled.size() && TensorAccess::has_data(s.value.value())
                  ? s.value + assembled
                  : assembled;
    return;
  }
  std::vector<Stretch>& ranges = scratch_->ranges;
  double* numbers = mutable_data(VarAccess::value(s.value));
  std::sort(ranges.begin(), ranges.end(),
            [](const Stretch& a, const Stretch& b) { return a.first < b.first; });
  Index end = 0;
  const auto fill = [&](Index first, Index last) {
    std::fill(numbers + first, numbers + last, 0.0);
    if (node == stop_) gaps_.push_back({node, first, last});
  };
  for (const Stretch& range : ranges) {
    if (range.node != node) continue;
    if (range.first > end) fill(end, range.first);
    end = std::max(end, range.last);
  }
  if (end < s.value.size()) fill(end, s.value.size());
  std::erase_if(ranges, [&](const Stretch& range) { return range.node == node; });
}

OpRecord recorded(const TapeState& tape, std::uint32_t i) {
  const Node& node = tape.nodes[i];
  return RecordAccess::record(tape.inputs.data() + node.first_input, node.num_inputs, node.output,
                              node.attributes);
}

Var Sweep::on_record(Tensor constant) {
  const bool wanted = probe_ && probe_->records_constants() && TensorAccess::has_data(constant);
  return wanted ? add_leaf(tape_, std::move(constant)) : Var(std::move(constant));
}

void Sweep::call_rule(std::uint32_t i, const Var& g) {
  const Node& node = tape_.nodes[i];
  OpCotangents out(*this, i);
  if (!create_graph_) [[likely]] {
    // Detached inputs: the rule computes plain numbers, and the record stays as it is.
    node.op->spec().pullback(recorded(tape_, i), g, out);
    return;
  }
  // The rule appends to the record, so what it reads must not lie inside it.
  const Op& op = *node.op;
  const OpAttributes attributes = node.attributes;
  const Var output = VarAccess::tracked(node.output.value(), tape_.cell, i);
  constexpr std::uint32_t kInline = 4;
  Var few[kInline];
  RecycledVector<Var> many;
  const std::uint32_t first = node.first_input, count = node.num_inputs;
  if (count > kInline) many.resize(count);
  Var* inputs = count > kInline ? many.data() : few;
  for (std::uint32_t j = 0; j < count; ++j) {
    const Var& kept = tape_.inputs[first + j];
    const std::uint32_t source = VarAccess::node(kept);
    if (source != kNoNode)
      inputs[j] = VarAccess::tracked(kept.value(), tape_.cell, source);
    else
      inputs[j] = on_record(Tensor(kept.value()));
  }
  op.spec().pullback(RecordAccess::record(inputs, count, output, attributes), g, out);
}

template <bool kWatched>
void Sweep::run_loop(const FunctionRef<void(std::uint32_t, const Var&)>* visit) {
  for (std::uint32_t i = from_; i > stop_; --i) {
    Slot& s = slot(i);
    if (!s.filled) continue;
    if (s.partial) complete(i);
    const Var g = std::move(s.value);
    s.filled = false;
    const Op* op = tape_.nodes[i].op;
    if (visit) (*visit)(i, g);
    if constexpr (kWatched) probe_->cotangent(tape_, i, g);
    if (!op || !op->spec().pullback) continue;
    if constexpr (kWatched) probe_->rule_begins(i);
    call_rule(i, g);
    if constexpr (kWatched) probe_->rule_ended(i);
  }
}

void Sweep::run(Var cotangent, const FunctionRef<void(std::uint32_t, const Var&)>* visit) {
  if (create_graph_ && !cotangent.tracked()) cotangent = on_record(cotangent.value());
  add(from_, std::move(cotangent));
  if (probe_) [[unlikely]]
    run_loop<true>(visit);
  else
    run_loop<false>(visit);
}

Var Sweep::take() {
  Slot& s = slot(stop_);
  if (s.partial) complete(stop_);
  s.filled = false;
  if (probe_) [[unlikely]]
    probe_->cotangent(tape_, stop_, s.value);
  return std::move(s.value);
}

namespace {

void check_tape_of(const char* operation, const char* what, const Var& v, const TapeState& tape) {
  if (v.tracked() && &live_tape(operation, v) != &tape)
    throw TapeError(fmt::format(
        "[{}] the {} is recorded on another tape than x; pass it through detach, or lift it onto x's",
        operation, what));
}

void check_ends(const char* operation, const TapeState& tape, const Var& y, const Var& c, const Var& x,
                bool create_graph) {
  if (&live_tape(operation, x) != &tape)
    throw TapeError(fmt::format(
        "[{}] x is recorded on another tape than this one; differentiate on the tape that recorded it",
        operation));
  if (!(c.shape() == y.shape()))
    throw ShapeError(fmt::format("[{}] the cotangent is {}, y is {}; give it y's shape", operation,
                                 c.shape().to_string(), y.shape().to_string()));
  if (create_graph) check_tape_of(operation, "cotangent", c, tape);
  if (y.tracked() && &live_tape(operation, y) != &tape)
    throw TapeError(fmt::format(
        "[{}] y is recorded on another tape than x; inside a traced function start from lift(X, w)",
        operation));
}

}  // namespace

Var pull_back(const char* operation, TapeState& tape, const Var& y, const Var& c, const Var& x,
              bool create_graph, std::vector<Stretch>* gaps) {
  check_ends(operation, tape, y, c, x, create_graph);
  const auto zero = [&] {
    if (gaps) gaps->push_back({VarAccess::node(x), 0, x.size()});
    return Var(Tensor::zeros(x.shape()));
  };
  if (!y.tracked() || VarAccess::node(y) < VarAccess::node(x)) return zero();
  Sweep sweep(tape, VarAccess::node(y), VarAccess::node(x), create_graph);
  sweep.activate_dependents();
  if (!sweep.connected()) return zero();
  sweep.run(create_graph ? c : Var(c.value()));
  if (!sweep.reached()) return zero();
  Var result = sweep.take();
  if (gaps) gaps->insert(gaps->end(), sweep.gaps().begin(), sweep.gaps().end());
  return result;
}

Var pull_back_along(const char* operation, TapeState& tape, const Var& y, const Var& c, const Var& x,
                    const Var& v) {
  check_ends(operation, tape, y, c, x, true);
  check_tape_of(operation, "direction", v, tape);
  if (!y.tracked() || VarAccess::node(y) < VarAccess::node(x)) return 0.0;
  Sweep sweep(tape, VarAccess::node(y), VarAccess::node(x), true);
  sweep.activate_dependents();
  sweep.contract_with(v);
  if (sweep.connected()) sweep.run(c);
  return sweep.contracted();
}

}  // namespace detail

bool OpCotangents::needs(int j) const {
  const detail::Node& node = sweep_.tape_.nodes[node_];
  const auto input = static_cast<std::uint32_t>(j);
  if (input >= node.num_inputs) [[unlikely]]
    detail::throw_no_such_input(node, j);
  return sweep_.wants(sweep_.tape_.source(node, input));
}

bool OpCotangents::same(int i, int j) const {
  if (!needs(i) || !needs(j)) return false;
  const detail::Node& node = sweep_.tape_.nodes[node_];
  const auto source = [&](int k) { return sweep_.tape_.source(node, static_cast<std::uint32_t>(k)); };
  return source(i) == source(j);
}

void OpCotangents::add(int j, Var&& contribution) {
  const detail::Node& node = sweep_.tape_.nodes[node_];
  if (static_cast<std::uint32_t>(j) >= node.num_inputs) [[unlikely]]
    detail::throw_no_such_input(node, j);
  const Var& input = sweep_.tape_.inputs[node.first_input + static_cast<std::uint32_t>(j)];
  const std::uint32_t source = detail::VarAccess::node(input);
  if (!sweep_.wants(source)) return;
  if (!(contribution.shape() == input.shape())) [[unlikely]]
    throw ShapeError(
        fmt::format("[{}] its pullback gave {} for input {} of shape {}; a cotangent has its input's shape",
                    node.op->name(), contribution.shape().to_string(), j, input.shape().to_string()));
  if (sweep_.probe_) [[unlikely]]
    sweep_.probe_->contribution(sweep_.tape_, node_, j, contribution);
  sweep_.add(source, std::move(contribution));
}

void OpCotangents::add_matmul(int j, const Var& a, const Var& b, MatmulOptions options) {
  if (!needs(j)) return;
  if (sweep_.probe_ && sweep_.probe_->sees_contributions()) [[unlikely]]
    return add(j, matmul(a, b, options));  // so that there is a product to be seen
  const detail::Node& node = sweep_.tape_.nodes[node_];
  sweep_.add_matmul(sweep_.tape_.source(node, static_cast<std::uint32_t>(j)), a, b, options);
}

}  // namespace cotangent
