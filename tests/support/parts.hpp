// Parts of optimizers by themselves: what they are asked at points, values and slopes that a test makes up.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "optim/optim.hpp"

namespace cotangent::test {

/// What a part needs around it, and what it is told of an iteration.
class Bench {
 public:
  Bench(const optim::FiniteSum& sum, const Tensor& from, std::uint64_t seed = 1)
      : f(sum), rng(seed), start({{"w", from}}), all_(Batch::all(f.size())) {}

  optim::Setting setting() { return {.name = "test", .f = f, .rng = rng, .start = start}; }
  Params params(const Tensor& w) const { return start.with(w); }
  /// Iteration 1, at a point that lives until the next call.
  optim::At at(const Tensor& w, double value, double gradient_norm);

  optim::Oracle f;
  Rng rng;
  Params start;
  bool stalled = false;

 private:
  Batch all_;
  Params here_;
};

/// A line on which a test gives the answers: the first trial's, the second's, ..., the last one to all later.
class MadeLine final : public optim::Line {
 public:
  MadeLine(double value, double slope, std::vector<Found> answers)
      : value_(value), slope_(slope), answers_(std::move(answers)) {}

  double value() const override { return value_; }
  double slope() const override { return slope_; }
  bool straight() const override { return true; }
  double value(double step) override { return look(step).value; }
  double promised(double step) override { return -step * slope_; }
  Found look(double step) override;

  std::vector<double> asked;  // the trials' steps

 private:
  double value_, slope_;
  std::vector<Found> answers_;
};

/// A number that a part holds, by the name under which it saves it.
double held(optim::Rule& rule, const std::string& name, const Params& like);

}  // namespace cotangent::test
