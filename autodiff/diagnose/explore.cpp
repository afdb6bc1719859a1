// explore: a probe with a clock.
#include "autodiff/explore.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <utility>

#include "autodiff/diagnose/tape_names.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/length.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tape/probe.hpp"
#include "autodiff/tape/sweep.hpp"

namespace cotangent {
namespace {

using detail::kNoNode;
using detail::TapeState;
using detail::TensorAccess;
using detail::VarAccess;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// What is measured of a node; of several runs the least.
struct Measured {
  double forward = HUGE_VAL;
  double backward = HUGE_VAL;
  double gradient_norm = -1.0;
};

class ClockProbe : public detail::Probe {
 public:
  explicit ClockProbe(std::vector<Measured>& nodes) : nodes_(nodes) {}
  void forward_begins() override { start_ = now(); }
  void recorded(const TapeState&, std::uint32_t node, const OpInputs&, const Tensor&) override {
    const double taken = now() - start_;
    if (nodes_.size() <= node) nodes_.resize(std::size_t{node} + 1);
    nodes_[node].forward = std::min(nodes_[node].forward, taken);
  }
  void cotangent(const TapeState&, std::uint32_t node, const Var& g) override {
    const double* numbers = g.value().data().data();
    nodes_[node].gradient_norm = kernel::length(numbers, g.size());
  }
  void rule_begins(std::uint32_t) override { start_ = now(); }
  void rule_ended(std::uint32_t node) override {
    nodes_[node].backward = std::min(nodes_[node].backward, now() - start_);
  }

 private:
  std::vector<Measured>& nodes_;
  double start_ = 0.0;
};

/// Whatever a record holds; every array counts once.
class Holdings {
 public:
  Index add(const Tensor& kept) {
    if (!TensorAccess::has_data(kept) || kept.size() == 0) return 0;
    const bool is_new = seen_.insert({kept.data().data(), kept.size()}).second;
    return is_new ? kept.size() * static_cast<Index>(sizeof(double)) : 0;
  }

 private:
  std::set<std::pair<const double*, Index>> seen_;
};

/// What two runs of a function have in common.
using Recorded = std::vector<std::pair<const Op*, Shape>>;

Recorded record_of(const TapeState& tape) {
  Recorded record;
  for (const detail::Node& node : tape.nodes) record.emplace_back(node.op, node.output.shape());
  return record;
}

void check_same(const Recorded& before, const Recorded& now) {
  const auto [a, b] = std::mismatch(before.begin(), before.end(), now.begin(), now.end());
  if (a == before.end() && b == now.end()) return;
  const auto text = [](const Recorded& record, Recorded::const_iterator at) {
    return at == record.end()
               ? "the end"
               : fmt::format("{} {}", at->first ? at->first->name() : "input", at->second.to_string());
  };
  throw DomainError(fmt::format(
      "[explore] f recorded {} nodes in one run and {} in the next; node {} was {} and then {}; give a "
      "function that does the same each time",
      before.size(), now.size(), a - before.begin(), text(before, a), text(now, b)));
}

void describe(const TapeState& tape, const std::vector<Measured>& nodes, const Tensor& gradient,
              const Params& w, const char* point, TapeReport& report) {
  Holdings holdings;
  for (std::uint32_t i = 0; i < tape.nodes.size(); ++i) {
    const detail::Node& node = tape.nodes[i];
    TapeRow row;
    row.node = i;
    row.operation = detail::operation_name(node);
    row.parameter = i == 0 ? point : detail::parameter_name(tape, i, w);
    row.shape = node.output.shape();
    row.bytes = holdings.add(node.output.value());
    for (std::uint32_t j = 0; j < node.num_inputs; ++j) {
      const std::uint32_t source = tape.source(node, j);
      row.inputs.push_back(source == kNoNode ? -1 : static_cast<Index>(source));
      row.bytes += holdings.add(tape.inputs[node.first_input + j].value());
    }
    const Measured m = i < nodes.size() ? nodes[i] : Measured{};
    row.forward_seconds = node.op ? m.forward : 0.0;
    if (m.backward < HUGE_VAL) row.backward_seconds = m.backward;
    if (m.gradient_norm >= 0.0) row.gradient_norm = m.gradient_norm;
    // The backward pass looks through views: their cotangent is a part of w's.
    Index offset = 0;
    if (!row.gradient_norm && gradient.size() > 0 && detail::behind_views(tape, i, offset) == 0) {
      const double* part = gradient.data().data() + offset;
      row.gradient_norm = kernel::length(part, row.shape.size());
    }
    report.value_bytes += row.bytes;
    report.rows.push_back(std::move(row));
  }
  report.record_bytes =
      static_cast<Index>(tape.nodes.size() * sizeof(detail::Node) + tape.inputs.size() * sizeof(Var));
}

/// One forward and one backward pass; the times of both.
struct Run {
  Tensor gradient;
  double forward = 0.0;
  double backward = 0.0;
};
Run run(Tape& tape, VarFunction f, const Tensor& x) {
  Run r;
  const Var at = tape.input(x);
  const double start = now();
  const Var y = f(at);
  const double middle = now();
  if (y.tracked()) r.gradient = tape.vjp(y, Tensor::ones(y.shape()), at).value();
  r.forward = middle - start;
  r.backward = now() - middle;
  return r;
}

TapeReport explore_at(VarFunction f, const Tensor& x, const Params& w, const char* point,
                      const ExploreOptions& options) {
  if (options.runs < 1) throw DomainError(fmt::format("[explore] runs is {}; give 1 or more", options.runs));
  TapeReport report;
  report.runs = options.runs;
  report.forward_seconds = report.backward_seconds = HUGE_VAL;
  std::vector<Measured> nodes;
  std::optional<Recorded> record;
  const auto compare = [&](const TapeState& tape) {
    Recorded now = record_of(tape);
    if (record) check_same(*record, now);
    record = std::move(now);
  };
  for (Index k = 0; k <= options.runs; ++k) {  // the first warms up
    {
      Tape plain;
      const Run r = run(plain, f, x);
      compare(VarAccess::state(plain));
      if (k > 0) {
        report.forward_seconds = std::min(report.forward_seconds, r.forward);
        report.backward_seconds = std::min(report.backward_seconds, r.backward);
      }
    }
    Tape tape;
    TapeState& state = VarAccess::state(tape);
    if (k <= 1) nodes.assign(1, {});
    ClockProbe probe(nodes);
    const detail::Probing watch(state, probe);
    const Run r = run(tape, f, x);
    compare(state);
    if (k == options.runs) describe(state, nodes, r.gradient, w, point, report);
  }
  return report;
}

std::string duration(double seconds) {
  return seconds < 1e-3  ? fmt::format("{:.1f} us", 1e6 * seconds)
         : seconds < 1.0 ? fmt::format("{:.2f} ms", 1e3 * seconds)
                         : fmt::format("{:.2f} s", seconds);
}

}  // namespace

TapeReport explore(VarFunction f, const Params& w, const ExploreOptions& options) {
  return explore_at(f, w.flat(), w, "w", options);
}

TapeReport explore(VarFunction f, const Tensor& x, const ExploreOptions& options) {
  return explore_at(f, x, Params(x.reshape(Shape{x.size()}), {{"x", x.shape(), 0}}), "x", options);
}

std::vector<TapeRow> costliest(const TapeReport& report, Index most) {
  std::vector<TapeRow> rows = report.rows;
  if (static_cast<Index>(rows.size()) <= most) return rows;
  const auto cost = [](const TapeRow& row) {
    return row.forward_seconds + row.backward_seconds.value_or(0.0);
  };
  const auto end = rows.begin() + std::max<Index>(most, 0);
  std::partial_sort(rows.begin(), end, rows.end(), [&](const TapeRow& a, const TapeRow& b) {
    return cost(a) != cost(b) ? cost(a) > cost(b) : a.node < b.node;
  });
  rows.erase(end, rows.end());
  std::sort(rows.begin(), rows.end(), [](const TapeRow& a, const TapeRow& b) { return a.node < b.node; });
  return rows;
}

std::string TapeReport::to_string(Index most) const {
  std::string text = fmt::format(
      "{} nodes; {} bytes of numbers, {} of the record; forward {}, backward {} (least of {} runs)",
      rows.size(), value_bytes, record_bytes, duration(forward_seconds), duration(backward_seconds), runs);
  const std::vector<TapeRow> shown = costliest(*this, most);
  if (shown.size() < rows.size()) text += fmt::format("; the {} nodes that take the most time", shown.size());
  text += fmt::format("\n{:>6}  {:<14} {:<14} {:>12} {:>11} {:>11} {:>11}  {}", "node", "operation", "shape",
                      "bytes", "forward", "backward", "|gradient|", "inputs");
  for (const TapeRow& row : shown) {
    std::string inputs;
    for (const Index input : row.inputs)
      inputs += (inputs.empty() ? "" : " ") + (input < 0 ? std::string("const") : std::to_string(input));
    if (!row.parameter.empty()) inputs += (inputs.empty() ? "= " : " = ") + row.parameter;
    text += fmt::format("\n{:>6}  {:<14} {:<14} {:>12} {:>11} {:>11} {:>11}  {}", row.node, row.operation,
                        row.shape.to_string(), row.bytes,
                        row.operation == "input" ? "" : duration(row.forward_seconds),
                        row.backward_seconds ? duration(*row.backward_seconds) : "",
                        row.gradient_norm ? fmt::format("{:.4g}", *row.gradient_norm) : "", inputs);
  }
  return text;
}

}  // namespace cotangent
