// Saves verdicts for Python to read: verdict_program DIR.
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>

#include "cotangent.hpp"

using namespace cotangent;

int main(int argc, char** argv) try {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  Rng rng(1);
  const auto claim = theory::pointwise(
      {"square", "|w|^2 <= 4 for all w"}, [](const Var& w) { return sum(square(w)); },
      [](const Var&) { return Var(4.0); });
  const Params centre({{"a", Tensor{0.1, 0.2}}, {"b", Tensor{{0.3}}}});
  falsify(claim, centre, rng).save(folder + "/refuted.json");
  falsify(claim, centre, rng, {.evaluations = 200, .domain = 1.5}).save(folder + "/supported.json");
  theory::Proof proof(theory::Claim(theory::entry("O30"), "\"quoted\" \xff"));
  proof.step("nan", theory::exact(NAN) <= theory::exact(INFINITY));
  proof.observed("loss") = {1.0, NAN, -INFINITY, 0.1};
  proof.number("T", 0.1 + 0.2);
  proof.account({{"part", theory::exact(1.0)}}, theory::exact(1.0));
  proof.conclude(theory::Domain::run(), "c", theory::rounded(1.0) <= theory::exact(2.0))
      .save(folder + "/open.json");
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
