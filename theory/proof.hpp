// Proof: collects what a claim presupposes, what its proof uses and what it concludes, and decides. Study: a
// Proof that watches a run of gradient descent.
#pragma once
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "autodiff/tape.hpp"
#include "optim/optimizer.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

/// A hypothesis, a step or a conclusion: an inequality evaluated at one place or many, kept where it is
/// worst: where it is certainly false, else where it fails, else where only rounding lets it hold, else where
/// it came closest to failing. A NaN fails.
class Clause {
 public:
  explicit Clause(Inequality once);
  /// `place` says what the numbers of observe count: "iterate", "sample".
  Clause(const char* place, std::string name);

  /// Whether q is now the worst.
  bool observe(Index k, const Inequality& q) noexcept;
  /// How the row that observe() found worst is enclosed; settle() asks for it if none was worse after it.
  void closest(Function<Inequality()> enclose) { enclose_ = std::move(enclose); }
  /// Lets the enclosure of the worst row decide about it. Of an operation without enclosure the row stays as
  /// computed, is no longer certain, and why() says why.
  void settle();
  bool settled() const noexcept { return settled_; }
  const std::string& why() const noexcept { return why_; }
  Index evaluations() const noexcept { return evaluations_; }
  /// Where it first failed, if it did; NaN counts.
  std::optional<Index> first_failure() const noexcept { return first_failure_; }
  Inequality worst() const;
  /// Whether it is certainly true wherever it was evaluated; and whether no error in it is an estimate.
  bool proved() const noexcept { return unproved_ == 0; }
  bool certain() const noexcept { return certain_; }

 private:
  Inequality worst_;
  Index unproved_ = 0;
  bool certain_ = true, settled_ = false;
  Function<Inequality()> enclose_ = {};
  std::string why_ = {};
  const char* place_ = nullptr;
  Index at_ = 0;
  Index evaluations_ = 0;
  std::optional<Index> first_failure_ = std::nullopt;
};

/// What a search for a counterexample brings: the worst point it found, and how it was found.
struct Evidence {
  Inequality worst;
  Params point;
  Index points = 0;
  std::string seed = {};
  /// From where, how far and how often; enough to look again.
  std::optional<SearchRecord> search = std::nullopt;
  /// Points at which a side was not finite; not among the others.
  Index not_evaluated = 0;
  /// Whether an enclosure of the two sides' difference at the worst point proves that it violates.
  bool counterexample = false;
  /// Points at which the numbers computed violate the claim and an enclosure does not; and others at which
  /// they do, by no more than twice as much, that were not enclosed.
  Index denied = 0, left_over = 0;
  /// Why no point can be enclosed, if so: an operation without enclosure, by its name.
  std::string not_enclosed = {};
  /// Whether the margin lay within its errors at most of the points drawn; whether at most of them a side was
  /// no number.
  bool mostly_tight = false, mostly_no_number = false;
};

/// What bisecting a box brings: whether the claim is false at `point`, by an enclosure, and what became of
/// the boxes.
struct BoxEvidence {
  Inequality worst = {};
  Params point = {};
  bool counterexample = false;
  BoxRecord record = {};
};

/// How every check is built: its hypotheses, verified one by one; the inequalities its proof uses, evaluated
/// wherever the proof needs them; its conclusion, wherever the claim speaks of it. The numbers alone decide,
/// in this order:
///
///   a hypothesis is certainly false                    -> not_applicable, with its name, numbers and place
///   whether one holds is open: NaN, an infinite error,
///   an estimate, a strict one within rounding          -> inconclusive, with its name
///   one holds only within rounding, and the claim goes
///   beyond the numbers that were evaluated             -> inconclusive, with its name
///   a hypothesis was announced but never evaluated     -> inconclusive, with its name
///   the conclusion is certainly false somewhere        -> refuted, naming the proof's first false step
///   a step fails although the conclusion held          -> inconclusive: the proof breaks there; also where
///                                                         one holds only within rounding, as above
///   a step was never evaluated, or the account is off  -> inconclusive
///   the conclusion is certainly true wherever it was
///   evaluated                                          -> certified; supported where the domain or an
///                                                         estimated error, also of a step, forbids more
///   otherwise, and for NaN                             -> inconclusive, with what may have moved the numbers
///
/// On a run the rows of each iterate are known to the first-order bound of their rounding (rounding_bound),
/// and where their sides came closest they are enclosed. A row elsewhere, whose digits are lost altogether
/// without that bound seeing it, is not noticed: the reason says that this is how the run was looked at.
///
/// A claim goes beyond the numbers everywhere, on a ball, in expectation, with a probability. At one point or
/// on a run its conclusion itself is evaluated; the verdict then names the hypotheses that rounding forgives.
///
///   Proof proof(Claim{entry("O2"), "step = 0.1"});
///   proof.hypothesis("step <= 1/L", exact(step) <= exact(1.0) / exact(smoothness));
///   Clause& descent = proof.step_at_each("iterate", "f(w+) <= f(w) - (step/2) |g|^2");
///   descent.observe(t, after <= before - exact(0.5 * step) * square(norm));              // at every iterate
///   return proof.conclude(Domain::run(), "min |g|^2 <= bound", least <= bound);
class Proof {
 public:
  // All of a Proof is behind its source: scripts that include this page pay for its lists otherwise.
  explicit Proof(Claim claim);
  Proof(Proof&&) noexcept;
  ~Proof();

  void hypothesis(std::string name, Inequality q);
  void step(std::string name, Inequality q);
  /// One that is evaluated at many places; the reference stays valid.
  Clause& hypothesis_at_each(const char* place, std::string name);
  Clause& step_at_each(const char* place, std::string name);
  /// The conclusion itself, where the claim makes it at many places, "for every T".
  Clause& conclusion_at_each(const char* place, std::string name);

  /// A series of the run: drawn, drawn as a prediction, or only kept. The reference stays valid.
  std::vector<double>& observed(std::string name);
  std::vector<double>& predicted(std::string name);
  std::vector<double>& noted(std::string name);
  void number(std::string name, double value);
  /// What each inequality gave away; `slack` is the theorem's bound less the quantity bounded, to which the
  /// parts must sum within 1e-12 of the largest of them and what their errors allow.
  void account(std::vector<std::pair<std::string, Measured>> parts, const Measured& slack);

  /// The conclusion says no more than is known without the theorem where `trivial` holds, "1 <= bound": the
  /// verdict, if it is certified or supported, then says VACUOUS and why.
  void vacuous_if(const Inequality& trivial, std::string why);

  /// Settles every clause, after a run; where one cannot be enclosed the proof is as_computed(). Returns what
  /// the verdict is to say of it.
  std::string settle();

  /// Numbers were only computed, `why`, as an operation without enclosure: nothing is certified or refuted,
  /// what holds is supported.
  void as_computed(std::string why) { as_computed_ = std::move(why); }

  /// Whether every hypothesis so far holds, so that a check can save itself the work.
  bool applicable() const;

  Verdict conclude(const Domain& domain, std::string name, Inequality conclusion) const;
  /// The work was broken off, and `reason` says why: not_applicable if a hypothesis fails, inconclusive if it
  /// is open; refuted if the conclusion was false where it was looked at; else inconclusive.
  Verdict unfinished(const Domain& domain, std::string reason) const;
  /// A counterexample was looked for: refuted, supported by so many points, or inconclusive; never certified,
  /// and nothing where a hypothesis holds only within rounding. A search within a domain speaks of that
  /// domain, not of every w.
  Verdict searched(const Evidence& evidence) const;
  /// A box was bisected: certified on it if no box is left undecided, refuted by a counterexample, else
  /// inconclusive.
  Verdict bisected(const BoxEvidence& evidence) const;

 private:
  using Clauses = std::vector<std::unique_ptr<Clause>>;
  static Clause named(std::string name, Inequality q);
  static Clause& add(Clauses& clauses, Clause clause);
  std::vector<double>& series(std::string name, Series::Kind kind);
  /// waiting: for a hypothesis that was announced.
  enum class State { open, waiting, decided };
  /// All but the outcome, which is set where hypotheses or conclusions decide it already.
  Verdict evidence(const Domain& domain, std::optional<Inequality> conclusion, State& state) const;
  /// Why the conclusion says nothing, if it does not.
  std::optional<std::string> vacuity() const;
  /// The hypotheses that hold only because what may have moved them is forgiven; empty if there is none.
  std::string forgiven() const;
  /// Empty if the account adds up.
  std::string fault_of_account() const;

  Claim claim_;
  Clauses hypotheses_, steps_, conclusions_;
  std::vector<std::unique_ptr<Series>> series_;
  std::vector<std::pair<std::string, double>> numbers_;
  std::vector<std::pair<std::string, Measured>> account_;
  Measured account_slack_ = {};
  std::string as_computed_ = {};
  std::vector<std::pair<Inequality, std::string>> vacuities_;
};

/// A point of a run of gradient descent, w+ = w - step grad f(w).
struct Iterate {
  Index t;
  const Params& w;
  double value;
  const Params& gradient;
  Measured gradient_norm;
  const Params& next;  // w+
};

struct DescentOptions {
  double step = 0.1;
  /// T: the run sees w_0 to w_{T-1}.
  Index iterations = 100;
  /// It is broken off after so many, and the verdict is inconclusive.
  Index budget = std::numeric_limits<Index>::max();
  bool progress = false;
};

/// A theorem about a run: a Proof that makes the run and evaluates itself at every iterate.
///
///   Study s(Claim{entry("O7")});
///   Clause& rate = s.conclusion_at_each("iterate", "f(w_t) - f* <= (1 - step mu)^t D");
///   return s.descend(f, w0, {.step = 0.1, .iterations = 50},
///                    [&](const Iterate& it) { rate.observe(it.t, …); },
///                    [&] { return last <= bound; }, "f(w_T) - f* <= …");
class Study : public Proof {
 public:
  explicit Study(Claim claim);

  /// Runs gradient descent, calls `at_each` at every iterate, and concludes with what `conclusion` says at
  /// the end. No step is made if a hypothesis fails already. A run that diverges, or ends for its budget
  /// before enough() was said, is unfinished. A hypothesis of every run is that it is gradient descent: that
  /// rounding moves w+ by at most a thousandth of the longest step so far; it is broken off where that fails,
  /// as from a start so far away that the steps are lost in its digits.
  /// Throws: DomainError unless step is finite, iterations and budget are at least 1 and w0 is finite.
  Verdict descend(const Function<Var(const Var& w)>& f, const Params& w0, const DescentOptions& options,
                  FunctionRef<void(const Iterate&)> at_each, FunctionRef<Inequality()> conclusion,
                  const std::string& name);

  /// Ends the run after this iterate: nothing later can change the conclusion, or be
  /// told apart from rounding.
  void enough() noexcept { enough_ = true; }

 private:
  bool enough_ = false;
};

}  // namespace cotangent::theory
