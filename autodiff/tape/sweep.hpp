// The backward pass: one reverse loop over the record.
#pragma once
#include "autodiff/function.hpp"
#include "autodiff/tape/record.hpp"

namespace cotangent::detail {

/// A recorded operation with detached inputs. It is valid until something is recorded.
OpRecord recorded(const TapeState& tape, std::uint32_t node);

/// One pass from a node down to another. With create_graph the pass is itself recorded on the tape.
class Sweep {
 public:
  Sweep(TapeState& tape, std::uint32_t from, std::uint32_t stop, bool create_graph);
  ~Sweep();
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  /// Marks which nodes' cotangents are wanted: those that depend on `stop` (unless all do).
  void activate_dependents();
  /// Whether `from` depends on `stop` at all; if not, there is nothing to run.
  bool connected() const { return wants(from_); }
  /// Takes the marks from outside instead, one byte for each node of the tape. They must outlive the pass.
  void set_active(const unsigned char* marks) { active_ = marks; }

  /// Gathers <v, cotangent of stop> as one recorded number instead of the cotangent, for a pass that
  /// creates a graph: a weight's cotangent delta^T data is then never formed, only <delta, data v^T>. v
  /// must outlive the pass.
  void contract_with(const Var& v) { along_ = &v; }
  /// The number so gathered; it is 0 if nothing reached stop.
  Var contracted() { return total_.size() ? std::move(total_) : Var(0.0); }

  /// Runs the loop for the cotangent of `from`. `visit`, if given, sees every node's cotangent
  /// before its rule does.
  void run(Var cotangent, const FunctionRef<void(std::uint32_t, const Var&)>* visit = nullptr);
  /// The cotangent of `stop`, which is empty if nothing reached it. Unwritten ranges are zero and
  /// remain listed in gaps().
  bool reached() const { return slot(stop_).filled; }
  Var take();
  /// Ranges of the flat cotangent of `stop` that nothing wrote, after take().
  const std::vector<Stretch>& gaps() const { return gaps_; }

 private:
  friend class cotangent::OpCotangents;
  Slot& slot(std::uint32_t node) { return scratch_->slots[node - stop_]; }
  const Slot& slot(std::uint32_t node) const { return scratch_->slots[node - stop_]; }
  bool wants(std::uint32_t node) const {
    return node != kNoNode && node >= stop_ && (!active_ || active_[node]);
  }
  std::uint32_t base_of(std::uint32_t node, Index& offset) const;
  void add(std::uint32_t node, Var&& contribution);
  void contract(const Var& part);
  bool fit_base(std::uint32_t base, Index offset, Var& contribution);
  void add_matmul(std::uint32_t node, const Var& a, const Var& b, const MatmulOptions& options);
  double* place(std::uint32_t base, Index offset, Index size, bool& written);
  void cover(Index first, Index last);
  void add_range(std::uint32_t base, Index offset, const Var& contribution);
  void complete(std::uint32_t node);
  /// A constant of a pass that is recorded, itself on the record where the tape's probe asks for that.
  Var on_record(Tensor constant);
  void call_rule(std::uint32_t node, const Var& g);

  template <bool kWatched>
  void run_loop(const FunctionRef<void(std::uint32_t, const Var&)>* visit);

  TapeState& tape_;
  Probe* probe_;
  std::unique_ptr<SweepScratch> scratch_;
  std::vector<Stretch> gaps_;
  const unsigned char* active_ = nullptr;
  const Var* along_ = nullptr;
  Var total_;
  std::uint32_t from_;
  std::uint32_t stop_;
  bool create_graph_;
};

/// Checks the handles, then the cotangent of x for the cotangent c of y.
Var pull_back(const char* operation, TapeState& tape, const Var& y, const Var& c, const Var& x,
              bool create_graph, std::vector<Stretch>* gaps = nullptr);

/// <v, the cotangent of x for the cotangent c of y>, recorded on x's tape: the derivative of <c, y> along v.
/// Shapes: y, c [t], x, v [s] -> [].
Var pull_back_along(const char* operation, TapeState& tape, const Var& y, const Var& c, const Var& x,
                    const Var& v);

}  // namespace cotangent::detail
