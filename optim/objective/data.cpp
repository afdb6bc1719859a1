// Divisions of the samples by one permutation; the memory of a batch.
#include "optim/data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/plan/planner.hpp"

namespace cotangent::optim {
namespace {

Batch sorted(Index n, std::vector<Index> samples) {
  std::sort(samples.begin(), samples.end());
  return Batch::of(n, std::move(samples));
}

/// The blocks that the gradient over so many samples takes, which are gathered as a drawn batch's.
std::vector<detail::BlockEvent> traced_gradient(const FiniteSum& f, const Params& w, Index samples) {
  const Batch batch = Batch::of(f.size(), std::vector<Index>(static_cast<std::size_t>(samples)));
  const detail::BlockTrace trace;
  value_and_grad([&](const Var& v) { return f(v, batch); }, w);
  return trace.events();
}

}  // namespace

Split split(Index n, const SplitOptions& options, Rng& rng) {
  const double validation = options.validation, test = options.test;
  if (!(validation > 0.0 && test >= 0.0 && validation + test < 1.0))
    throw DomainError(
        fmt::format("[split] validation is {}, test is {}; give a share above 0 and one of 0 or above, that "
                    "leave samples for training",
                    validation, test));
  const Index parts = test > 0.0 ? 3 : 2;
  if (n < parts)
    throw DomainError(fmt::format("[split] {} samples for {} parts; give at least {}", n, parts, parts));
  const auto share = [&](double of_all) {
    return std::max<Index>(1, std::llround(of_all * static_cast<double>(n)));
  };
  Index held_out = share(validation), tested = test > 0.0 ? share(test) : 0;
  while (held_out + tested >= n) --(held_out >= tested ? held_out : tested);

  const std::vector<Index> order = rng.permutation(n);
  const auto some = [&](Index first, Index last) {
    return sorted(n, {order.begin() + first, order.begin() + last});
  };
  Split result{.training = some(held_out + tested, n), .validation = some(0, held_out)};
  if (tested > 0) result.test = some(held_out, held_out + tested);
  return result;
}

std::vector<Fold> folds(Index n, Index k, Rng& rng) {
  if (k < 2 || k > n)
    throw DomainError(fmt::format("[folds] {} folds of {} samples; give 2 or more, at most {}", k, n, n));
  const std::vector<Index> order = rng.permutation(n);
  const Index size = n / k, larger = n % k;  // the first `larger` folds have one sample more
  std::vector<Fold> result;
  auto first = order.begin();
  for (Index j = 0; j < k; ++j) {
    const auto last = first + size + (j < larger ? 1 : 0);
    std::vector<Index> training(order.begin(), first);
    training.insert(training.end(), last, order.end());
    result.push_back({.training = sorted(n, std::move(training)), .held_out = sorted(n, {first, last})});
    first = last;
  }
  return result;
}

Index largest_batch(const FiniteSum& f, const Params& w, Index bytes) {
  const std::vector<detail::BlockEvent> one = traced_gradient(f, w, 1);
  const detail::SampleTrace more{.two = traced_gradient(f, w, 2), .three = traced_gradient(f, w, 3)};
  const auto needed = [&](Index samples) {
    detail::BlockReplay replay;
    return samples == 1 ? replay.run(one).peak() : replay.run(more, static_cast<double>(samples)).peak();
  };
  const auto over = [&](Index samples) { return needed(samples) > static_cast<double>(bytes); };
  if (over(1))
    throw DomainError(fmt::format(
        "[largest_batch] the gradient of one sample needs {} bytes, there are {}; give as many, or "
        "a smaller model",
        needed(1), bytes));
  const Index most = detail::largest_that_fits(std::min(f.size(), f.piece().value_or(f.size())), over);
  return most == f.piece() ? f.size() : most;
}

}  // namespace cotangent::optim
