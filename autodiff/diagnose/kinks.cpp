// Kinks: a probe that collects distances, and what is read from them.
#include "autodiff/kinks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/diagnose/kink_record.hpp"
#include "autodiff/diagnose/tape_names.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tape/probe.hpp"

namespace cotangent {
namespace detail {
namespace {

class KinkProbe : public Probe {
 public:
  explicit KinkProbe(KinkRecord& record) : record_(record) {}
  bool opens_checkpoints() const override { return true; }
  void recorded(const TapeState& tape, std::uint32_t node, const OpInputs& in, const Tensor& out) override {
    const Op* op = tape.nodes[node].op;
    const OpSpec& spec = op->spec();
    if (!spec.at_kink && !spec.silent_on_kinks) return;
    if (spec.silent_on_kinks || (!spec.kink_distance && in.count() != 1)) {
      std::vector<std::string>& names = record_.unknown;
      if (std::find(names.begin(), names.end(), op->name()) == names.end()) names.emplace_back(op->name());
      return;
    }
    const Tensor each = spec.kink_distance ? spec.kink_distance(in, tape.nodes[node].attributes) : in[0];
    if (spec.kinks > 1) {
      record_.nodes.push_back({node, op, min(each, 0).value().reshape(out.shape()), each});
      return;
    }
    const bool fits = each.shape() == out.shape() || each.shape() == in.shape(0);
    if (!fits)
      throw ShapeError(fmt::format(
          "[{}] kink_distance gave {}; give a number for each element of the result, {}, or of input 0, {}",
          op->name(), each.shape().to_string(), out.shape().to_string(), in.shape(0).to_string()));
    record_.nodes.push_back({node, op, each, each});
  }

 private:
  KinkRecord& record_;
};

/// Elements on another side of one of their kinks.
Index flips_of(const KinkedNode& a, const KinkedNode& b) {
  Index flips = 0;
  const Index n = a.distance.size();
  for (Index i = 0; i < n; ++i) {
    bool flipped = false;
    for (Index k = i; k < a.each.size(); k += n)
      flipped = flipped || (a.each.flat(k) >= 0.0) != (b.each.flat(k) >= 0.0);
    flips += flipped;
  }
  return flips;
}

}  // namespace

KinkRecord record_kinks(VarFunction f, const Tensor& x) {
  KinkRecord record;
  Tape tape;
  KinkProbe probe(record);
  const Probing watch(VarAccess::state(tape), probe);
  record.value = detach(f(tape.input(x)));
  return record;
}

Index count_flips(const KinkRecord& a, const KinkRecord& b) {
  if (a.nodes.size() != b.nodes.size()) return -1;
  Index flips = 0;
  for (std::size_t k = 0; k < a.nodes.size(); ++k) {
    const KinkedNode &left = a.nodes[k], &right = b.nodes[k];
    if (left.op != right.op || left.distance.shape() != right.distance.shape()) return -1;
    flips += flips_of(left, right);
  }
  return flips;
}

Tensor moved_along(const Tensor& x, double t, const Tensor& v) { return (Var(x) + t * Var(v)).value(); }

}  // namespace detail

using detail::count_flips;
using detail::KinkedNode;
using detail::KinkRecord;
using detail::moved_along;
using detail::record_kinks;

KinkDistances kink_distances(VarFunction f, const Tensor& x) {
  KinkRecord record = record_kinks(f, x);
  KinkDistances distances{.value = record.value.value(), .operations = {}};
  for (KinkedNode& node : record.nodes)
    distances.operations.push_back({node.node, node.op->name(), std::move(node.distance)});
  return distances;
}

KinkAudit kink_audit(VarFunction f, const Tensor& x, const KinkAuditOptions& options) {
  if (options.closest < 0)
    throw DomainError(fmt::format("[kink_audit] closest is {}; give 0 or more", options.closest));
  KinkRecord record = record_kinks(f, x);
  KinkAudit audit;
  audit.unknown = std::move(record.unknown);
  struct Place {
    double distance;
    std::size_t operation;
    Index element;
  };
  std::vector<Place> nearest;  // a heap of the nearest, the farthest of them on top
  const auto nearer = [](const Place& a, const Place& b) {
    const double p = std::fabs(a.distance), q = std::fabs(b.distance);
    return p != q ? p < q : a.operation != b.operation ? a.operation < b.operation : a.element < b.element;
  };
  for (std::size_t k = 0; k < record.nodes.size(); ++k) {
    const KinkedNode& node = record.nodes[k];
    KinkOperation row{.node = node.node,
                      .operation = node.op->name(),
                      .shape = node.distance.shape(),
                      .below = 0,
                      .at_kink = 0,
                      .closest = HUGE_VAL};
    for (Index i = 0; i < node.distance.size(); ++i) {
      const double d = node.distance.flat(i);
      if (!std::isfinite(d)) continue;
      row.below += d < 0.0;
      row.at_kink += d == 0.0;
      row.closest = std::min(row.closest, std::fabs(d));
      if (options.closest == 0) continue;
      const Place place{d, k, i};
      if (static_cast<Index>(nearest.size()) == options.closest) {
        if (!nearer(place, nearest.front())) continue;
        std::pop_heap(nearest.begin(), nearest.end(), nearer);
        nearest.pop_back();
      }
      nearest.push_back(place);
      std::push_heap(nearest.begin(), nearest.end(), nearer);
    }
    audit.elements += node.distance.size();
    audit.at_kink += row.at_kink;
    audit.operations.push_back(std::move(row));
  }
  std::sort(nearest.begin(), nearest.end(), nearer);
  for (const Place& place : nearest) {
    const KinkOperation& row = audit.operations[place.operation];
    audit.closest.push_back({row.node, row.operation, row.shape.position(place.element), place.distance});
  }
  return audit;
}

KinkAudit kink_audit(VarFunction f, const Params& w, const KinkAuditOptions& options) {
  return kink_audit(f, w.flat(), options);
}

std::string KinkAudit::to_string() const {
  std::string text = fmt::format("{} elements of {} operations with a kink, {} exactly at it", elements,
                                 operations.size(), at_kink);
  for (const KinkOperation& row : operations)
    text += fmt::format("\n{:>6}  {:<14} {:<12} {} below, {} at the kink, closest {}", row.node,
                        row.operation, row.shape.to_string(), row.below, row.at_kink,
                        std::isinf(row.closest) ? "none" : fmt::format("{:.3g}", row.closest));
  if (!closest.empty()) text += "\nclosest:";
  for (const KinkPoint& point : closest)
    text += fmt::format("\n{:>6}  {:<14} {:<12} {: .6g}", point.node, point.operation, point.element,
                        point.distance);
  for (const std::string& name : unknown)
    text += fmt::format("\nnot audited: {} does not say whether and where it has kinks", name);
  return text;
}

MaskFlips mask_flips(VarFunction f, const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape())
    throw ShapeError(fmt::format("[mask_flips] the points are {} and {}; give two of one shape",
                                 a.shape().to_string(), b.shape().to_string()));
  const KinkRecord at_a = record_kinks(f, a), at_b = record_kinks(f, b);
  if (count_flips(at_a, at_b) < 0)
    throw DomainError(fmt::format(
        "[mask_flips] f records {} operations with a kink at the first point and {} at the second, "
        "or others, or of other shapes; compare points where the C++ code takes the same branches",
        at_a.nodes.size(), at_b.nodes.size()));
  MaskFlips result;
  for (std::size_t k = 0; k < at_a.nodes.size(); ++k) {
    const KinkedNode& node = at_a.nodes[k];
    const Index flips = detail::flips_of(node, at_b.nodes[k]);
    result.operations.push_back({node.node, node.op->name(), node.distance.shape(), flips});
    result.elements += node.distance.size();
    result.flipped += flips;
  }
  return result;
}

MaskFlips mask_flips(VarFunction f, const Params& a, const Params& b) {
  return mask_flips(f, a.flat(), b.flat());
}

std::string MaskFlips::to_string() const {
  std::string text = fmt::format("{} of {} elements changed sides", flipped, elements);
  for (const Row& row : operations)
    text +=
        fmt::format("\n{:>6}  {:<14} {:<12} {}", row.node, row.operation, row.shape.to_string(), row.flipped);
  return text;
}

namespace {

/// Steps from x along v, of largest magnitude 1, relative to max(1, |x_i|) for every number that they change:
/// kinks nearer than the first count as at x.
struct Steps {
  double nearest = 0.0;
  double farthest = HUGE_VAL;
  Steps(const Tensor& x, const Tensor& v) {
    constexpr double kNearest = 1e-12, kFarthest = 1e-5,
                     kVisible = 64.0 * std::numeric_limits<double>::epsilon();
    const auto each = [&](auto visit) {
      for (std::size_t i = 0; i < x.data().size(); ++i)
        if (const double along = std::fabs(v.data()[i]); along > 0.0) visit(std::fabs(x.data()[i]), along);
    };
    each([&](double size, double along) {
      farthest = std::min(farthest, kFarthest * std::max(1.0, size) / along);
    });
    nearest = farthest * (kNearest / kFarthest);
    each([&](double size, double along) {  // no change is lost in rounding, if the farthest step's is not
      if (along * farthest > kVisible * size) nearest = std::max(nearest, kVisible * size / along);
    });
  }
};

/// How many of the elements exactly at a kink in `here` still are in `kinks`.
Index still_at_kink(const KinkRecord& here, const KinkRecord& kinks) {
  if (count_flips(here, kinks) < 0) return 0;
  Index count = 0;
  for (std::size_t k = 0; k < here.nodes.size(); ++k)
    for (std::size_t i = 0; i < here.nodes[k].each.data().size(); ++i)
      count += here.nodes[k].each.data()[i] == 0.0 && kinks.nodes[k].each.data()[i] == 0.0;
  return count;
}

/// The derivative along v just beside x, towards side = 1 or -1, and the kinks there. The piece beside x is
/// the one that the nearest step leads to; longer ones are taken for as long as they stay on it.
double beside(VarFunction f, const Tensor& x, const Tensor& v, double side, const KinkRecord& here,
              KinkRecord& kinks) {
  const auto record = [&](double t) { return record_kinks(f, moved_along(x, t, v)); };
  const auto stays = [&](double t) { return count_flips(kinks, record(t)) == 0; };
  const Steps steps(x, v);
  double t = side * steps.nearest;
  kinks = record(0.25 * t);
  // A step may be lost in the rounding of f: what leaves its kink at all is to have left it.
  if (still_at_kink(here, kinks) > 0) {
    const Index never = still_at_kink(here, record(side * steps.farthest));
    double seen = t;
    KinkRecord there = kinks;
    while (still_at_kink(here, there) > never && std::fabs(16.0 * seen) <= steps.farthest)
      there = record(0.25 * (seen *= 16.0));
    if (still_at_kink(here, there) <= never) {
      t = seen;
      kinks = std::move(there);
    }
  }
  const auto at = [&](double s) { return dot(grad(f, moved_along(x, s, v)), v).item(); };
  if (!stays(0.5 * t) || !stays(t)) return at(0.25 * t);
  while (std::fabs(16.0 * t) <= steps.farthest && stays(4.0 * t) && stays(8.0 * t) && stays(16.0 * t))
    t *= 16.0;
  return (at(t) - 6.0 * at(0.5 * t) + 8.0 * at(0.25 * t)) / 3.0;
}

}  // namespace

OneSided one_sided_derivatives(VarFunction f, const Tensor& x, const Tensor& v) {
  if (x.shape() != v.shape())
    throw ShapeError(
        fmt::format("[one_sided_derivatives] the direction is {}, the point is {}; give one like it",
                    v.shape().to_string(), x.shape().to_string()));
  const auto finite = [](const Tensor& t) {
    return std::all_of(t.data().begin(), t.data().end(), [](double a) { return std::isfinite(a); });
  };
  if (!finite(x) || !finite(v))
    throw DomainError(
        "[one_sided_derivatives] the point or the direction is not finite; give finite numbers");
  OneSided result;
  const double length = v.size() == 0 ? 0.0 : norm(v, {.kind = Norm::infinity}).item();
  if (length == 0.0) return result;
  const Tensor direction = (Var(v) / length).value();
  const KinkRecord here = record_kinks(f, x);
  KinkRecord before, after;
  result.left = length * beside(f, x, direction, -1.0, here, before);
  result.right = length * beside(f, x, direction, 1.0, here, after);
  result.flips = std::max<Index>(count_flips(before, after), 0);
  return result;
}

OneSided one_sided_derivatives(VarFunction f, const Params& w, const Params& v) {
  return one_sided_derivatives(f, w.flat(), v.flat());
}

std::string OneSided::to_string() const {
  return fmt::format("from the left {:.12g}, from the right {:.12g}; kinks between: {}", left, right, flips);
}

}  // namespace cotangent
