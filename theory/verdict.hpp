// Verdicts: what a check may say, with the numbers behind it, and what can be made of one:
// text, records, figures, files.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/params.hpp"
#include "enclose/enclosure.hpp"
#include "report/figure.hpp"
#include "report/json.hpp"
#include "theory/catalogue.hpp"
#include "theory/measured.hpp"

namespace cotangent::theory {

/// certified: a finite computation implies the claim on its domain. supported: it held wherever it was looked
/// at. refuted: a counterexample was found. agrees: two numbers lie within their errors of each other; no
/// theorem is meant. inconclusive: what may have moved the numbers leaves the claim or a hypothesis open, the
/// proof breaks, or the work was broken off. not_applicable: a hypothesis certainly fails; the reason names
/// it.
enum class Outcome { certified, supported, refuted, agrees, inconclusive, not_applicable };
const char* to_string(Outcome outcome) noexcept;

/// What a verdict extends to.
struct Domain {
  enum class Kind {
    everywhere,       // every point of the claim's own domain
    here,             // one point: "at this w"
    ball,             // "on |w - w0| <= 0.5"
    box,              // "on [0.01, 20]"
    run,              // the run that was watched
    points,           // the points that were looked at
    expectation,      // exact expectation
    standard_errors,  // within five standard errors of a mean of samples
    probability,      // with probability 1 - delta
    integration,      // to an integrator's tolerance
    numbers           // the numbers compared, and nothing beyond them
  };
  Kind kind = Kind::numbers;
  std::string text = "for these numbers";

  static Domain everywhere();
  static Domain here(const std::string& point = "w");
  static Domain ball(const std::string& centre, double radius);
  static Domain box(const Box& box);
  static Domain run();
  static Domain points(Index count);
  static Domain expectation();
  static Domain standard_errors();
  static Domain probability(double delta);
  static Domain integration(double tolerance);
  static Domain numbers();

  /// Whether a computation can imply a claim on it: not of points drawn, nor where errors are estimates.
  bool certifiable() const noexcept;
  /// Whether a claim on it says more than the numbers that were evaluated: everywhere, on a ball, in
  /// expectation, with a probability. What it rests on must then be certain, rounded outwards.
  bool beyond_numbers() const noexcept;
};

/// What is claimed, and where it stands. An entry of the catalogue brings statement, lecture and formula; a
/// script's own claim brings its text.
struct Claim {
  std::string name;
  std::string statement = {};
  std::string source = {};    // "proxy O35": lecture and entry, for files
  std::string citation = {};  // "lecture 000, leaky ReLU theorem (O35)", for people
  std::string tex = {};

  Claim() = default;
  Claim(const char* own_name) : name(own_name) {}               // NOLINT(google-explicit-constructor)
  Claim(std::string own_name, std::string own_statement = {});  // NOLINT(google-explicit-constructor)
  /// `instance` says which of its cases is meant, "eps = 0.2", and is appended to the statement;
  /// `variant` to the name.
  explicit Claim(const Entry& entry, const std::string& instance = {}, const std::string& variant = {});
};

/// What was seen at each iterate of a run, or what a theorem says of it; `noted` is kept without being drawn.
struct Series {
  enum class Kind { observed, predicted, noted };
  std::string name;
  Kind kind = Kind::observed;
  std::vector<double> values = {};
};

/// How a counterexample was looked for: with the claim, enough to look again.
struct SearchRecord {
  Params centre;
  /// Half of the points are drawn within it, the others over nine decades, and ascents go anywhere; `domain`
  /// they do not leave.
  double radius = 0.0;
  std::optional<double> domain = std::nullopt;
  /// The most that was to be spent.
  Index evaluations = 0;
  std::vector<Params> starts = {};
  /// The state of the Rng before the search.
  std::string seed = {};
  /// Points at which both sides were numbers, and at which one was not.
  Index points = 0, not_evaluated = 0;
  /// How far from the centre the farthest of them was.
  double farthest = 0.0;
};

/// A box that was bisected for a proof: the boxes looked at, those on which the claim is proved, and those of
/// which nothing is known.
struct BoxRecord {
  Box box;
  Index looked_at = 0, proved = 0;
  std::vector<Box> undecided = {};
};

/// One answer with its numbers. Never a bare bool: print it.
struct Verdict {
  Claim claim = {};
  Outcome outcome = Outcome::inconclusive;
  Domain domain = {};
  /// The claim's own two sides: where it is false, else where it was to be decided.
  Inequality conclusion = {};
  /// One sentence: why this outcome.
  std::string reason = {};
  /// What the claim presupposes, and the inequalities its proof uses, each where its sides came closest.
  std::vector<Inequality> hypotheses = {};
  std::vector<Inequality> steps = {};
  /// What each inequality of the proof gave away; the parts sum to the theorem's bound
  /// less the quantity bounded.
  std::vector<std::pair<std::string, double>> account = {};
  /// What was observed at each iterate, and predicted.
  std::vector<Series> series = {};
  /// Further numbers by name: constants of the theorem, the length of a run.
  std::vector<std::pair<std::string, double>> numbers = {};
  /// Points looked at; of random ones the state of the Rng they came from.
  Index points = 0;
  std::string seed = {};
  /// Of a search for a counterexample, how it was made.
  std::optional<SearchRecord> search = std::nullopt;
  /// Of a proof by boxes, which.
  std::optional<BoxRecord> boxes = std::nullopt;
  /// What is certified or supported says no more than is known anyway; the reason says VACUOUS, and why.
  bool vacuous = false;
  /// Refuted: the counterexample, for save() as .npz; of a run, its start. Supported: the point
  /// of the smallest margin.
  std::optional<Params> witness = std::nullopt;
  /// Of a run: its last point.
  std::optional<Params> last = std::nullopt;

  /// Throws: DomainError for a name that is not there, with those that are.
  const std::vector<double>& curve(std::string_view name) const;
  double number(std::string_view name) const;
  /// A paragraph, and a table of hypotheses and steps.
  std::string to_string() const;
  /// Writes everything it knows as JSON, for Python's json, and beside it as .npz, for numpy.load: its
  /// witness ("v.json": "v.npz"), the last point of its run ("v.last.npz") and the centre of its search
  /// ("v.centre.npz"); the JSON names them. A number that is not finite is "nan", "inf" or "-inf"; numbers
  /// are written with all their digits.
  /// Throws: DomainError unless the path ends in .json, or naming a file that cannot be written.
  void save(const std::string& path) const;
  /// For a lesson's record, beside the outcome it is to show.
  report::Check record(Outcome expected) const;
};

/// a = b within what may have moved both: agrees; certainly apart: refuted. No theorem is meant, so the claim
/// is a script's own: compare({"name", "statement"}, a, b).
/// Throws: DomainError if the claim is an entry's.
Verdict compare(Claim claim, const Measured& a, const Measured& b);
/// max |got - wanted| <= accuracy max |wanted|: agrees, or refuted. Shapes: equal.
/// Throws: as above; ShapeError; DomainError if wanted is empty or all zero, or unless 0 < accuracy < 1.
Verdict compare(Claim claim, const Tensor& got, const Tensor& wanted, double accuracy = 1e-12);
/// An inequality between numbers that were computed: certified or refuted for these numbers where their
/// errors leave no doubt; `where` says what they belong to (points: supported).
Verdict compare(Claim claim, Inequality inequality, const Domain& where = Domain::numbers());

/// Verdicts on one claim at many points become one: refuted, or not decided, as the first that is so; else
/// supported by them all, with the smallest margin.
/// Throws: DomainError if there is none.
Verdict over_points(std::span<const Verdict> verdicts);

/// The observed series against T = 1, 2, ..., and the predicted ones dashed.
/// Throws: DomainError if it has none; as report::plot.
report::Drawn plot(const std::string& path, const Verdict& verdict, report::PlotOptions options = {});
/// The parts of the account, one after the other, up to their sum.
/// Throws: DomainError if it has none; as report::waterfall.
report::Drawn plot_account(const std::string& path, const Verdict& verdict);
/// One column a series, after the number of the iteration.
/// Throws: DomainError if it has none, or naming the file.
void save_csv(const std::string& path, const Verdict& verdict);

/// max |got - wanted| / max |wanted|; NaN if there is one in either.
/// Throws: ShapeError if the shapes differ; DomainError if wanted is empty or all zero.
double relative_error(const Tensor& got, const Tensor& wanted);

}  // namespace cotangent::theory
