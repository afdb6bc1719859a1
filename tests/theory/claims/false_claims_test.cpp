// Two of every hundred of the claims that scripts/claims counts: the false ones are refuted, the true ones
// are not.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "tests/support/claims_to_falsify.hpp"

namespace cotangent {
namespace {

using test::KindOfClaim;
using test::Truth;
using theory::Outcome;

constexpr int kOfEach = 2;

TEST(FalseClaims, AreRefuted) {
  for (const KindOfClaim& kind : test::kinds_of_claims())
    for (int k = 0; k < kOfEach && kind.draws(Truth::no); ++k) {
      Rng planting = Rng(1).split(fmt::format("{} {}", kind.name, k)), searching(2);
      const test::ClaimToFalsify c = kind.draw(planting, k, Truth::no);
      EXPECT_TRUE(c.at_witness().disproved()) << kind.name << ": " << c.text;
      if (kind.wanted == 0) continue;
      const theory::Verdict v = c.falsify(searching);
      EXPECT_EQ(v.outcome, Outcome::refuted) << kind.name << ": " << c.text << "\n" << v.to_string();
    }
}

TEST(FalseClaims, TrueOnesAreNot) {
  for (const KindOfClaim& kind : test::kinds_of_claims())
    for (int k = 0; k < kind.count / 50 + (kind.count > 100 ? 13 : 0) && kind.draws(Truth::yes); ++k) {
      Rng planting = Rng(1).split(fmt::format("{} {}", kind.name, k)), searching(2);
      test::ClaimToFalsify c = kind.draw(planting, k, Truth::yes);
      c.options.evaluations = 10'000;
      const theory::Verdict v = c.falsify(searching);
      EXPECT_NE(v.outcome, Outcome::refuted) << kind.name << ": " << c.text << "\n" << v.to_string();
    }
}

}  // namespace
}  // namespace cotangent
