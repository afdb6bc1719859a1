// Claims to try the falsifier on, drawn by seed: of each kind false ones, with a counterexample found by
// thought and not by search, and true ones that come close.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "theory/falsifier.hpp"

namespace cotangent::test {

struct ClaimToFalsify {
  std::string text;
  std::variant<theory::PointwiseClaim, theory::PairClaim> claim;
  Params centre;
  theory::FalsifyOptions options = {};
  /// Where a false claim is false: one point, or two.
  std::vector<Params> witness = {};

  theory::Inequality at_witness() const;
  theory::Verdict falsify(Rng& rng) const;
};

/// Which of a kind's claims are wanted.
enum class Truth { no, yes };

struct KindOfClaim {
  std::string name;
  /// Of 100 false ones, how many the falsifier is to find with its default options; 0: as they come.
  int wanted;
  /// Draw number k.
  Function<ClaimToFalsify(Rng& rng, int k, Truth truth)> draw;
  enum class Has { both, only_false, only_true } has = Has::both;
  int count = 100;

  bool draws(Truth truth) const { return has != (truth == Truth::yes ? Has::only_false : Has::only_true); }
};

/// One of 22 inequalities and identities that rounding hides; 22 draws have each once.
ClaimToFalsify true_claim_that_cancels(Rng& rng, int k, Truth truth);

/// All kinds, in the order of the table that claims_program prints.
const std::vector<KindOfClaim>& kinds_of_claims();

}  // namespace cotangent::test
