// Runs the falsifier with its default options on claims of every kind that tests/support draws, and prints
// how many of the false ones it found, and how many of the true ones it refuted.
//
// Usage: claims_program [--share S] [--seed N] [--kind TEXT] [--true] [--missed]. See scripts/claims.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "report/table.hpp"
#include "tests/support/claims_to_falsify.hpp"

namespace {

using namespace cotangent;  // NOLINT(google-build-using-namespace)
using test::KindOfClaim;
using test::Truth;

struct Options {
  double share = 1.0;
  std::uint64_t seed = 1;
  std::string kind;
  Truth truth = Truth::no;
  bool missed = false;
};

struct Row {
  int claims = 0, refuted = 0, inconclusive = 0;
  std::vector<double> seconds, evaluations;
  double median(std::vector<double> list) const {
    std::sort(list.begin(), list.end());
    return list.empty() ? 0.0 : list[list.size() / 2];
  }
};

Row run(const KindOfClaim& kind, const Options& o) {
  Row row;
  row.claims = std::max(1, static_cast<int>(std::lround(o.share * kind.count)));
  for (int k = 0; k < row.claims; ++k) {
    const Rng root = Rng(o.seed).split(fmt::format("{} {}", kind.name, k));
    Rng planting = root.split("claim"), searching = root.split("search");
    const test::ClaimToFalsify c = kind.draw(planting, k, o.truth);
    if (o.truth == Truth::no && !c.at_witness().disproved())
      throw std::runtime_error(fmt::format("{}, claim {} ({}) is not false where it should be: {}", kind.name,
                                           k, c.text, c.at_witness().to_string()));
    const auto begin = std::chrono::steady_clock::now();
    const theory::Verdict v = c.falsify(searching);
    row.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    row.evaluations.push_back(static_cast<double>(v.points));
    const bool refuted = v.outcome == theory::Outcome::refuted;
    const bool open = v.outcome == theory::Outcome::inconclusive;
    row.refuted += refuted;
    row.inconclusive += open;
    if (o.missed && (o.truth == Truth::yes ? refuted || open : !refuted))
      std::printf("%s, claim %d: %s\n%s\n", kind.name.c_str(), k, c.text.c_str(), v.to_string().c_str());
  }
  return row;
}

}  // namespace

int main(int count, char** arguments) try {
  Options o;
  for (int k = 1; k < count; ++k) {
    const std::string name = arguments[k];
    const char* value = k + 1 < count ? arguments[k + 1] : nullptr;
    if (name == "--true") {
      o.truth = Truth::yes;
    } else if (name == "--missed") {
      o.missed = true;
    } else if (value && name == "--share") {
      o.share = std::strtod(value, nullptr), ++k;
    } else if (value && name == "--seed") {
      o.seed = std::strtoull(value, nullptr, 10), ++k;
    } else if (value && name == "--kind") {
      o.kind = value, ++k;
    } else {
      std::fprintf(stderr, "claims_program: unknown option \"%s\"\n", name.c_str());
      return 2;
    }
  }
  const bool truth = o.truth == Truth::yes;
  report::Table table({{truth ? "true claims" : "false claims"},
                       {"of"},
                       {truth ? "refuted" : "found"},
                       {truth ? "inconclusive" : "wanted"},
                       {"median s", report::Align::right, 3},
                       {"longest s", report::Align::right, 3},
                       {"median points", report::Align::right, 6}});
  bool met = true, any = false;
  int claims = 0, inconclusive = 0;
  for (const KindOfClaim& kind : test::kinds_of_claims()) {
    if (kind.name.find(o.kind) == std::string::npos || !kind.draws(o.truth)) continue;
    any = true;
    const Row row = run(kind, o);
    const double wanted = kind.wanted * 0.01 * row.claims;
    claims += row.claims, inconclusive += row.inconclusive;
    met = met && (truth ? row.refuted == 0 : row.refuted >= std::floor(wanted));
    table.row({kind.name, row.claims, row.refuted,
               truth             ? report::Cell(row.inconclusive)
               : kind.wanted > 0 ? report::Cell(wanted)
                                 : report::Cell("-"),
               row.median(row.seconds), *std::max_element(row.seconds.begin(), row.seconds.end()),
               row.median(row.evaluations)});
  }
  if (!any) {
    std::fprintf(stderr, "claims_program: no kind has \"%s\" in its name\n", o.kind.c_str());
    return 2;
  }
  std::fputs((table.to_text() + "\n").c_str(), stdout);
  // Of true claims a tenth may be left open.
  return met && (!truth || 10 * inconclusive <= claims) ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "claims_program: %s\n", e.what());
  return 2;
}
