// Verdicts: what a check may say, with the numbers behind it; and Proof, which collects them and decides.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/params.hpp"
#include "report/json.hpp"

namespace cotangent::theory {

/// certified: a finite computation implies the claim on its scope. supported: it held wherever it was looked at.
/// refuted: a counterexample was found. inconclusive: the margin is within rounding, or the work was broken off.
/// not_applicable: a hypothesis fails, and the reason names it.
enum class Outcome { certified, supported, refuted, inconclusive, not_applicable };
const char* to_string(Outcome outcome) noexcept;

/// What a verdict extends to: every point of the stated domain, the one run that was observed, or the points drawn.
enum class Scope { everywhere, trajectory, samples };
const char* to_string(Scope scope) noexcept;

/// (64 + summed) eps sum |terms| + 1e-300: how far rounding may have moved a sum of these terms, each of which was
/// itself made by adding up `summed` numbers whose magnitudes sum to it.
/// Source: optimisation.md, section 0.
double rounding(std::initializer_list<double> terms, Index summed = 0) noexcept;

/// lhs <= rhs (or <), as computed, with what rounding may have done to it; tolerance 0 says that both sides are exact.
struct Inequality {
  std::string name = {};
  double lhs = 0.0;
  double rhs = 0.0;
  double tolerance = 0.0;
  /// The point looked at, "iterate 17", "sample 3"; may be empty.
  std::string where = {};
  /// lhs < rhs is meant, and rounding is not forgiven.
  bool strict = false;

  double margin() const noexcept { return rhs - lhs; }
  /// False for NaN; a tolerance that is not finite forgives nothing.
  bool holds() const noexcept;
};

/// What is claimed, and where it stands: source is lecture and entry, "proxy O35".
struct Claim {
  std::string name;
  std::string source = {};
  std::string statement = {};
};

/// One answer with its numbers. Never a bare bool: print it.
struct Verdict {
  Claim claim;
  Outcome outcome = Outcome::inconclusive;
  Scope scope = Scope::samples;
  /// The claim's own two sides.
  Inequality conclusion = {};
  /// One sentence: why this outcome.
  std::string reason = {};
  /// What the claim presupposes and the inequalities its proof uses, each where its sides came closest.
  std::vector<Inequality> hypotheses = {};
  std::vector<Inequality> steps = {};
  /// What each inequality of the proof gave away; the parts sum to the theorem's bound less the quantity bounded.
  std::vector<std::pair<std::string, double>> account = {};
  /// Points looked at; of random ones the state of the Rng they came from.
  Index points = 0;
  std::string seed = {};
  /// Refuted: the counterexample, for save() as .npz. Supported: the point of the smallest margin.
  std::optional<Params> witness = std::nullopt;

  /// A paragraph, and a table of hypotheses and steps.
  std::string to_string() const;
  /// For a lesson's record, beside the outcome it is to show.
  report::Check record(Outcome expected) const;
};

/// An inequality evaluated at one place or many, kept where it came closest to failing. A NaN is closest of all.
class Row {
 public:
  explicit Row(Inequality once) : worst_(std::move(once)), evaluations_(1) {}
  /// `place` says what the numbers of observe count: "iterate", "sample".
  Row(const char* place, std::string name) : worst_{.name = std::move(name)}, place_(place) {}

  void observe(Index k, double lhs, double rhs, double tolerance = 0.0) noexcept;
  Index evaluations() const noexcept { return evaluations_; }
  Inequality worst() const;

 private:
  Inequality worst_;
  const char* place_ = nullptr;
  Index at_ = 0;
  Index evaluations_ = 0;
};

/// How every check is built: its hypotheses, verified one by one; the inequalities its proof uses, evaluated wherever
/// the proof needs them; its conclusion. The numbers alone decide:
///
///   a hypothesis or a step fails (beyond rounding)  -> not_applicable, with its name, numbers and place
///   one that was announced was never evaluated      -> inconclusive, with its name
///   the conclusion's margin is below -tolerance     -> refuted
///   it is above tolerance (or lhs <= rhs exactly)   -> certified; supported if only samples were seen
///   otherwise, and for NaN                          -> inconclusive
///
///   Proof proof({"descent", "proxy O2", "f(w - a g) <= f(w) - (a/2) |g|^2 at every iterate"});
///   proof.hypothesis({.name = "step <= 1/L", .lhs = step, .rhs = 1.0 / smoothness});
///   Row& row = proof.step_at_each("iterate", "f(w+) <= f(w) - (a/2)|g|^2");      // row.observe(t, lhs, rhs, rounding) at each iterate
///   return proof.conclude(Scope::trajectory, {.name = …, .lhs = …, .rhs = …, .tolerance = …});
class Proof {
 public:
  explicit Proof(Claim claim) : claim_(std::move(claim)) {}

  void hypothesis(Inequality inequality) { add(hypotheses_, Row(std::move(inequality))); }
  void step(Inequality inequality) { add(steps_, Row(std::move(inequality))); }
  /// One that is evaluated at many places; the reference stays valid.
  Row& hypothesis_at_each(const char* place, std::string name) {
    return add(hypotheses_, Row(place, std::move(name)));
  }
  Row& step_at_each(const char* place, std::string name) { return add(steps_, Row(place, std::move(name))); }

  /// Whether every hypothesis so far holds, so that a check can save itself the work.
  bool applicable() const;
  Verdict conclude(Scope scope, Inequality conclusion) const;
  /// The work was broken off: inconclusive, or not_applicable if a hypothesis fails.
  Verdict unfinished(Scope scope, Inequality conclusion, std::string reason) const;

 private:
  using Rows = std::vector<std::unique_ptr<Row>>;
  static Row& add(Rows& rows, Row row) { return *rows.emplace_back(std::make_unique<Row>(std::move(row))); }
  Verdict evidence(Scope scope, Inequality conclusion) const;

  Claim claim_;
  Rows hypotheses_;
  Rows steps_;
};

}  // namespace cotangent::theory
