// The probe that keeps what a replay needs: constants that the tape drops among them.
#include "enclose/record/program.hpp"

#include <string_view>

namespace cotangent::enclosing {
namespace {

class Recorder final : public detail::Probe {
 public:
  explicit Recorder(Program& program) : steps_(program.steps) {}

  void recorded(const detail::TapeState& tape, std::uint32_t node, const OpInputs& in,
                const Tensor& out) override {
    Step& step = step_at(node);
    const detail::Node& record = tape.nodes[node];
    step.op = record.op;
    step.attributes = record.attributes;
    step.shape = out.shape();
    for (std::uint32_t j = 0; j < record.num_inputs; ++j) {
      step.sources.push_back(tape.source(record, j));
      step.constants.push_back(step.sources.back() == kNoNode ? in[static_cast<int>(j)] : Tensor());
    }
    if (rule_ != kNoNode && (is(record.op, "put_along_axis") || is(record.op, "take_along_axis")))
      inherit_positions(step, steps_[rule_]);
  }
  void input(const detail::TapeState&, std::uint32_t node, const Tensor& value) override {
    Step& step = step_at(node);
    step.numbers = value;
    step.shape = value.shape();
  }
  void rule_begins(std::uint32_t node) override { rule_ = node; }
  void rule_ended(std::uint32_t) override { rule_ = kNoNode; }
  bool opens_checkpoints() const override { return true; }
  bool records_constants() const override { return true; }

 private:
  Step& step_at(std::uint32_t node) {
    if (steps_.size() <= node) steps_.resize(std::size_t{node} + 1);
    return steps_[node];
  }
  /// `step` was recorded by the rule of `ruled`: a maximum, or what goes by the positions of one.
  static void inherit_positions(Step& step, const Step& ruled) {
    const bool from_extreme = is(ruled.op, "max") || is(ruled.op, "min");
    if (!from_extreme && ruled.extreme == 0) return;
    step.extreme = !from_extreme ? ruled.extreme : is(ruled.op, "max") ? 1 : -1;
    step.sources.push_back(ruled.sources.back());
    step.constants.push_back(ruled.constants.back());
  }
  static bool is(const Op* op, std::string_view name) { return op && op->name() == name; }

  std::vector<Step>& steps_;
  std::uint32_t rule_ = kNoNode;  // whose rule is at work
};

}  // namespace

Program program_of(VarFunction f, const Tensor& w) {
  Program program;
  Tape tape;
  Recorder recorder(program);
  const detail::Probing watch(detail::VarAccess::state(tape), recorder);
  const Var at = tape.input(w);
  program.input = detail::VarAccess::node(at);
  const Var y = f(at);
  if (!y.tracked())
    program.constant = y.value();
  else
    program.result = detail::VarAccess::node(y);
  return program;
}

}  // namespace cotangent::enclosing
