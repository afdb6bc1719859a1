// Every operation's row rule and per-sample factor, at every axis, against what the operation does: which
// numbers of the result change with which of an input, and the inputs' cotangents by one sample at a time.
#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tape/sweep.hpp"
#include "autodiff/transforms.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/op_table.hpp"

namespace cotangent {
namespace {

using detail::Around;
using detail::kBlocked;
using detail::kFactor;
using test::expect_close;

/// One recorded operation, with numbers for all its inputs.
class Recorded {
 public:
  Recorded(const detail::TapeState& tape, std::uint32_t node, Rng& rng)
      : op_(tape.nodes[node].op),
        attributes_(tape.nodes[node].attributes),
        out_(tape.nodes[node].output.shape()),
        pullback_(detail::recorded(tape, node)) {
    const auto keep = static_cast<unsigned>(op_->spec().keep);
    const bool kept = (keep & static_cast<unsigned>(detail::Keep::kInputs)) != 0;
    // An operation that does not keep its inputs takes any positive ones.
    for (int j = 0; j < pullback_.count(); ++j)
      inputs_.push_back(kept ? pullback_.in(j).value() : rng.uniform(pullback_.shape(j), 0.5, 1.5));
  }

  const Op& op() const { return *op_; }
  const OpRecord& pullback() const { return pullback_; }
  const Shape& out() const { return out_; }
  int count() const { return pullback_.count(); }
  const Tensor& in(int j) const { return inputs_[static_cast<std::size_t>(j)]; }

  /// The operation with x for its input j.
  Var with(int j, const Var& x) const {
    std::vector<Var> vars(inputs_.begin(), inputs_.end());
    vars[static_cast<std::size_t>(j)] = x;
    std::vector<const Var*> pointers;
    for (const Var& v : vars) pointers.push_back(&v);
    return detail::apply(*op_, pointers, attributes_, &out_);
  }

  /// The numbers of the result that change when number i of input j takes one of several other values.
  std::set<Index> changed_by(int j, Index i) const {
    const auto at = static_cast<std::size_t>(i);
    const double old = in(j).data()[at];
    std::vector<double> others{old + 2.5, old - 2.5, old + 1.0, old - 1.0, old * (1.0 + 1e-9)};
    for (int k = 0; k < count(); ++k)
      if (in(k).size() == in(j).size()) others.push_back(in(k).data()[at]);
    // The engine's own put_along_axis does not check positions.
    if (j == 1 && std::string(op_->name()) == "put_along_axis") {
      others.clear();
      for (Index k = 0; k < attributes_.whole[1]; ++k) others.push_back(static_cast<double>(k));
    }
    const Tensor before = with(j, in(j)).value();
    std::set<Index> changed;
    for (const double other : others) {
      try {
        const Tensor after = with(j, test::moved(in(j), i, other - old)).value();
        for (Index o = 0; o < before.size(); ++o) {
          const double a = before.data()[static_cast<std::size_t>(o)];
          const double b = after.data()[static_cast<std::size_t>(o)];
          if (a != b && !(std::isnan(a) && std::isnan(b))) changed.insert(o);
        }
      } catch (const std::exception&) {  // not a position, or not positive definite
      }
    }
    return changed;
  }

 private:
  const Op* op_;
  OpAttributes attributes_;
  Shape out_;
  OpRecord pullback_;
  std::vector<Tensor> inputs_;
};

Index index_along(const Shape& shape, int axis, Index at) {
  const Around s(shape, axis);
  return at / s.inner % s.middle;
}

/// For one input, the numbers of the result that each of its numbers changes.
using Influence = std::vector<std::set<Index>>;

Influence influence_of(const Recorded& node, int j) {
  Influence changed;
  for (Index i = 0; i < node.in(j).size(); ++i) changed.push_back(node.changed_by(j, i));
  return changed;
}

bool none(const Influence& changed) {
  return std::all_of(changed.begin(), changed.end(), [](const auto& c) { return c.empty(); });
}

/// Whether slab k of the input along `a` changes slab k of the result along `axis` and nothing else.
bool aligned(const Recorded& node, int j, const Influence& changed, int a, int axis) {
  const Shape& in = node.in(j).shape();
  if (in[a] != node.out()[axis]) return false;
  for (Index i = 0; i < node.in(j).size(); ++i)
    for (const Index o : changed[static_cast<std::size_t>(i)])
      if (index_along(in, a, i) != index_along(node.out(), axis, o)) return false;
  return true;
}

std::optional<int> aligned_axis(const Recorded& node, int j, const Influence& changed, int axis) {
  for (int a = 0; a < node.in(j).rank(); ++a)
    if (aligned(node, j, changed, a, axis)) return a;
  return {};
}

/// Runs every row of the table and hands over each operation it records: those with a row rule, or all.
void for_each_recorded(const std::function<void(const Recorded&)>& visit, bool all = false) {
  Rng rng(17);
  for (const test::OpRow& row : test::op_table()) {
    SCOPED_TRACE(row.name);
    Tape tape;
    std::vector<Var> vars;
    for (const test::Plain& input : test::random_inputs(row))
      vars.push_back(tape.input(test::tensor_of(input)));
    row.function(vars);
    const detail::TapeState& state = detail::VarAccess::state(tape);
    for (std::uint32_t i = 0; i < state.nodes.size(); ++i) {
      const Op* op = state.nodes[i].op;
      if (!op || !(all || op->spec().row_rule)) continue;
      SCOPED_TRACE(op->name());
      visit(Recorded(state, i, rng));
    }
  }
}

int answer_of(const Recorded& node, int axis, int j) {
  return node.op().spec().row_rule(detail::NodeView{node.pullback()}, axis, j);
}

/// Parts that are the whole: their rule goes by the axis alone.
bool takes_all(const Recorded& node) {
  const std::string name = node.op().name();
  return (name == "slice" || name == "unslice" || name == "concat") && node.in(0).shape() == node.out();
}

void expect_sound(const Recorded& node, const std::vector<Influence>& influences, int axis) {
  int axes = 0, shared = 0, blocked = 0, mixing = 0;
  for (int j = 0; j < node.count(); ++j) {
    SCOPED_TRACE("input " + std::to_string(j) + " " + node.in(j).shape().to_string());
    const int answer = answer_of(node, axis, j);
    const Influence& changed = influences[static_cast<std::size_t>(j)];
    const auto own = none(changed) ? std::nullopt : aligned_axis(node, j, changed, axis);
    (answer == kFactor ? shared : answer == kBlocked ? blocked : axes) += 1;
    mixing += !none(changed) && !own;
    if (answer >= 0) {
      ASSERT_LT(answer, node.in(j).rank());
      EXPECT_TRUE(aligned(node, j, changed, answer, axis)) << "the rule says axis " << answer;
    }
    EXPECT_FALSE(answer == kFactor && own) << "not shared: each sample has its own along some axis";
  }
  EXPECT_TRUE(blocked == 0 || blocked == node.count()) << "samples mix or they do not";
  EXPECT_TRUE(blocked == 0 || mixing > 0 || takes_all(node)) << "refused, but no samples mix";
  // The samples come from somewhere: from another input, or from repetition.
  EXPECT_TRUE(shared == 0 || axes > 0 || std::string(node.op().name()) == "broadcast_to");
}

TEST(RowRules, AtEveryAxisTheySayWhatChangesWithWhat) {
  int count = 0;
  for_each_recorded([&](const Recorded& node) {
    std::vector<Influence> influences;
    for (int j = 0; j < node.count(); ++j) influences.push_back(influence_of(node, j));
    for (int axis = 0; axis < node.out().rank(); ++axis) {
      if (node.out()[axis] < 2) continue;  // of one sample, anything is true
      SCOPED_TRACE("axis " + std::to_string(axis) + " of " + node.out().to_string());
      expect_sound(node, influences, axis);
      ++count;
    }
  });
  EXPECT_GT(count, 500);
}

TEST(RowRules, SumsAndMultiplesAreWhatTheySay) {
  std::set<std::string> found;
  for_each_recorded(
      [&](const Recorded& node) {
        const OpLinear linear = node.op().spec().linear;
        if (linear == OpLinear::other) return;
        found.insert(node.op().name());
        const Tensor value = node.with(0, node.in(0)).value();
        if (linear == OpLinear::sum && value.rank() == 0) {
          ASSERT_EQ(node.count(), 1);
          expect_close(value, sum(node.in(0)).value(), 1e-14);
        }
        for (int j = 0; j < (linear == OpLinear::in_each ? node.count() : 1); ++j) {
          SCOPED_TRACE("input " + std::to_string(j));
          expect_close(node.with(j, -3.0 * Var(node.in(j))).value(), (-3.0 * Var(value)).value(), 1e-14);
        }
      },
      true);
  EXPECT_EQ(found, (std::set<std::string>{"div", "mul", "scale", "sum", "sum_axis", "view"}));
}

TEST(RowRules, WhereManyNumbersMeetManyAnOperationSaysWhatItCosts) {
  // But for those that depend on a line by one or two numbers of it, those that may put a number anywhere,
  // and those whose map alone knows.
  const std::set<std::string> others{
      "deviations",    "log_softmax", "log_softmax_slope",    "norm", "softmax",
      "softmax_slope", "sum_others",  "put_along_axis",       "unit", "centred",
      "scatter_rows",  "linear_map",  "linear_map_transposed"};
  std::set<std::string> products, silent;
  for_each_recorded(
      [&](const Recorded& node) {
        std::size_t pairs = 0;
        Index numbers = node.out().size();
        for (int j = 0; j < node.count(); ++j) {
          numbers += node.in(j).size();
          for (const std::set<Index>& changed : influence_of(node, j)) pairs += changed.size();
        }
        const auto rule = node.op().spec().flops;
        if (rule) {
          products.insert(node.op().name());
          EXPECT_GE(2.0 * rule(node.pullback(), detail::kValue), static_cast<double>(node.out().size()));
        } else if (pairs > static_cast<std::size_t>(numbers)) {
          silent.insert(node.op().name());
        }
      },
      true);
  EXPECT_EQ(products,
            (std::set<std::string>{"batch_matmul", "linear", "log_det_spd", "matmul", "solve_spd"}));
  for (const std::string& name : silent) EXPECT_TRUE(others.contains(name)) << name << " needs .flops";
}

/// What a factor stands for: one row a sample.
Tensor rows_of(const detail::RowFactor& factor, Index size) {
  const Index n = factor.delta.size(0), p = factor.delta.size(1);
  if (factor.data.rank() != 2) return factor.delta;
  const Index q = factor.data.size(1);
  EXPECT_EQ(p * q, size);
  return test::tensor_by(Shape{n, p * q}, [&](Index k) {
    const Index i = k / (p * q), at = k % (p * q);
    return factor.data_first ? factor.data(i, at / p) * factor.delta(i, at % p)
                             : factor.delta(i, at / q) * factor.data(i, at % q);
  });
}

TEST(RowRules, FactorsAreTheGradientsOfOneSampleAtATime) {
  Rng rng(18);
  int count = 0;
  for_each_recorded([&](const Recorded& node) {
    const auto rule = node.op().spec().row_factor;
    if (!rule) return;
    const Tensor g = rng.normal(node.out());
    for (int axis = 0; axis < node.out().rank(); ++axis)
      for (int j = 0; j < node.count(); ++j) {
        if (node.out()[axis] < 2 || answer_of(node, axis, j) != kFactor) continue;
        SCOPED_TRACE("axis " + std::to_string(axis) + " of " + node.out().to_string() + ", input " +
                     std::to_string(j) + " " + node.in(j).shape().to_string());
        const Index n = node.out()[axis], size = node.in(j).size();
        std::vector<double> expected;
        for (Index i = 0; i < n; ++i) {
          const Tensor own = test::tensor_by(node.out(), [&](Index k) {
            return index_along(node.out(), axis, k) == i ? g.data()[static_cast<std::size_t>(k)] : 0.0;
          });
          const Tensor row = grad([&](const Var& x) { return sum(own * node.with(j, x)); }, node.in(j));
          expected.insert(expected.end(), row.data().begin(), row.data().end());
        }
        expect_close(rows_of(rule(node.pullback(), axis, j, g), size), Tensor::from(expected, Shape{n, size}),
                     1e-12);
        ++count;
      }
  });
  EXPECT_GT(count, 50);
}

}  // namespace
}  // namespace cotangent
