// trace_nonfinite: which operation first made a NaN or an infinity, in the forward or the backward pass.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "autodiff/transforms.hpp"

namespace cotangent {

/// point: w itself is not finite. backward: a rule gave a cotangent that is not finite, or summing cotangents
/// did. outside: the value is not finite, but was made of constants alone, which are not recorded.
enum class Pass { point, forward, backward, outside };
const char* to_string(Pass pass) noexcept;

/// An operand of the operation, as it was in the forward pass.
struct NonfiniteOperand {
  std::string source;  // "0.weight", "exp, node 5", "constant"
  Shape shape;
  std::optional<double>
      at;  // at the element concerned, where operand and result have one shape or it is a scalar
  double smallest = 0.0;  // of its finite numbers
  double largest = 0.0;
  Index nonfinite = 0;
};

/// Where a number that is not finite first appeared.
struct NonfiniteEvent {
  Pass pass = Pass::forward;
  /// "log"; in the backward pass the one whose rule it is; outside: "value", "derivative".
  std::string operation;
  Index node = 0;  // its place in the record: see Tape::to_string
  /// backward with a graph: the operation within the rule; summed cotangents: "sum of cotangents".
  std::string inside;
  double value = 0.0;            // nan, inf or -inf
  Shape shape;                   // of the array it is in: the result, or the cotangent of operand `operand`
  std::string element;           // "[3, 1]"
  Index count = 0;               // numbers of the array that are not finite
  std::optional<Index> operand;  // backward: whose cotangent it is
  std::vector<NonfiniteOperand> operands;
  /// "0.weight[3, 1]" for an element of w or of its gradient; else the parameters the operation reads, or the
  /// nearest before it.
  std::vector<std::string> parameters;
  /// The record around it, a line a node with the range of its numbers; "->" marks the operation.
  std::string chain;
  std::string to_string() const;
};

/// print(report) says it all.
struct NonfiniteReport {
  NonfiniteEvent first;
  /// The first NaN, if the first number that is not finite is an infinity.
  std::optional<NonfiniteEvent> first_nan;
  /// Whether value and derivatives are finite all the same: an infinity may be divided away.
  bool result_finite = false;
  std::string to_string() const;
};

struct NonfiniteOptions {
  /// 0: the forward pass alone; 1: and the gradient; 2: the gradient is recorded (create_graph)
  /// and its sum differentiated.
  int order = 1;
};

/// Runs f at w and its backward pass under observation, and reports the first number that is not
/// finite; nothing if there is none. What is not recorded, operations on constants, is seen where it
/// meets the record or in the value. A checkpoint is opened: its operations are recorded one by one, so
/// that they can be named.
///
/// Shapes: f: [P] -> [t]; a result of several elements is summed.
/// Cost: a gradient and a look at every number, a few times a gradient; memory: every result, also those
/// which no rule needs or a checkpoint drops; nothing where it is not called.
/// Throws: DomainError unless order is 0, 1 or 2; what f throws.
std::optional<NonfiniteReport> trace_nonfinite(VarFunction f, const Params& w,
                                               const NonfiniteOptions& options = {});
std::optional<NonfiniteReport> trace_nonfinite(VarFunction f, const Tensor& x,
                                               const NonfiniteOptions& options = {});

}  // namespace cotangent
