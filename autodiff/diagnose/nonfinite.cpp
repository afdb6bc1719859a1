// trace_nonfinite: a probe that looks at every number and keeps them all, so that it can say what led there.
#include "autodiff/nonfinite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/diagnose/tape_names.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tape/probe.hpp"
#include "autodiff/tape/sweep.hpp"

namespace cotangent {
namespace {

using detail::kNoNode;
using detail::TapeState;
using detail::VarAccess;

constexpr std::size_t kChain = 8;

/// A NaN without its sign, which says nothing.
double plain(double v) { return std::isnan(v) ? std::fabs(v) : v; }

/// What an array holds, in short.
struct Content {
  double smallest = HUGE_VAL;
  double largest = -HUGE_VAL;
  Index nonfinite = 0;
  Index nans = 0;
  Index first = -1;      // the first element that is not finite
  Index first_nan = -1;  // the first NaN

  static Content of(const Tensor& x) {
    Content r;
    for (Index i = 0; i < x.size(); ++i) {
      const double v = x.flat(i);
      if (std::isfinite(v)) {
        r.smallest = std::min(r.smallest, v);
        r.largest = std::max(r.largest, v);
        continue;
      }
      if (r.nonfinite++ == 0) r.first = i;
      if (std::isnan(v) && r.nans++ == 0) r.first_nan = i;
    }
    return r;
  }
  std::string text() const {
    std::string text = smallest <= largest ? fmt::format("{:.4g} .. {:.4g}", smallest, largest) : "";
    if (nans > 0) text += fmt::format("{}{} nan", text.empty() ? "" : ", ", nans);
    if (nonfinite > nans) text += fmt::format("{}{} infinite", text.empty() ? "" : ", ", nonfinite - nans);
    return text;
  }
};

class NonfiniteProbe : public detail::Probe {
 public:
  NonfiniteProbe(const Params& w, std::optional<NonfiniteReport>& report) : w_(w), report_(report) {}

  void leaf(const TapeState& tape, const Tensor& value) {
    const Content range = range_of_node(0, value);
    if (const Index at = wanted(range); at >= 0) {
      NonfiniteEvent event = event_at(value, range, at);
      event.pass = Pass::point;
      event.operation = "input";
      event.parameters = {w_.position_name(at)};
      event.chain = chain(tape, {0}, 0);
      add(std::move(event));
    }
  }

  void recorded(const TapeState& tape, std::uint32_t node, const OpInputs& in,
                const Tensor& output) override {
    const Content range = range_of_node(node, output);
    const detail::Node& record = tape.nodes[node];
    operands_.resize(tape.inputs.size());
    for (int j = 0; j < in.count(); ++j) operands_[record.first_input + static_cast<std::size_t>(j)] = in[j];
    const Index at = wanted(range);
    if (at < 0) return;
    NonfiniteEvent event = event_at(output, range, at);
    const bool in_rule = rule_ != kNoNode;
    describe(tape, in_rule ? rule_ : node, event);
    event.pass = in_rule ? Pass::backward : Pass::forward;
    if (in_rule) event.inside = detail::operation_name(record);
    add_operands(tape, record, output.shape(), at, event);
    event.chain = chain(tape, detail::chain_before(tape, node, kChain), node);
    add(std::move(event));
  }

  void rule_begins(std::uint32_t node) override { rule_ = node; }
  void rule_ended(std::uint32_t) override { rule_ = kNoNode; }

  bool sees_contributions() const override { return true; }
  bool opens_checkpoints() const override { return true; }
  void contribution(const TapeState& tape, std::uint32_t node, int j, const Var& c) override {
    note_backward(tape, node, j, c.value());
  }
  void cotangent(const TapeState& tape, std::uint32_t node, const Var& g) override {
    note_backward(tape, node, -1, g.value());
  }
  void set_last(std::uint32_t last) { last_ = last; }

  static NonfiniteEvent event_at(const Tensor& x, const Content& range, Index at) {
    NonfiniteEvent event;
    event.value = plain(x.flat(at));
    event.shape = x.shape();
    event.element = x.shape().position(at);
    event.count = range.nonfinite;
    return event;
  }

 private:
  /// The element of a new event, or -1: the first number that is not finite, and later the first NaN.
  Index wanted(const Content& range) const {
    if (!report_) return range.first;
    const bool nan_known = std::isnan(report_->first.value) || report_->first_nan;
    return nan_known ? -1 : range.first_nan;
  }

  void add(NonfiniteEvent event) {
    if (!report_)
      report_.emplace().first = std::move(event);
    else
      report_->first_nan = std::move(event);
  }

  /// Of a rule's contribution to its operand j, or (j < 0) of a complete cotangent.
  void note_backward(const TapeState& tape, std::uint32_t node, int j, const Tensor& c) {
    const Content range = Content::of(c);
    const Index at = wanted(range);
    if (at < 0) return;
    NonfiniteEvent event = event_at(c, range, at);
    describe(tape, node, event);
    event.pass = Pass::backward;
    const detail::Node& record = tape.nodes[node];
    std::uint32_t whose = node;
    if (j < 0) {
      event.inside = "sum of cotangents";
    } else {
      event.operand = j;
      whose = tape.source(record, static_cast<std::uint32_t>(j));
    }
    if (std::string name = detail::parameter_element(tape, whose, at, w_); !name.empty())
      event.parameters = {std::move(name)};
    add_operands(tape, record, c.shape(), at, event);
    event.chain = chain(tape, detail::chain_after(tape, node, std::max(last_, node), kChain), node);
    add(std::move(event));
  }

  void describe(const TapeState& tape, std::uint32_t node, NonfiniteEvent& event) const {
    event.operation = detail::operation_name(tape.nodes[node]);
    event.node = node;
    event.parameters = detail::nearest_parameters(tape, node, w_);
  }

  /// The operands of `record`, with their numbers at element `at` of an array of shape `result`.
  void add_operands(const TapeState& tape, const detail::Node& record, const Shape& result, Index at,
                    NonfiniteEvent& event) const {
    for (std::uint32_t j = 0; j < record.num_inputs; ++j) {
      const Tensor& value = operands_[record.first_input + j];
      const std::uint32_t source = tape.source(record, j);
      NonfiniteOperand o;
      o.shape = value.shape();
      o.source = source == kNoNode ? "constant" : detail::parameter_name(tape, source, w_);
      if (o.source.empty())
        o.source = fmt::format("{}, node {}", detail::operation_name(tape.nodes[source]), source);
      if (value.shape() == result) o.at = plain(value.flat(at));
      if (value.rank() == 0) o.at = plain(value.item());
      const Content range = Content::of(value);
      o.smallest = range.smallest;
      o.largest = range.largest;
      o.nonfinite = range.nonfinite;
      event.operands.push_back(std::move(o));
    }
  }

  const Content& range_of_node(std::uint32_t node, const Tensor& value) {
    if (ranges_.size() <= node) ranges_.resize(std::size_t{node} + 1);
    return ranges_[node] = Content::of(value);
  }

  std::string chain(const TapeState& tape, const std::vector<std::uint32_t>& nodes,
                    std::uint32_t marked) const {
    std::string text;
    for (const std::uint32_t i : nodes) {
      const detail::Node& node = tape.nodes[i];
      std::string inputs;
      for (std::uint32_t j = 0; j < node.num_inputs; ++j) {
        const std::uint32_t source = tape.source(node, j);
        if (source == kNoNode) {
          inputs += "  const";
          continue;
        }
        const std::string name = detail::parameter_name(tape, source, w_);
        inputs += name.empty() ? fmt::format("  {}", source) : "  " + name;
      }
      text +=
          fmt::format("{}{} {:>5}  {:<12} {:<10} {}  ({})", text.empty() ? "" : "\n",
                      i == marked ? "->" : "  ", i, detail::operation_name(node),
                      node.output.shape().to_string(), inputs, i < ranges_.size() ? ranges_[i].text() : "");
    }
    return text;
  }

  const Params& w_;
  std::optional<NonfiniteReport>& report_;
  std::vector<Content> ranges_;   // of every node's output
  std::vector<Tensor> operands_;  // as tape.inputs, all with their numbers
  std::uint32_t rule_ = kNoNode;
  std::uint32_t last_ = 0;
};

/// Of a value or a derivative that is not finite although no recorded operation made it so.
NonfiniteEvent from_outside(const Tensor& y, const Content& range, int order) {
  NonfiniteEvent event = NonfiniteProbe::event_at(y, range, range.first);
  event.pass = Pass::outside;
  event.operation = order == 0 ? "value" : order == 1 ? "derivative" : "second derivative";
  return event;
}

std::optional<NonfiniteReport> trace(VarFunction f, const Tensor& x, const Params& w,
                                     const NonfiniteOptions& options) {
  if (options.order < 0 || options.order > 2)
    throw DomainError(fmt::format("[trace_nonfinite] order {}; ask for 0, 1 or 2", options.order));
  std::optional<NonfiniteReport> report;
  Tape tape;
  TapeState& state = VarAccess::state(tape);
  NonfiniteProbe probe(w, report);
  const detail::Probing watch(state, probe);
  const Var at = tape.input(x);
  probe.leaf(state, x);
  Var y = f(at);
  std::optional<NonfiniteEvent> result;
  const auto look = [&](int order) {
    const Content range = Content::of(y.value());
    if (range.nonfinite > 0 && !result) result = from_outside(y.value(), range, order);
  };
  look(0);
  for (int order = 1; order <= options.order && y.tracked(); ++order) {
    if (y.size() != 1) y = sum(y);
    probe.set_last(VarAccess::node(y));
    y = tape.grad(y, at, {.create_graph = order < options.order});
    look(order);
  }
  if (!report && result) report.emplace().first = *result;
  if (report) report->result_finite = !result;
  return report;
}

std::string indented(const std::string& text) {
  std::string out = "    ";
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "    ";
  }
  return out;
}

}  // namespace

const char* to_string(Pass pass) noexcept {
  constexpr const char* kNames[] = {"point", "forward", "backward", "outside"};
  return kNames[static_cast<std::size_t>(pass)];
}

std::optional<NonfiniteReport> trace_nonfinite(VarFunction f, const Params& w,
                                               const NonfiniteOptions& options) {
  return trace(f, w.flat(), w, options);
}

std::optional<NonfiniteReport> trace_nonfinite(VarFunction f, const Tensor& x,
                                               const NonfiniteOptions& options) {
  return trace(f, x, Params(x.reshape(Shape{x.size()}), {{"x", x.shape(), 0}}), options);
}

std::string NonfiniteEvent::to_string() const {
  std::string names;
  for (const std::string& name : parameters) names += (names.empty() ? "" : ", ") + name;
  const std::string where = element.empty() ? "" : " at " + element;
  const std::string many = fmt::format("{} of {} numbers", count, shape.size());
  if (pass == Pass::point) return fmt::format("the point: {} is {} ({} of w)", names, value, many);
  if (pass == Pass::outside)
    return fmt::format(
        "outside the record: the {} is {}{}, {}, and no recorded operation made it so; operations on "
        "constants "
        "and detached values are not recorded: put theirs onto the record by lift(X, w)",
        operation, value, where, many);
  std::string text = fmt::format("{} pass: ", cotangent::to_string(pass));
  if (pass == Pass::forward)
    text += fmt::format("{} (node {}) made {}{} of its result {}, {}", operation, node, value, where,
                        shape.to_string(), many);
  else if (operand)
    text += fmt::format("the rule of {} (node {}) made {}{} of its operand {}'s cotangent {}, {}", operation,
                        node, value, where, *operand, shape.to_string(), many);
  else if (inside == "sum of cotangents")
    text += fmt::format("summing the cotangents of {} (node {}) made {}{} of {}, {}", operation, node, value,
                        where, shape.to_string(), many);
  else
    text += fmt::format("{} in the rule of {} (node {}) made {}{} of its result {}, {}", inside, operation,
                        node, value, where, shape.to_string(), many);
  for (std::size_t j = 0; j < operands.size(); ++j) {
    const NonfiniteOperand& o = operands[j];
    text += fmt::format("\n  operand {}: {} {}", j, o.source, o.shape.to_string());
    if (o.at) text += fmt::format(", {} there", *o.at);
    if (o.smallest <= o.largest && o.shape.size() > 1)
      text += fmt::format(", from {:.6g} to {:.6g}", o.smallest, o.largest);
    if (o.nonfinite > 0) text += fmt::format(", {} not finite", o.nonfinite);
  }
  if (!names.empty()) text += "\n  parameters: " + names;
  return chain.empty() ? text : text + "\n  record:\n" + indented(chain);
}

std::string NonfiniteReport::to_string() const {
  std::string text = first.to_string();
  if (first_nan) text += "\nthe first nan: " + first_nan->to_string();
  if (result_finite) text += "\nvalue and derivatives are finite all the same";
  return text;
}

}  // namespace cotangent
