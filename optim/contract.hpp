// The contract of optimizers: the three parts that make a step, and the choice of its size. One of one's own
// is a class of this page and one line where the optimizer is made.
#pragma once
#include <memory>

#include "autodiff/rng.hpp"
#include "optim/oracle.hpp"
#include "optim/state.hpp"

namespace cotangent::optim {

/// What an estimator knows of f at one point.
struct Estimate {
  double value;        // of f, or of its mean over the batch
  Params gradient;     // the estimate of f's gradient
  Batch batch;         // the samples it is made of
  bool exact = false;  // value and gradient are those of f over all samples
};

/// What the other parts know of the present iteration; valid during the call.
struct At {
  Index iteration;       // k, from 0
  const Params& w;       // the present point
  double value;          // the estimate's, without the penalty
  double gradient_norm;  // |estimate|
  const Batch& batch;
  bool exact;
  Oracle& f;
  /// To be set by a part that has found no step; the run then ends.
  bool& stalled;
};

/// Estimates f's value and gradient at the points of a run.
class Estimator {
 public:
  virtual ~Estimator() = default;
  /// The next epoch begins at w; how many iterations it has.
  virtual Index begin_epoch(const Params& w) = 0;
  /// The estimate at w in iteration i of the epoch.
  virtual Estimate at(const Params& w, Index i) = 0;
  virtual void visit(State&) {}
};

/// Makes a direction of the estimate, downhill being its opposite: the gradient itself, or a better one.
class Rule {
 public:
  virtual ~Rule() = default;
  virtual Params direction(const At& at, Params gradient) = 0;
  virtual void visit(State&) {}
};

/// Goes from a point along a direction to the next one, within a set or with a penalty where it has one.
class Move {
 public:
  virtual ~Move() = default;
  /// Where a step of this size would lead from w.
  virtual Params point(const Params& w, Params direction, double step) const = 0;
  /// The next point; what a move keeps from step to step, it changes here.
  virtual Params next(const At& at, Params direction, double step);
  /// The derivative of `point` by the step where it is the same for all steps, so that the move goes along a
  /// line; else empty.
  virtual Params line(const Params& w, const Params& direction) const;
  /// Added to f by the problem that the moves solve. It is part of every value.
  virtual double penalty(const Params&) const { return 0.0; }
  /// How far the point is from stationary, `gradient` being f's own there: what may end a run. |gradient|
  /// unless the move has a better measure.
  virtual double residual(const At& at, const Params& gradient, double step) const;
  /// Throws: DomainError in `name`'s name if a run cannot start at w.
  virtual void check_start(const char* name, const Params& w) const;
  /// The point to return for the present one, and whether the method itself has ended.
  virtual Params result(const Params& w) const;
  virtual bool ended() const { return false; }
  virtual void visit(State&) {}
};

/// f along the present direction, on the estimate's samples and with the penalty: what a step size may ask.
class Line {
 public:
  /// f + penalty at the present point, and its derivative by the step at 0 where the move is straight.
  virtual double value() const = 0;
  virtual double slope() const = 0;
  virtual bool straight() const = 0;
  /// f + penalty where a step would lead; NaN where they are not finite.
  virtual double value(double step) = 0;
  /// What a step promises to first order: -step * slope of a straight move, else |w+ - w|^2 / step.
  virtual double promised(double step) = 0;
  /// The value where a step would lead, and its derivative by the step, by f's gradient there.
  struct Found {
    double value;
    double slope;
  };
  virtual Found look(double step) = 0;

 protected:
  Line() = default;
  ~Line() = default;
};

/// The size of each step of one run.
class StepSize {
 public:
  virtual ~StepSize() = default;
  virtual double next(const At& at, Line& line) = 0;
  /// Whether it asks f at trial points.
  virtual bool searches() const { return false; }
  virtual void visit(State&) {}
};

class Step;

/// What a part is made from, when a run begins.
struct Setting {
  const char* name;  // of the optimizer, with which errors begin
  Oracle& f;
  Rng& rng;
  const Params& start;
  bool shaped = false;         // gradients are clipped or have weight decay added
  bool restricted = false;     // the run moves some of the parameters alone
  const Step* step = nullptr;  // of the run; null: not known
};

/// A part to choose: makes one for each run. Any callable of a Setting is one.
template <class Part>
using Choice = Function<std::unique_ptr<Part>(const Setting&)>;

}  // namespace cotangent::optim
