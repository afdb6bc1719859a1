// Enclosures of a script's own operations: a formula of numbers, written once, gives values and bounds.
#pragma once
#include <type_traits>

#include "autodiff/custom_op.hpp"

namespace cotangent {

namespace enclosing {
struct Account;
struct BallAccess;
struct Call;
class Balls;
}  // namespace enclosing

/// A double under the names that formulas use. Functions are those of ops.hpp with the same conventions at
/// kinks, so that a formula takes a Var as well. A comparison gives 1 or 0: a branch would not know of balls.
class RealNumber {
 public:
  constexpr RealNumber(double x) : x_(x) {}  // NOLINT(google-explicit-constructor)
  constexpr double value() const { return x_; }

  using N = RealNumber;
  friend constexpr N operator+(N a, N b) { return a.x_ + b.x_; }
  friend constexpr N operator-(N a, N b) { return a.x_ - b.x_; }
  friend constexpr N operator*(N a, N b) { return a.x_ * b.x_; }
  friend constexpr N operator/(N a, N b) { return a.x_ / b.x_; }
  friend constexpr N operator-(N x) { return -x.x_; }
  // The compiler's own names: <cmath> would cost every script more than all the rest of this header.
  friend N exp(N x) { return __builtin_exp(x.x_); }
  friend N log(N x) { return __builtin_log(x.x_); }
  friend N sqrt(N x) { return __builtin_sqrt(x.x_); }
  friend constexpr N square(N x) { return x.x_ * x.x_; }
  friend N sin(N x) { return __builtin_sin(x.x_); }
  friend N cos(N x) { return __builtin_cos(x.x_); }
  friend N tanh(N x) { return __builtin_tanh(x.x_); }
  friend N sigmoid(N x) { return 1.0 / (1.0 + __builtin_exp(-x.x_)); }
  friend N softplus(N x) { return relu(x).x_ + __builtin_log1p(__builtin_exp(-abs(x).x_)); }
  friend N expm1(N x) { return __builtin_expm1(x.x_); }
  friend N log1p(N x) { return __builtin_log1p(x.x_); }
  friend N erf(N x) { return __builtin_erf(x.x_); }
  friend N erfc(N x) { return __builtin_erfc(x.x_); }
  friend N pow(N x, N exponent) { return __builtin_pow(x.x_, exponent.x_); }
  friend N abs(N x) { return __builtin_fabs(x.x_); }
  friend constexpr N sign(N x) { return x.x_ >= 0.0 ? 1.0 : x.x_ < 0.0 ? -1.0 : x.x_; }
  friend constexpr N relu(N x) { return x.x_ < 0.0 ? 0.0 : x.x_; }
  friend constexpr N leaky_relu(N x, double slope) { return x.x_ < 0.0 ? slope * x.x_ : x.x_; }
  friend constexpr N maximum(N a, N b) { return a.x_ >= b.x_ || a.x_ != a.x_ ? a : b; }
  friend constexpr N minimum(N a, N b) { return a.x_ <= b.x_ || a.x_ != a.x_ ? a : b; }
  friend constexpr N less(N a, N b) { return a.x_ < b.x_ ? 1.0 : 0.0; }
  friend constexpr N less_equal(N a, N b) { return a.x_ <= b.x_ ? 1.0 : 0.0; }
  friend constexpr N greater(N a, N b) { return a.x_ > b.x_ ? 1.0 : 0.0; }
  friend constexpr N greater_equal(N a, N b) { return a.x_ >= b.x_ ? 1.0 : 0.0; }
  friend constexpr N where(N mask, N a, N b) { return mask.x_ != 0.0 ? a : b; }
  friend constexpr N lift(double x, N) { return x; }

 private:
  double x_;
};

/// All real numbers within a radius of a number, under the same names: a function's result contains the exact
/// value at each of them. It has the bits of the replay it comes from. On both sides of a kink it holds the
/// hull of both; comparisons that these bits leave open are counted in Enclosure::undecided(). A double is
/// exact. It must not outlive the enclosure it was given in.
/// Throws, of a function of constants alone: DomainError, as they have no bits; lift(2.0, x) has those of x.
class RealBall {
 public:
  RealBall(double exact);  // NOLINT(google-explicit-constructor)
  RealBall(const RealBall& other);
  RealBall(RealBall&& other) noexcept;
  RealBall& operator=(const RealBall& other);
  RealBall& operator=(RealBall&& other) noexcept;
  ~RealBall();
  /// Bounds, rounded outward; infinite where nothing is known.
  double lower() const;
  double upper() const;

  using B = RealBall;
  friend B operator+(const B& a, const B& b);
  friend B operator-(const B& a, const B& b);
  friend B operator*(const B& a, const B& b);
  friend B operator/(const B& a, const B& b);
  friend B operator-(const B& x);
  friend B exp(const B& x);
  friend B log(const B& x);
  friend B sqrt(const B& x);
  friend B square(const B& x);
  friend B sin(const B& x);
  friend B cos(const B& x);
  friend B tanh(const B& x);
  friend B sigmoid(const B& x);
  friend B softplus(const B& x);
  friend B expm1(const B& x);
  friend B log1p(const B& x);
  friend B erf(const B& x);
  friend B erfc(const B& x);
  friend B pow(const B& x, const B& exponent);
  friend B abs(const B& x);
  friend B sign(const B& x);
  friend B relu(const B& x);
  friend B leaky_relu(const B& x, double slope);
  friend B maximum(const B& a, const B& b);
  friend B minimum(const B& a, const B& b);
  friend B less(const B& a, const B& b);
  friend B less_equal(const B& a, const B& b);
  friend B greater(const B& a, const B& b);
  friend B greater_equal(const B& a, const B& b);
  friend B where(const B& mask, const B& a, const B& b);
  friend B lift(double exact, const B& like);

 private:
  friend struct enclosing::BallAccess;
  explicit RealBall(enclosing::Account* account);

  enclosing::Account* account_;              // bits and counts; null: an exact constant
  alignas(void*) unsigned char number_[48];  // Arb's, which no script sees
};

/// A replayed operation, as its CustomOp's .enclose sees it. Of numbers of the result that it does not set,
/// nothing is known.
///
///   .enclose = [](OpEnclosure& e) {                        // a cumulative sum
///     RealBall total = e.in(0, 0);
///     e.out(0, total);
///     for (Index i = 1; i < e.shape(0).size(); ++i) e.out(i, total = total + e.in(0, i));
///   }
class OpEnclosure {
 public:
  OpEnclosure(const OpEnclosure&) = delete;
  OpEnclosure& operator=(const OpEnclosure&) = delete;

  int count() const;
  /// Of input j. Throws, as the others: DomainError if there is no such input or number.
  const Shape& shape(int j) const;
  const Shape& out_shape() const;
  const OpAttributes& attributes() const;
  /// Number i of input j, in row-major order.
  RealBall in(int j, Index i) const;
  /// Sets number i of the result.
  void out(Index i, const RealBall& number);

 private:
  friend struct enclosing::BallAccess;
  OpEnclosure(const enclosing::Call& call, enclosing::Balls& result) : call_(call), result_(result) {}
  const enclosing::Call& call_;
  enclosing::Balls& result_;
};

namespace detail {

/// How many numbers a formula takes, before OpAttributes if it takes those.
template <class Formula, class T>
consteval int formula_inputs() {
  if constexpr (std::is_invocable_v<Formula, T> || std::is_invocable_v<Formula, T, const OpAttributes&>)
    return 1;
  else
    return 2;
}
// Of formulas without a type, [](auto a, auto b), the second must not be tried with attributes first.
template <class Formula, class T>
requires std::is_invocable_v<Formula, T, T>
consteval int formula_inputs() { return 2; }

template <class Formula, class... T>
auto formula_at(const OpAttributes& attributes, const T&... x) {
  if constexpr (std::is_invocable_v<Formula, T...>)
    return Formula{}(x...);
  else
    return Formula{}(x..., attributes);
}

template <class Formula>
Tensor formula_forward(const OpInputs& in, const OpAttributes& attributes) {
  constexpr int kInputs = formula_inputs<Formula, RealNumber>();
  const auto run = [](const double* const* x, const bool* steps, double* __restrict y, Index n,
                      const OpAttributes& given) {
    const auto at = [&](auto... v) {
      return RealNumber(formula_at<Formula>(given, RealNumber(v)...)).value();
    };
    const double* const a = x[0];
    if constexpr (kInputs == 1) {
      for (Index i = 0; i < n; ++i) y[i] = at(a[i]);
    } else {
      const double* const b = x[1];
      if (steps[0] && steps[1])
        for (Index i = 0; i < n; ++i) y[i] = at(a[i], b[i]);
      else
        for (Index i = 0; i < n; ++i) y[i] = steps[0] ? at(a[i], *b) : at(*a, b[i]);
    }
  };
  return map_elements(in, attributes, {kInputs, run});
}

template <class Formula>
void formula_enclosure(OpEnclosure& e) {
  for (Index i = 0, n = e.out_shape().size(); i < n; ++i) {
    const auto at = [&](int j) { return e.in(j, e.shape(j).rank() ? i : 0); };
    if constexpr (formula_inputs<Formula, RealBall>() == 1)
      e.out(i, formula_at<Formula>(e.attributes(), at(0)));
    else
      e.out(i, formula_at<Formula>(e.attributes(), at(0), at(1)));
  }
}

}  // namespace detail

/// An elementwise operation whose forward rule and enclosure are one formula, a generic function of one or
/// two numbers, and of OpAttributes where it wants them:
///
///   const CustomOp kSoftsign(elementwise(
///       [](auto x) { return x / (1.0 + abs(x)); },
///       {.name = "softsign", .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) {
///          out.add(0, g / square(1.0 + abs(p.in(0))));
///        }}));
///
/// Doubles in it are exact, and so is what it computes of doubles alone: log(lift(2.0, x)), not
/// std::log(2.0). It captures nothing. Its derivative is enclosed as that of any operation: by the pullback.
/// Shapes: [s] -> [s]; [s], [s] -> [s], a scalar on either side goes with any shape.
/// Cost: a plain loop over doubles.
/// Throws, of the operation: DomainError for another number of inputs; ShapeError.
template <class Formula>
CustomOpSpec elementwise(Formula, CustomOpSpec spec) {
  static_assert(std::is_empty_v<Formula>, "a formula captures nothing: pass numbers as attributes");
  spec.forward = detail::formula_forward<Formula>;
  spec.enclose = detail::formula_enclosure<Formula>;
  spec.samples = OpSamples::elementwise;
  return spec;
}

}  // namespace cotangent
