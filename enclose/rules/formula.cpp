// RealBall: one ball and the account of its replay. OpEnclosure: a call as a script's rule sees it.
#include "enclose/formula.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "enclose/rules/rules.hpp"

namespace cotangent {
namespace enclosing {

struct BallAccess {
  static arb_ptr number(const RealBall& x) {
    static_assert(sizeof(arb_struct) <= sizeof(x.number_) && alignof(arb_struct) <= alignof(void*));
    return reinterpret_cast<arb_ptr>(const_cast<unsigned char*>(x.number_));
  }
  static RealBall made(Account* account) { return RealBall(account); }
  static Account* account(const RealBall& a) { return a.account_; }
  /// Of two, that of the one which is no constant.
  static Account& account(const char* name, const RealBall& a, const RealBall& b) {
    Account* const account = a.account_ ? a.account_ : b.account_;
    if (!account)
      throw DomainError(fmt::format(
          "[RealBall] {} of constants alone, which have no bits; give them x's by lift(2.0, x)", name));
    return *account;
  }
  /// f(result, account), for a result with the account of a or b.
  template <class F>
  static RealBall of(const char* name, const RealBall& a, const RealBall& b, F f) {
    Account& account = BallAccess::account(name, a, b);
    RealBall y(&account);
    f(number(y), account);
    return y;
  }
  static OpEnclosure enclosure(const Call& call, Balls& result) { return {call, result}; }
};

Balls by_script(const Call& c) {
  // Without a pullback its derivative is taken for 0, which says nothing of how far it goes.
  if (!c.step.op->spec().pullback)
    for (const Balls& in : c.in)
      for (Index i = 0; i < in.size(); ++i) c.account.jumps += !arb_is_exact(in[i]);
  Balls y(c.shape());
  for (Index i = 0; i < y.size(); ++i) arb_indeterminate(y[i]);
  OpEnclosure e = BallAccess::enclosure(c, y);
  c.step.op->spec().enclose(e);
  return y;
}

}  // namespace enclosing

using enclosing::Account;
using enclosing::BallAccess;

namespace {

arb_ptr number(const RealBall& x) { return BallAccess::number(x); }

/// What is left open meanwhile counts as jumps.
class Jumping {
 public:
  explicit Jumping(Account& account) : account_(account), before_(account.undecided) {}
  Jumping(const Jumping&) = delete;
  Jumping& operator=(const Jumping&) = delete;
  ~Jumping() { account_.jumps += account_.undecided - before_; }

 private:
  Account& account_;
  Index before_;
};

template <void (*f)(arb_ptr, arb_srcptr, slong)>
RealBall one(const char* name, const RealBall& x) {
  return BallAccess::of(name, x, x, [&](arb_ptr y, Account& account) { f(y, number(x), account.bits); });
}
template <void (*f)(arb_ptr, arb_srcptr, arb_srcptr, slong)>
RealBall two(const char* name, const RealBall& a, const RealBall& b) {
  return BallAccess::of(name, a, b,
                        [&](arb_ptr y, Account& account) { f(y, number(a), number(b), account.bits); });
}
template <int (*holds)(const arb_t, const arb_t), int (*fails)(const arb_t, const arb_t)>
RealBall compared(const char* name, const RealBall& a, const RealBall& b) {
  return BallAccess::of(name, a, b, [&](arb_ptr y, Account& account) {
    const Jumping jumping(account);
    enclosing::compare<holds, fails>(y, number(a), number(b), account);
  });
}

}  // namespace

RealBall::RealBall(Account* account) : account_(account) {
  enclosing::mind_thread();
  arb_init(::cotangent::number(*this));
}
RealBall::RealBall(double exact) : RealBall(static_cast<Account*>(nullptr)) {
  arb_set_d(::cotangent::number(*this), exact);
}
RealBall::RealBall(const RealBall& other) : RealBall(other.account_) {
  arb_set(::cotangent::number(*this), ::cotangent::number(other));
}
RealBall::RealBall(RealBall&& other) noexcept : RealBall(other.account_) {
  arb_swap(::cotangent::number(*this), ::cotangent::number(other));
}
RealBall& RealBall::operator=(const RealBall& other) {
  if (this == &other) return *this;
  account_ = other.account_;
  arb_set(::cotangent::number(*this), ::cotangent::number(other));
  return *this;
}
RealBall& RealBall::operator=(RealBall&& other) noexcept {
  account_ = other.account_;
  arb_swap(::cotangent::number(*this), ::cotangent::number(other));
  return *this;
}
RealBall::~RealBall() { arb_clear(::cotangent::number(*this)); }

double RealBall::lower() const { return enclosing::lower_of(number(*this)); }
double RealBall::upper() const { return enclosing::upper_of(number(*this)); }

RealBall operator+(const RealBall& a, const RealBall& b) { return two<arb_add>("+", a, b); }
RealBall operator-(const RealBall& a, const RealBall& b) { return two<arb_sub>("-", a, b); }
RealBall operator*(const RealBall& a, const RealBall& b) { return two<arb_mul>("*", a, b); }
RealBall operator/(const RealBall& a, const RealBall& b) { return two<arb_div>("/", a, b); }
RealBall operator-(const RealBall& x) {
  RealBall y = x;
  arb_neg(number(y), number(y));
  return y;
}
RealBall exp(const RealBall& x) { return one<arb_exp>("exp", x); }
RealBall log(const RealBall& x) { return one<arb_log>("log", x); }
RealBall sqrt(const RealBall& x) { return one<arb_sqrt>("sqrt", x); }
RealBall square(const RealBall& x) { return one<arb_sqr>("square", x); }
RealBall sin(const RealBall& x) { return one<arb_sin>("sin", x); }
RealBall cos(const RealBall& x) { return one<arb_cos>("cos", x); }
RealBall tanh(const RealBall& x) { return one<arb_tanh>("tanh", x); }
RealBall sigmoid(const RealBall& x) { return one<enclosing::sigmoid>("sigmoid", x); }
RealBall softplus(const RealBall& x) { return one<enclosing::softplus>("softplus", x); }
RealBall expm1(const RealBall& x) { return one<arb_expm1>("expm1", x); }
RealBall log1p(const RealBall& x) { return one<arb_log1p>("log1p", x); }
RealBall erf(const RealBall& x) { return one<arb_hypgeom_erf>("erf", x); }
RealBall erfc(const RealBall& x) { return one<arb_hypgeom_erfc>("erfc", x); }
RealBall pow(const RealBall& x, const RealBall& p) { return two<enclosing::power>("pow", x, p); }

RealBall abs(const RealBall& x) {
  return BallAccess::of("abs", x, x,
                        [&](arb_ptr y, Account& account) { enclosing::absolute(y, number(x), account); });
}
RealBall sign(const RealBall& x) {
  return BallAccess::of("sign", x, x, [&](arb_ptr y, Account& account) {
    const Jumping jumping(account);
    enclosing::choose(y, number(x), enclosing::Ball(1.0), enclosing::Ball(-1.0), account);
  });
}
RealBall relu(const RealBall& x) { return leaky_relu(x, 0.0); }
RealBall leaky_relu(const RealBall& x, double slope) {
  return BallAccess::of("leaky_relu", x, x, [&](arb_ptr y, Account& account) {
    enclosing::Ball left(slope);
    arb_mul(left, left, number(x), account.bits);
    enclosing::choose(y, number(x), number(x), left, account);
  });
}
RealBall maximum(const RealBall& a, const RealBall& b) { return two<arb_max>("maximum", a, b); }
RealBall minimum(const RealBall& a, const RealBall& b) { return two<arb_min>("minimum", a, b); }
RealBall less(const RealBall& a, const RealBall& b) { return compared<arb_lt, arb_ge>("less", a, b); }
RealBall less_equal(const RealBall& a, const RealBall& b) {
  return compared<arb_le, arb_gt>("less_equal", a, b);
}
RealBall greater(const RealBall& a, const RealBall& b) { return compared<arb_gt, arb_le>("greater", a, b); }
RealBall greater_equal(const RealBall& a, const RealBall& b) {
  return compared<arb_ge, arb_lt>("greater_equal", a, b);
}
RealBall where(const RealBall& mask, const RealBall& a, const RealBall& b) {
  return BallAccess::of("where", mask, BallAccess::account(a) ? a : b, [&](arb_ptr y, Account& account) {
    const Jumping jumping(account);
    enclosing::choose_by_mask(y, number(mask), number(a), number(b), account);
  });
}
RealBall lift(double exact, const RealBall& like) {
  RealBall y = BallAccess::made(BallAccess::account(like));
  arb_set_d(number(y), exact);
  return y;
}

namespace {

[[noreturn]] void throw_no_number(const Op& op, const char* of, Index i, Index count) {
  throw DomainError(fmt::format("[{}] its enclosure asks for {} {} of {}", op.name(), of, i, count));
}

const enclosing::Balls& input(const enclosing::Call& c, int j) {
  if (j < 0 || static_cast<std::size_t>(j) >= c.in.size())
    throw_no_number(*c.step.op, "input", j, static_cast<Index>(c.in.size()));
  return c.in[static_cast<std::size_t>(j)];
}

}  // namespace

int OpEnclosure::count() const { return static_cast<int>(call_.in.size()); }
const Shape& OpEnclosure::shape(int j) const { return input(call_, j).shape(); }
const Shape& OpEnclosure::out_shape() const { return call_.shape(); }
const OpAttributes& OpEnclosure::attributes() const { return call_.step.attributes; }
RealBall OpEnclosure::in(int j, Index i) const {
  const enclosing::Balls& numbers = input(call_, j);
  if (i < 0 || i >= numbers.size()) throw_no_number(*call_.step.op, "number", i, numbers.size());
  RealBall x = BallAccess::made(&call_.account);
  arb_set(number(x), numbers[i]);
  return x;
}
void OpEnclosure::out(Index i, const RealBall& value) {
  if (i < 0 || i >= result_.size()) throw_no_number(*call_.step.op, "number", i, result_.size());
  arb_set(result_[i], number(value));
}

}  // namespace cotangent
