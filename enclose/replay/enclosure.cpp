// enclose: one record, replayed with twice as many bits until enough is known.
#include "enclose/enclosure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "enclose/replay/access.hpp"
#include "enclose/replay/replay.hpp"

namespace cotangent {

using enclosing::Account;
using enclosing::Balls;

Enclosure EnclosureAccess::of(const Balls& balls, const Account& account) {
  Enclosure e;
  e.lower_ = balls.lower();
  e.upper_ = balls.upper();
  e.bits_ = static_cast<int>(account.bits);
  e.comparisons_ = account.comparisons;
  e.undecided_ = account.undecided;
  e.jumps_ = account.jumps;
  e.balls_ = std::make_shared<const Balls>(balls);
  return e;
}

const Balls& EnclosureAccess::balls(const Enclosure& e) { return *static_cast<const Balls*>(e.balls_.get()); }

arb_ptr EnclosureAccess::ball(const Enclosure& e, Index k) {
  if (k < 0 || k >= e.lower_.size())
    throw ShapeError(fmt::format("[Enclosure] number {} of {}; give one of 0 .. {}", k,
                                 e.lower_.shape().to_string(), e.lower_.size() - 1));
  return balls(e)[k];
}

namespace {

/// log2 of a radius, which doubles may not hold; -infinity for 0.
double log2_of(const mag_struct* radius) {
  if (mag_is_zero(radius)) return -std::numeric_limits<double>::infinity();
  if (mag_is_inf(radius)) return std::numeric_limits<double>::infinity();
  return mag_get_d_log2_approx(radius);
}

void check(const EncloseOptions& o) {
  constexpr int kMost = 1 << 20;
  if (o.bits < 2 || o.bits > kMost || o.most_bits < o.bits || o.most_bits > kMost)
    throw DomainError(fmt::format(
        "[enclose] bits is {}, most_bits {}; give bits from 2 on, and most_bits from bits to 2^20", o.bits,
        o.most_bits));
  if (!(o.accuracy >= 0.0))
    throw DomainError(fmt::format("[enclose] accuracy is {}; give 0 or more", o.accuracy));
}

/// Whether every radius is at most `accuracy` of its number.
bool known(const Balls& y, double accuracy) {
  for (Index i = 0; i < y.size(); ++i) {
    if (arb_is_exact(y[i])) continue;
    if (!arb_is_finite(y[i]) || static_cast<double>(-arb_rel_accuracy_bits(y[i])) > std::log2(accuracy))
      return false;
  }
  return true;
}

Enclosure enclosed(const enclosing::Replay& replay, const Balls& input, const EncloseOptions& options) {
  for (int bits = options.bits;; bits = std::min(2 * bits, options.most_bits)) {
    Account account{.bits = bits};
    const Balls y = replay(input, account);
    if (bits == options.most_bits || (account.undecided == 0 && known(y, options.accuracy)))
      return EnclosureAccess::of(y, account);
  }
}

Enclosure enclosed(const enclosing::Replay& replay, const Box& box, EncloseOptions options) {
  if (!equal(box.lower, box.upper)) options.most_bits = options.bits;  // more bits do not tell more of a box
  return enclosed(replay, Balls::between(box.lower, box.upper), options);
}

void check_box(const Box& box) {
  if (!(box.lower.shape() == box.upper.shape()))
    throw ShapeError(fmt::format("[enclose] the lower corner is {}, the upper {}; give them one shape",
                                 box.lower.shape().to_string(), box.upper.shape().to_string()));
  for (Index i = 0; i < box.lower.size(); ++i) {
    const double low = box.lower.flat(i), high = box.upper.flat(i);
    if (!std::isfinite(low) || !std::isfinite(high) || low > high)
      throw DomainError(
          fmt::format("[enclose] the box's corners are {} and {} at {}; give finite numbers, the lower first",
                      low, high, box.lower.shape().position(i)));
  }
}

}  // namespace

Tensor Enclosure::middle() const { return (0.5 * Var(lower_) + 0.5 * Var(upper_)).value(); }

bool Enclosure::finite() const noexcept {
  const auto finite = [](double x) { return std::isfinite(x); };
  return std::all_of(lower_.data().begin(), lower_.data().end(), finite) &&
         std::all_of(upper_.data().begin(), upper_.data().end(), finite);
}

bool Enclosure::contains(const Tensor& numbers) const {
  if (!(numbers.shape() == lower_.shape()))
    throw ShapeError(fmt::format("[Enclosure] the numbers are {}, the bounds {}; give them one shape",
                                 numbers.shape().to_string(), lower_.shape().to_string()));
  for (Index i = 0; i < numbers.size(); ++i)
    if (!(lower_.flat(i) <= numbers.flat(i) && numbers.flat(i) <= upper_.flat(i))) return false;
  return true;
}

std::string Enclosure::digits(Index k, int n) const {
  char* text = arb_get_str(EnclosureAccess::ball(*this, k), n, 0);
  std::string result = text;
  flint_free(text);
  return result;
}

double Enclosure::log2_radius(Index k) const { return log2_of(arb_radref(EnclosureAccess::ball(*this, k))); }

std::string Enclosure::to_string() const {
  return fmt::format("lower {}\nupper {}\n{} bits, {} of {} comparisons undecided", lower_.to_string(),
                     upper_.to_string(), bits_, undecided_, comparisons_);
}

Enclosure enclose(VarFunction f, const Tensor& w, const EncloseOptions& options) {
  check(options);
  return EnclosedFunction(f, w)(w, options);
}

Enclosure enclose(VarFunction f, const Params& w, const EncloseOptions& options) {
  return enclose(f, w.flat(), options);
}

// Which operations are recorded is decided at the middle: a branch of the script on value() counts as data.
Enclosure enclose(VarFunction f, const Box& box, const EncloseOptions& options) {
  check(options);
  check_box(box);
  return EnclosedFunction(f, (0.5 * Var(box.lower) + 0.5 * Var(box.upper)).value())(box, options);
}

EnclosedFunction::EnclosedFunction(VarFunction f, const Tensor& at)
    : replay_(std::make_shared<const enclosing::Replay>(enclosing::program_of(f, at))) {}

void EnclosedFunction::check_shape(const Shape& shape) const {
  if (!(shape == replay_->input_shape()))
    throw ShapeError(
        fmt::format("[enclose] the function was recorded at {}, and is asked at {}; give one shape",
                    replay_->input_shape().to_string(), shape.to_string()));
}

Enclosure EnclosedFunction::operator()(const Tensor& w, const EncloseOptions& options) const {
  check(options);
  check_shape(w.shape());
  return enclosed(*replay_, Balls::of(w), options);
}

Enclosure EnclosedFunction::operator()(const Box& box, const EncloseOptions& options) const {
  check(options);
  check_box(box);
  check_shape(box.lower.shape());
  return enclosed(*replay_, box, options);
}

}  // namespace cotangent
