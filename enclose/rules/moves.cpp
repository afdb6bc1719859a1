// Operations that move numbers, and adjoints that add up what came to one place.
#include <array>
#include <optional>

#include "autodiff/ops/record_facts.hpp"
#include "enclose/rules/rules.hpp"

namespace cotangent::enclosing {
namespace {

using detail::Around;

/// Number i of the result is number from(i) of the first input; where from gives -1, nothing is known.
template <class From>
Balls moved(const Call& c, From from) {
  Balls y(c.shape());
  for (Index i = 0; i < y.size(); ++i) {
    const Index at = from(i);
    if (at < 0)
      arb_indeterminate(y[i]);
    else
      arb_set(y[i], c.in[0][at]);
  }
  return y;
}

/// Number i of the first input is added to number to(i) of the result; if to gives -1 anywhere, nothing is
/// known.
template <class To>
Balls gathered(const Call& c, To to) {
  Balls y(c.shape());
  for (Index i = 0; i < c.in[0].size(); ++i) {
    const Index at = to(i);
    if (at < 0) {
      for (Index k = 0; k < y.size(); ++k) arb_indeterminate(y[k]);
      return y;
    }
    arb_add(y[at], y[at], c.in[0][i], c.bits());
  }
  return y;
}

/// A position below `size`; -1 unless the ball is one.
Index position(arb_srcptr x, Index size) {
  if (!arb_is_int(x)) return -1;  // what is, is exact
  const Index at = arf_get_si(arb_midref(x), ARF_RND_NEAR);
  return at >= 0 && at < size ? at : -1;
}

Balls view(const Call& c) { return c.in[0].view(c.whole(0), c.shape()); }
Balls alias(const Call& c) { return c.in[0]; }

Balls assemble(const Call& c) {
  const auto& offsets = *static_cast<const detail::AssembleOffsets*>(c.step.attributes.payload.get());
  Balls y(c.shape());
  for (std::size_t j = 0; j < c.in.size(); ++j)
    for (Index i = 0; i < c.in[j].size(); ++i)
      arb_add(y[offsets[j] + i], y[offsets[j] + i], c.in[j][i], c.bits());
  return y;
}

/// How often a run of numbers, those along an axis and behind it, follows upon itself in the longer array.
struct Runs {
  Index run, stride, first;
  Runs(const Call& c, const Shape& shorter, const Shape& longer) {
    const int axis = static_cast<int>(c.whole(0));
    const Around s(shorter, axis), l(longer, axis);
    run = s.middle * s.inner;
    stride = l.middle * l.inner;
    first = c.whole(1) * s.inner;
  }
  Index place(Index i) const { return i / run * stride + first + i % run; }
};

Balls slice(const Call& c) {
  const Runs runs(c, c.shape(), c.in[0].shape());
  return moved(c, [&](Index i) { return runs.place(i); });
}

Balls unslice(const Call& c) {
  const Runs runs(c, c.in[0].shape(), c.shape());
  return gathered(c, [&](Index i) { return runs.place(i); });
}

Balls concat(const Call& c) {
  const int axis = static_cast<int>(c.whole(0));
  Balls y(c.shape());
  const Around whole(c.shape(), axis);
  Index first = 0;
  for (const Balls& part : c.in) {
    const Around s(part.shape(), axis);
    const Index run = s.middle * s.inner;
    for (Index o = 0; o < s.outer; ++o)
      for (Index i = 0; i < run; ++i)
        arb_set(y[o * whole.middle * whole.inner + first + i], part[o * run + i]);
    first += run;
  }
  return y;
}

/// moved by strides of the input along the result's axes.
Balls strided(const Call& c, const std::array<Index, kMaxRank>& strides) {
  return moved(c, [&](Index i) {
    Index from = 0;
    for (int k = c.shape().rank(); k-- > 0; i /= c.shape()[k])
      from += i % c.shape()[k] * strides[static_cast<std::size_t>(k)];
    return from;
  });
}

// Four bits say which axis of the input an axis of the result is.
Balls transpose(const Call& c) {
  std::array<Index, kMaxRank> strides{};
  for (int k = 0; k < c.shape().rank(); ++k)
    strides[static_cast<std::size_t>(k)] =
        Around(c.in[0].shape(), static_cast<int>(c.whole(0) >> (4 * k) & 15)).inner;
  return strided(c, strides);
}

Balls broadcast_to(const Call& c) {
  std::array<Index, kMaxRank> strides{};
  const Shape& from = c.in[0].shape();
  const auto added = static_cast<std::size_t>(c.shape().rank() - from.rank());
  for (int k = 0; k < from.rank(); ++k)
    if (from[k] != 1) strides[static_cast<std::size_t>(k) + added] = Around(from, k).inner;
  return strided(c, strides);
}

Balls gather_rows(const Call& c) {
  const Index m = c.in[1].size(), row = m ? c.shape().size() / m : 0, rows = c.in[0].shape()[0];
  return moved(c, [&](Index i) {
    const Index at = position(c.in[1][i / row], rows);
    return at < 0 ? -1 : at * row + i % row;
  });
}

Balls scatter_rows(const Call& c) {
  const Index m = c.in[1].size(), row = m ? c.in[0].size() / m : 0, rows = c.shape()[0];
  return gathered(c, [&](Index i) {
    const Index at = position(c.in[1][i / row], rows);
    return at < 0 ? -1 : at * row + i % row;
  });
}

/// Whether the number at `chosen` of a line is surely the first of the largest (sign 1) or the smallest.
bool surely_first(arb_srcptr line, Index step, Index count, Index chosen, int sign) {
  arb_srcptr best = line + chosen * step;
  for (Index m = 0; m < count; ++m) {
    arb_srcptr other = line + m * step;
    const bool ahead = sign > 0 ? arb_gt(best, other) : arb_lt(best, other);
    const bool tie = arb_is_exact(best) && arb_equal(best, other);
    if (m != chosen && !ahead && !(tie && chosen < m)) return false;
  }
  return true;
}

/// Where along the longer array number i of the shorter one belongs, whose positions the second input has; -1
/// if that is not sure.
Index place_along(const Call& c, const Around& shorter, const Around& longer, Index i) {
  const Index at = position(c.in[1][i], longer.middle), o = i / (shorter.middle * shorter.inner),
              k = i % shorter.inner;
  if (at < 0) return -1;
  if (c.step.extreme != 0) {
    ++c.account.comparisons;
    arb_srcptr line = c.in.back().data() + o * longer.middle * longer.inner + k;
    if (!surely_first(line, longer.inner, longer.middle, at, c.step.extreme)) {
      ++c.account.undecided;
      return -1;
    }
  }
  return (o * longer.middle + at) * longer.inner + k;
}

Balls take_along_axis(const Call& c) {
  const int axis = static_cast<int>(c.whole(0));
  const Around from(c.in[0].shape(), axis), to(c.shape(), axis);
  return moved(c, [&](Index i) { return place_along(c, to, from, i); });
}

Balls put_along_axis(const Call& c) {
  const int axis = static_cast<int>(c.whole(0));
  const Around from(c.in[0].shape(), axis), to(c.shape(), axis);
  return gathered(c, [&](Index i) { return place_along(c, from, to, i); });
}

}  // namespace

void add_moves(RuleTable& table) {
  table["view"] = view;
  table["alias"] = alias;
  table["assemble"] = assemble;
  table["slice"] = slice;
  table["unslice"] = unslice;
  table["concat"] = concat;
  table["transpose"] = transpose;
  table["broadcast_to"] = broadcast_to;
  table["gather_rows"] = gather_rows;
  table["scatter_rows"] = scatter_rows;
  table["take_along_axis"] = take_along_axis;
  table["put_along_axis"] = put_along_axis;
}

}  // namespace cotangent::enclosing
