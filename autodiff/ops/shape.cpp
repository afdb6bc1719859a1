// Operations that move numbers without changing them. xtensor's strided views do the moving.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <xtensor/xadapt.hpp>
#include <xtensor/xbroadcast.hpp>
#include <xtensor/xnoalias.hpp>

#include "autodiff/error.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/memory/recycled.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {
namespace {

using Sizes = xt::svector<std::size_t, kMaxRank>;

Sizes sizes_of(const Shape& shape) {
  Sizes sizes(static_cast<std::size_t>(shape.rank()));
  for (int k = 0; k < shape.rank(); ++k)
    sizes[static_cast<std::size_t>(k)] = static_cast<std::size_t>(shape[k]);
  return sizes;
}

decltype(auto) array(const Tensor& t) {
  return xt::adapt(t.data().data(), static_cast<std::size_t>(t.size()), xt::no_ownership(),
                   sizes_of(t.shape()));
}
decltype(auto) writable(Tensor& t) {
  return xt::adapt(mutable_data(t), static_cast<std::size_t>(t.size()), xt::no_ownership(),
                   sizes_of(t.shape()));
}

/// Copies `rows` runs of `run` numbers whose beginnings lie `from_stride` and `to_stride` apart.
void copy_runs(double* to, Index to_stride, const double* from, Index from_stride, Index rows, Index run) {
  for (Index k = 0; k < rows; ++k) copy_run(to + k * to_stride, from + k * from_stride, run);
}

Var apply_shaped(const Op& op, const Var& x, const Shape& target, const OpAttributes& attributes = {}) {
  const Var* in[] = {&x};
  return x.tracked() ? apply(op, in, attributes, &target) : compute(op, in, attributes, &target);
}

// A reshape keeps an axis where the sizes before it multiply to the same number; a range of leading rows
// keeps the others.
int view_axis(const NodeView& node, int axis, int) {
  const Shape& in = node.in(0);
  const Shape& out = node.out();
  if (in.size() == out.size()) {
    Index before_out = 1;
    for (int k = 0; k < axis; ++k) before_out *= out[k];
    Index before_in = 1;
    for (int k = 0; k < in.rank(); ++k) {
      if (before_in == before_out && in[k] == out[axis]) return k;
      before_in *= in[k];
    }
    return kBlocked;
  }
  if (axis == 0 || in.rank() != out.rank()) return kBlocked;
  for (int k = 1; k < in.rank(); ++k)
    if (in[k] != out[k]) return kBlocked;
  return axis;
}

}  // namespace

const Op kView({
    .name = "view",
    .forward = [](const OpInputs& in,
                  const OpAttributes& a) { return TensorAccess::view(in[0], a.whole[0], *in.target); },
    .roundings = 0,
    // The backward pass looks through views; no rule is called.
    .pullback = nullptr,
    .row_rule = view_axis,
    .linear = OpLinear::in_first,
});

namespace {

const Op kAlias({
    .name = "alias",
    .forward = [](const OpInputs& in, const OpAttributes&) { return in[0]; },
    .roundings = 0,
    .pullback = [](const OpRecord&, const Var& g, OpCotangents& out) { out.add(0, g); },
    .row_rule = [](const NodeView&, int axis, int) { return axis; },
});

using Offsets = AssembleOffsets;

const Op kAssemble({
    .name = "assemble",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const Offsets& offsets = *static_cast<const Offsets*>(a.payload.get());
          Tensor out = Tensor::zeros(*in.target);
          for (int j = 0; j < in.count(); ++j)
            kernel::loops().add_to(mutable_data(out) + offsets[static_cast<std::size_t>(j)],
                                   in[j].data().data(), in[j].size());
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor& out) {
          const Offsets& offsets = *static_cast<const Offsets*>(a.payload.get());
          Tensor count = Tensor::zeros(out.shape()), sums = Tensor::zeros(out.shape());
          for (int j = 0; j < in.count(); ++j) {
            const std::span<const double> piece = in[j].data();
            const Index first = offsets[static_cast<std::size_t>(j)];
            for (Index i = 0; i < in[j].size(); ++i) {
              mutable_data(count)[first + i] += 1.0;
              mutable_data(sums)[first + i] += std::fabs(piece[static_cast<std::size_t>(i)]);
            }
          }
          return (maximum(Var(count) - 1.0, 0.0) * sums).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const Offsets& offsets = *static_cast<const Offsets*>(p.attributes().payload.get());
          for (int j = 0; j < p.count(); ++j)
            if (out.needs(j)) out.add(j, view_of(g, offsets[static_cast<std::size_t>(j)], p.shape(j)));
        },
});

/// Positions from whole(1) on along the axis whole(0); how many, the result's shape says.
std::pair<int, Index> axis_and_first(const OpAttributes& a) {
  return {static_cast<int>(a.whole[0]), a.whole[1]};
}

const Op kSlice({
    .name = "slice",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const auto [axis, first] = axis_and_first(a);
          Tensor out = uninitialized(*in.target);
          const Around s(in.shape(0), axis);
          const Index run = out.size(axis) * s.inner;
          copy_runs(mutable_data(out), run, in[0].data().data() + first * s.inner, s.middle * s.inner,
                    s.outer, run);
          return out;
        },
    .roundings = 0,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const auto [axis, first] = axis_and_first(p.attributes());
          out.add(0, unslice(g, axis, first, p.shape(0)[axis]));
        },
    .row_rule = kept_axis,
});

const Op kUnslice({
    .name = "unslice",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const auto [axis, first] = axis_and_first(a);
          Tensor out = Tensor::zeros(*in.target);
          const Around s(in.shape(0), axis);
          const Index run = s.middle * s.inner;
          copy_runs(mutable_data(out) + first * s.inner, out.size(axis) * s.inner, in[0].data().data(), run,
                    s.outer, run);
          return out;
        },
    .roundings = 0,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const auto [axis, first] = axis_and_first(p.attributes());
          out.add(0, slice(g, axis, first, first + p.shape(0)[axis]));
        },
    .row_rule = kept_axis,
});

const Op kConcat({
    .name = "concat",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const int axis = static_cast<int>(a.whole[0]);
          const Shape& first = in.shape(0);
          check_axis("concat", first, axis);
          Index total = 0;
          for (int j = 0; j < in.count(); ++j) {
            if (in.shape(j).rank() != first.rank() || !(in.shape(j).with(axis, first[axis]) == first))
              throw ShapeError(fmt::format("[concat] part 0 is {}, part {} is {}; all axes but {} must agree",
                                           first.to_string(), j, in.shape(j).to_string(), axis));
            total += in.shape(j)[axis];
          }
          Tensor out = uninitialized(first.with(axis, total));
          double* to = mutable_data(out);
          for (int j = 0; j < in.count(); ++j) {
            const Around s(in.shape(j), axis);
            const Index run = s.middle * s.inner;
            copy_runs(to, total * s.inner, in[j].data().data(), run, s.outer, run);
            to += run;
          }
          return out;
        },
    .roundings = 0,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const int axis = static_cast<int>(p.whole(0));
          Index at = 0;
          for (int j = 0; j < p.count(); ++j) {
            const Index size = p.shape(j)[axis];
            if (out.needs(j)) out.add(j, slice(g, axis, at, at + size));
            at += size;
          }
        },
    .row_rule = kept_axis,
});

/// A permutation of axes, four bits for each: axis k of the result is axis order_at(packed, k) of x.
Index pack_order(std::span<const int> order) {
  Index packed = 0;
  for (std::size_t k = 0; k < order.size(); ++k) packed |= Index{order[k]} << (4 * k);
  return packed;
}
/// y of the given sizes from x, whose strides along y's axes are given.
void permute(double* y, const double* x, const Index* sizes, const Index* strides, int rank) {
  if (rank == 0) *y = *x;
  if (rank == 0 || std::find(sizes, sizes + rank, 0) != sizes + rank) return;
  const Index run = sizes[rank - 1], stride = strides[rank - 1];
  Index at[kMaxRank] = {};
  for (int k = 0; k >= 0;) {
    for (Index i = 0; i < run; ++i) *y++ = x[i * stride];
    for (k = rank - 2; k >= 0; --k) {
      x += strides[k];
      if (++at[k] < sizes[k]) break;
      x -= std::exchange(at[k], 0) * strides[k];
    }
  }
}

int order_at(Index packed, int k) { return static_cast<int>(packed >> (4 * k) & 15); }

const Op kTranspose({
    .name = "transpose",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const int rank = in.shape(0).rank();
          Index sizes[kMaxRank], strides[kMaxRank];  // strides[k]: in x, along axis k of the result
          for (int k = 0; k < rank; ++k) {
            const int from = order_at(a.whole[0], k);
            sizes[k] = in.shape(0)[from];
            strides[k] = Around(in.shape(0), from).inner;
          }
          Tensor out = uninitialized(Shape(std::span<const Index>(sizes, static_cast<std::size_t>(rank))));
          permute(mutable_data(out), in[0].data().data(), sizes, strides, rank);
          return out;
        },
    .roundings = 0,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          Index inverse = 0;
          for (int k = 0; k < g.rank(); ++k) inverse |= Index{k} << (4 * order_at(p.whole(0), k));
          out.add(0, apply(kTranspose, g, {.whole = {inverse}}));
        },
    .row_rule = [](const NodeView& node, int axis, int) { return order_at(node.whole(0), axis); },
});

/// Fills `out` if the axes along which x is repeated are neighbours: then out [outer, times, inner] holds
/// each block [inner] of x [outer, inner] so many times.
bool repeat_block(Tensor& out, const Tensor& x) {
  const Shape &to = out.shape(), &from = x.shape();
  const int added = to.rank() - from.rank();
  const auto repeated = [&](int k) { return k < added || from[k - added] != to[k]; };
  int first = 0;
  while (first < to.rank() && !repeated(first)) ++first;
  int last = first;
  while (last < to.rank() && (repeated(last) || to[last] == 1)) ++last;
  Index outer = 1, times = 1, inner = 1;
  for (int k = 0; k < to.rank(); ++k) {
    if (k >= last && repeated(k)) return false;
    (k < first ? outer : k < last ? times : inner) *= to[k];
  }
  double* y = mutable_data(out);
  const double* block = x.data().data();
  if (first == last) std::copy_n(block, out.size(), y);
  for (Index o = 0; first < last && o < outer; ++o, block += inner) {
    if (inner == 1) std::fill_n(y, times, *block);
    for (Index t = 0; inner > 1 && t < times; ++t) std::copy_n(block, inner, y + t * inner);
    y += times * inner;
  }
  return true;
}

const Op kBroadcastTo({
    .name = "broadcast_to",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          const Shape& shape = *in.target;
          const Shape& from = in.shape(0);
          const int added = shape.rank() - from.rank();
          bool fits = added >= 0;
          for (int k = 0; fits && k < from.rank(); ++k) fits = from[k] == 1 || from[k] == shape[k + added];
          if (!fits)
            throw ShapeError(fmt::format(
                "[broadcast_to] x is {}, asked for {}; each axis, counted from the last, must be equal or 1",
                from.to_string(), shape.to_string()));
          if (from.size() == 1) return Tensor::full(shape, in[0].data()[0]);
          Tensor out = uninitialized(shape);
          if (!repeat_block(out, in[0]))
            xt::noalias(writable(out)) = xt::broadcast(array(in[0]), sizes_of(shape));
          return out;
        },
    .roundings = 0,
    .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, sum_to(g, p.shape(0))); },
    .row_rule =
        [](const NodeView& node, int axis, int) {
          const int from = axis - (node.out().rank() - node.in(0).rank());
          return from < 0 || (node.in(0)[from] == 1 && node.out()[axis] != 1) ? kFactor : from;
        },
    // Sample i's gradient is its own slab of g, summed down to the input's shape.
    .row_factor =
        [](const OpRecord& p, int axis, int, const Tensor& g) {
          const Shape& from = p.shape(0);
          const Index n = g.size(axis);
          Tensor delta = uninitialized(Shape{n, from.size()});
          for (Index i = 0; i < n; ++i) {
            const Tensor own = sum_to(slice(g, axis, i, i + 1), from).value();
            std::copy(own.data().begin(), own.data().end(), mutable_data(delta) + i * from.size());
          }
          return RowFactor{delta};
        },
});

}  // namespace

Var alias(const Var& x) { return apply(kAlias, x); }
Var view_of(const Var& x, Index offset, const Shape& shape) {
  return apply_shaped(kView, x, shape, {.whole = {offset}});
}

Var assemble(std::span<const Piece> pieces, const Shape& shape) {
  RecycledVector<const Var*> inputs;
  const auto offsets = std::allocate_shared<Offsets>(Recycled<Offsets>());
  for (const Piece& piece : pieces) {
    inputs.push_back(&piece.value);
    offsets->push_back(piece.offset);
  }
  return apply(kAssemble, inputs, {.payload = offsets}, &shape);
}

Var unslice(const Var& x, int axis, Index first, Index size) {
  return apply_shaped(kUnslice, x, x.shape().with(axis, size), {.whole = {axis, first}});
}

}  // namespace detail

using detail::apply;

Var reshape(const Var& x, const Shape& shape) {
  if (shape.size() != x.size())
    throw ShapeError(fmt::format("[reshape] {} holds {} elements, {} holds {}; the sizes must agree",
                                 x.shape().to_string(), x.size(), shape.to_string(), shape.size()));
  return detail::view_of(x, 0, shape);
}

Var view(const Var& x, Index offset, const Shape& shape) {
  if (x.rank() != 1 || offset < 0 || offset > x.size() - shape.size())
    throw ShapeError(fmt::format(
        "[view] {} numbers for {} from position {} of x, which is {}; they must lie within a vector",
        shape.size(), shape.to_string(), offset, x.shape().to_string()));
  return detail::view_of(x, offset, shape);
}

Var slice(const Var& x, int axis, Index first, Index last) {
  if (axis < 0 || axis >= x.rank() || first < 0 || first > last || last > x.size(axis))
    throw ShapeError(
        fmt::format("[slice] positions {} .. {} along axis {} of x, which is {}; they must lie within it",
                    first, last, axis, x.shape().to_string()));
  if (axis == 0) {
    const Index row = x.size(0) ? x.size() / x.size(0) : 0;
    return detail::view_of(x, first * row, x.shape().with(0, last - first));
  }
  return detail::apply_shaped(detail::kSlice, x, x.shape().with(axis, last - first),
                              {.whole = {axis, first}});
}

Var transpose(const Var& x) {
  if (x.rank() != 2)
    throw ShapeError(
        fmt::format("[transpose] x is {}, not a matrix; give the order of its axes", x.shape().to_string()));
  return apply(detail::kTranspose, x, {.whole = {1}});
}

Var transpose(const Var& x, const std::vector<int>& order) {
  bool permutes = static_cast<int>(order.size()) == x.rank();
  bool seen[kMaxRank] = {};
  for (std::size_t k = 0; permutes && k < order.size(); ++k)
    permutes = order[k] >= 0 && order[k] < x.rank() && !std::exchange(seen[order[k]], true);
  if (!permutes)
    throw ShapeError(fmt::format("[transpose] x is {}; the order must list each of its {} axes once",
                                 x.shape().to_string(), x.rank()));
  return apply(detail::kTranspose, x, {.whole = {detail::pack_order(order)}});
}

Var detail::concat_of(std::span<const Var> parts, int axis) {
  RecycledVector<const Var*> inputs;
  for (const Var& part : parts) inputs.push_back(&part);
  return apply(kConcat, inputs, {.whole = {axis}});
}

Var concat(const std::vector<Var>& parts, int axis) {
  if (parts.empty()) throw DomainError("[concat] nothing to join; give at least one part");
  return detail::concat_of(parts, axis);
}

Var broadcast_to(const Var& x, const Shape& shape) {
  return detail::apply_shaped(detail::kBroadcastTo, x, shape);
}

}  // namespace cotangent
