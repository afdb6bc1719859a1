// The enclosure of every operation, by its name.
#pragma once
#include <map>
#include <span>
#include <string_view>

#include "enclose/balls/balls.hpp"
#include "enclose/record/program.hpp"

namespace cotangent::enclosing {

/// What a replay counts while it runs.
struct Account {
  slong bits = 128;
  Index comparisons = 0, undecided = 0;
  Index jumps = 0;  // undecided comparisons of operations that jump
};

/// One step of a replay, as its rule sees it.
struct Call {
  const Step& step;
  std::span<const Balls> in;
  Account& account;

  slong bits() const { return account.bits; }
  const Shape& shape() const { return step.shape; }
  double real(int k = 0) const { return step.attributes.real[static_cast<std::size_t>(k)]; }
  Index whole(int k) const { return step.attributes.whole[static_cast<std::size_t>(k)]; }
};

/// The balls of a result; they contain the operation's exact value at every point of the inputs' balls.
/// Nothing is known of a result that goes by positions which are not sure.
using Rule = Balls (*)(const Call&);
using RuleTable = std::map<std::string_view, Rule>;

/// Null: no rule encloses the operation.
Rule rule_of(const Op& op);
/// Whether it is not continuous: there its derivative says nothing of how far it goes.
bool jumps(const Op& op);

// Each source's part of the table.
void add_elementwise(RuleTable& table);
void add_kinks(RuleTable& table);
void add_products(RuleTable& table);
void add_reductions(RuleTable& table);
void add_moves(RuleTable& table);

// ---- what several sources use --------------------------------------------------------------------

/// 1: x >= 0, -1: x < 0, 0: these bits do not tell.
int side(arb_srcptr x, Account& account);
/// y becomes `right` or `left` by the side of x, or holds both; y may be none of them.
void choose(arb_ptr y, arb_srcptr x, arb_srcptr right, arb_srcptr left, Account& account);
/// a where the mask is not 0, b where it is, or both.
void choose_by_mask(arb_ptr y, arb_srcptr mask, arb_srcptr a, arb_srcptr b, Account& account);
void absolute(arb_ptr y, arb_srcptr x, Account& account);
/// 1 where `holds` is sure, 0 where `fails` is, else [0, 1].
template <int (*holds)(const arb_t, const arb_t), int (*fails)(const arb_t, const arb_t)>
void compare(arb_ptr y, arb_srcptr a, arb_srcptr b, Account& account) {
  ++account.comparisons;
  if (holds(a, b)) {
    arb_one(y);
  } else if (fails(a, b)) {
    arb_zero(y);
  } else {
    ++account.undecided;
    arb_unit_interval(y);
  }
}

void sigmoid(arb_ptr y, arb_srcptr x, slong bits);
void softplus(arb_ptr y, arb_srcptr x, slong bits);
void power(arb_ptr y, arb_srcptr x, arb_srcptr exponent, slong bits);

/// By a script's own .enclose.
Balls by_script(const Call& c);

/// f(y_i, x_i, bits).
template <void (*f)(arb_ptr, arb_srcptr, slong)>
Balls map(const Call& c) {
  Balls y(c.shape());
  for (Index i = 0; i < y.size(); ++i) f(y[i], c.in[0][i], c.bits());
  return y;
}
/// f(y_i, a_i, b_i, bits); a scalar goes with any shape.
template <void (*f)(arb_ptr, arb_srcptr, arb_srcptr, slong)>
Balls zip(const Call& c) {
  Balls y(c.shape());
  const Index a = c.in[0].rank() ? 1 : 0, b = c.in[1].rank() ? 1 : 0;
  for (Index i = 0; i < y.size(); ++i) f(y[i], c.in[0][i * a], c.in[1][i * b], c.bits());
  return y;
}

}  // namespace cotangent::enclosing
