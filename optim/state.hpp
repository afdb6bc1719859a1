// State: what the parts of a run hold between two steps, walked by name.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/params.hpp"

namespace cotangent::optim {

/// A walk over what a part holds. A part names its tensors, numbers and lists once, in its `visit`:
///
///   void visit(State& state) override { state("velocity", velocity_); }
///
/// Saving, loading and counting are three such walks; in a walk that loads, what is visited is replaced.
class State {
 public:
  virtual ~State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void operator()(std::string_view name, Tensor& tensor);
  /// A point or direction of the run's space, or none yet.
  void operator()(std::string_view name, Params& params);
  void operator()(std::string_view name, std::vector<Params>& list);
  void operator()(std::string_view name, double& number);
  void operator()(std::string_view name, Index& whole);
  void operator()(std::string_view name, bool& yes);
  void operator()(std::string_view name, std::vector<Index>& list);
  void operator()(std::string_view name, std::vector<double>& list);

  /// A number of the part's options, which must be the same where a run goes on.
  /// Throws: DomainError in a walk that loads, if it is another one there.
  void same(std::string_view name, Index here);

  /// From here on points and directions have the names of `like`.
  void in_space_of(Params like) { like_ = std::move(like); }

  /// The walk over a part, whose names begin with `name` and a dot.
  template <class Part>
  void part(std::string_view name, Part& part) {
    const std::size_t before = enter(name);
    part.visit(*this);
    leave(before);
  }

 protected:
  /// `like` has the names of the run's parameters.
  explicit State(Params like) : like_(std::move(like)) {}
  /// A walk that looks at what is held and nothing else: `visit` is called without names, what it changes is
  /// ignored, and nothing is taken from the heap.
  State() : looks_(true) {}
  /// `held`: numbers of the space the run moves in, and not its bookkeeping.
  virtual void visit(const std::string& name, Tensor& tensor, bool held) = 0;

 private:
  std::string path(std::string_view name) const;
  std::size_t enter(std::string_view name);
  void leave(std::size_t before);

  Params like_;
  std::string prefix_;
  bool looks_ = false;
};

/// Counts the numbers held in tensors, points and directions.
class StateSize final : public State {
 public:
  Index numbers() const noexcept { return numbers_; }

 private:
  void visit(const std::string&, Tensor& tensor, bool held) override { numbers_ += held ? tensor.size() : 0; }
  Index numbers_ = 0;
};

}  // namespace cotangent::optim
