// Numbers that are compared without a theorem.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "theory/proof.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

Verdict compare(Claim claim, const Measured& a, const Measured& b) {
  return compare(std::move(claim), a == b);
}

Verdict compare(Claim claim, const Tensor& got, const Tensor& wanted, double accuracy) {
  // Zeros are within 1 of everything.
  if (!(accuracy > 0.0 && accuracy < 1.0))
    throw DomainError(fmt::format("[compare] accuracy is {}; give a number between 0 and 1", accuracy));
  Inequality q = within(relative_error(got, wanted), accuracy) == exact(0.0);
  q.name = fmt::format("max |got - wanted| <= {} max |wanted|", accuracy);
  return compare(std::move(claim), std::move(q));
}

Verdict compare(Claim claim, Inequality inequality, const Domain& where) {
  if (!claim.source.empty())
    throw DomainError(
        fmt::format("[compare] two numbers show nothing of {}; give a claim of your own, or use its check",
                    claim.citation));
  using Kind = Domain::Kind;
  if (where.kind != Kind::numbers && where.kind != Kind::points && where.kind != Kind::standard_errors &&
      where.kind != Kind::integration)
    throw DomainError(fmt::format(
        "[compare] two numbers show nothing {}; say which numbers or points they are", where.text));
  const std::string text = inequality.name.empty() ? claim.name : inequality.name;
  return Proof(std::move(claim)).conclude(where, text, std::move(inequality));
}

double relative_error(const Tensor& got, const Tensor& wanted) {
  if (got.shape() != wanted.shape())
    throw ShapeError(fmt::format("[relative_error] got is {}, wanted is {}; compare tensors of one shape",
                                 got.shape().to_string(), wanted.shape().to_string()));
  double error = 0.0, largest = 0.0;
  for (std::size_t i = 0; i < wanted.data().size(); ++i) {
    const double difference = std::fabs(got.data()[i] - wanted.data()[i]);
    if (std::isnan(difference)) return difference;
    error = std::max(error, difference);
    largest = std::max(largest, std::fabs(wanted.data()[i]));
  }
  if (largest == 0.0)
    throw DomainError(fmt::format("[relative_error] wanted, {}, has nothing but zeros; compare absolutely",
                                  wanted.shape().to_string()));
  return error / largest;
}

}  // namespace cotangent::theory
