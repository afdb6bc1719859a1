// The line that a step size searches, which keeps the point it tried last.
#pragma once
#include <optional>

#include "optim/contract.hpp"

namespace cotangent::optim {

class SearchLine final : public Line {
 public:
  SearchLine(const At& at, const Move& move, const Params& gradient, const Params& direction);

  double value() const override { return value_; }
  double slope() const override { return slope_; }
  bool straight() const override { return along_.size() > 0; }
  double value(double step) override;
  double promised(double step) override;
  Found look(double step) override;
  /// The point of the step taken, if it was the last one tried; the oracle then remembers what was found
  /// there.
  std::optional<Params> tried(double step);

 private:
  const Params& at_step(double step);

  const At& at_;
  const Move& move_;
  const Params& direction_;
  Params along_;  // of a straight move
  double value_, slope_;
  /// |gradient|, |along_| and the cosine between them, where their product is beyond the range of numbers.
  struct Scaled {
    double gradient, cosine, along;
  };
  std::optional<Scaled> scaled_;
  double step_ = -1.0;  // of point_
  Params point_;
  std::optional<ValueAndGrad<Params>> found_;  // at point_
};

}  // namespace cotangent::optim
