// Sums of (H_u H_v^T) o (Delta_u Delta_v^T) over the places where parameters meet the data.
#include "theory/kernels/structured_kernel.hpp"

#include <algorithm>
#include <optional>

#include "autodiff/kernels/loops.hpp"
#include "autodiff/kernels/products.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::theory::kernels {

using cotangent::detail::mutable_data;
using cotangent::detail::ParamUse;
using cotangent::detail::SampleSweep;
using cotangent::detail::uninitialized;

/// a b^T for a [n1, k], b [n2, k].
Tensor gram(const Tensor& a, const Tensor& b) {
  Tensor product = uninitialized(Shape{a.size(0), b.size(0)});
  kernel::matmul(mutable_data(product), a.data().data(), b.data().data(),
                 {.rows = a.size(0), .inner = a.size(1), .columns = b.size(0)}, {.transpose_b = true}, 0.0);
  return product;
}

/// a a^T for a [n, k]; only the lower triangle is set.
Tensor gram_lower(const Tensor& a) {
  Tensor product = uninitialized(Shape{a.size(0), a.size(0)});
  kernel::gram_lower(mutable_data(product), a.data().data(), a.size(0), a.size(1));
  return product;
}

void reflect(Tensor& square) {
  const Index n = square.size(0);
  double* to = mutable_data(square);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < i; ++j) to[j * n + i] = to[i * n + j];
}

namespace {

/// Uses with the same cotangent rows, such as a layer's weight and bias, share one product Delta Delta^T.
struct Site {
  const std::vector<Tensor>* delta;
  std::vector<std::size_t> uses;
};

std::vector<Site> sites_of(const SampleSweep& sweep) {
  const auto same = [](const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Tensor& s, const Tensor& t) {
      return s.data().data() == t.data().data() && s.shape() == t.shape();
    });
  };
  std::vector<Site> sites;
  for (std::size_t k = 0; k < sweep.uses.size(); ++k) {
    const auto found = std::find_if(sites.begin(), sites.end(),
                                    [&](const Site& s) { return same(*s.delta, sweep.uses[k].delta); });
    if (found != sites.end())
      found->uses.push_back(k);
    else
      sites.push_back({&sweep.uses[k].delta, {k}});
  }
  return sites;
}

/// Per-sample gradients of one output spelled out, [n, size].
Tensor spelled_out(const ParamUse& use, std::size_t c) {
  const Tensor& delta = use.delta[c];
  if (!use.outer()) return delta;
  const Index n = delta.size(0), p = delta.size(1), q = use.data.size(1);
  const double* d = delta.data().data();
  const double* h = use.data.data().data();
  Tensor rows = uninitialized(Shape{n, use.size});
  double* to = mutable_data(rows);
  for (Index i = 0; i < n; ++i, d += p, h += q) {
    const Index outer = use.data_first ? q : p, inner = use.data_first ? p : q;
    const double* left = use.data_first ? h : d;
    const double* right = use.data_first ? d : h;
    for (Index a = 0; a < outer; ++a)
      for (Index b = 0; b < inner; ++b) *to++ = left[a] * right[b];
  }
  return rows;
}

enum class Pairing { plain, outer, crossed, spelled };

Pairing pairing(const ParamUse& u, const ParamUse& v, std::size_t c1, std::size_t c2) {
  const Index pu = u.delta[c1].size(1), pv = v.delta[c2].size(1);
  if (!u.outer() && !v.outer()) return Pairing::plain;
  if (!u.outer() || !v.outer()) return Pairing::spelled;
  if (u.data_first == v.data_first) return pu == pv ? Pairing::outer : Pairing::spelled;
  return pu == v.data.size(1) ? Pairing::crossed : Pairing::spelled;
}

bool reached(const ParamUse& use, std::size_t c) { return use.delta[c].rank() == 2; }

std::optional<std::size_t> reached_first(const ParamUse& use) {
  for (std::size_t c = 0; c < use.delta.size(); ++c)
    if (reached(use, c)) return c;
  return std::nullopt;
}

/// Adds up the structured kernel in blocks [C, C] of [n1, n2]; for one set with itself, only what lies on or
/// below the diagonal is computed, by symmetric rank-k products where a use is paired with itself.
class StructuredKernel {
 public:
  StructuredKernel(const SampleSweep& a, const SampleSweep& b)
      : a_(a), b_(b), symmetric_(&a == &b), outputs_(static_cast<std::size_t>(a.outputs)) {
    blocks_.assign(outputs_ * outputs_, Tensor());
    for (std::size_t c1 = 0; c1 < outputs_; ++c1)
      for (std::size_t c2 = 0; c2 < (symmetric_ ? c1 + 1 : outputs_); ++c2)
        block(c1, c2) = Tensor::zeros(Shape{a.samples, b.samples});
    const std::vector<Site> sites_a = sites_of(a), sites_b = symmetric_ ? sites_a : sites_of(b);
    for (std::size_t s = 0; s < sites_a.size(); ++s)
      for (std::size_t t = 0; t < sites_b.size(); ++t)
        add_sites(sites_a[s], sites_b[t], symmetric_ && s == t);
  }

  /// [n1*C, n2*C]
  Tensor matrix() {
    const Index n1 = a_.samples, n2 = b_.samples, count = a_.outputs;
    if (symmetric_) mirror();
    if (count == 1) return block(0, 0);
    Tensor result = uninitialized(Shape{n1 * count, n2 * count});
    for (Index i = 0; i < n1; ++i)
      for (Index c1 = 0; c1 < count; ++c1)
        for (Index c2 = 0; c2 < count; ++c2) {
          const double* from =
              block(static_cast<std::size_t>(c1), static_cast<std::size_t>(c2)).data().data() + i * n2;
          double* to = mutable_data(result) + (i * count + c1) * n2 * count + c2;
          for (Index j = 0; j < n2; ++j) to[j * count] = from[j];
        }
    return result;
  }

 private:
  Tensor& block(std::size_t c1, std::size_t c2) { return blocks_[c1 * outputs_ + c2]; }

  void add_sites(const Site& s, const Site& t, bool same_site) {
    // What multiplies Delta_s Delta_t^T: the sum of the H_u H_v^T of all parameters
    // met at both sites (1 for a bias).
    Tensor factor;
    double constant = 0.0;
    bool any = false;
    for (const std::size_t u : s.uses)
      for (const std::size_t v : t.uses) {
        const ParamUse &first = a_.uses[u], &second = b_.uses[v];
        if (first.offset != second.offset || first.size != second.size) continue;
        const auto [c1, c2] = first_reached(first, second);
        if (c1 == outputs_) continue;
        switch (pairing(first, second, c1, c2)) {
          case Pairing::plain:
            constant += 1.0, any = true;
            break;
          case Pairing::outer: {
            // One use with itself is symmetric; two uses at one site pair both ways, so
            // their full products are needed.
            Tensor h =
                same_site && u == v && !mixed(s) ? gram_lower(first.data) : gram(first.data, second.data);
            if (factor.rank() == 2)
              kernel::loops().add_to(mutable_data(factor), h.data().data(), h.size());
            else
              factor = std::move(h);
            any = true;
            break;
          }
          case Pairing::crossed:
            add_apart(first, second, true);
            break;
          case Pairing::spelled:
            add_apart(first, second, false);
            break;
        }
      }
    if (!any) return;
    for (std::size_t c1 = 0; c1 < outputs_; ++c1)
      for (std::size_t c2 = 0; c2 < (symmetric_ ? c1 + 1 : outputs_); ++c2) {
        const Tensor &left = (*s.delta)[c1], &right = (*t.delta)[c2];
        if (left.rank() != 2 || right.rank() != 2) continue;
        const bool lower = same_site && c1 == c2;
        const Tensor d = lower ? gram_lower(left) : gram(left, right);
        // Off the diagonal of outputs the factor is read whole, so its upper triangle must exist.
        if (!lower && same_site && factor.rank() == 2 && !mixed(s)) reflect(factor);
        accumulate(block(c1, c2), d, factor, constant, symmetric_ && c1 == c2);
      }
  }

  /// Several outer uses share a site (one module's output feeding two products):
  /// pairs u != v are not symmetric.
  bool mixed(const Site& s) const {
    return std::count_if(s.uses.begin(), s.uses.end(), [&](std::size_t u) { return a_.uses[u].outer(); }) > 1;
  }

  std::pair<std::size_t, std::size_t> first_reached(const ParamUse& u, const ParamUse& v) const {
    for (std::size_t c1 = 0; c1 < outputs_; ++c1)
      for (std::size_t c2 = 0; c2 < outputs_; ++c2)
        if (reached(u, c1) && reached(v, c2)) return {c1, c2};
    return {outputs_, outputs_};
  }

  /// block += d o (factor + constant), on and below the diagonal only if lower.
  static void accumulate(Tensor& block, const Tensor& d, const Tensor& factor, double constant, bool lower) {
    const Index n1 = d.size(0), n2 = d.size(1);
    for (Index i = 0; i < n1; ++i) {
      const Index end = lower ? i + 1 : n2;
      double* to = mutable_data(block) + i * n2;
      const double* pd = d.data().data() + i * n2;
      if (factor.rank() == 2) {
        const double* ph = factor.data().data() + i * n2;
        for (Index j = 0; j < end; ++j) to[j] += pd[j] * (ph[j] + constant);
      } else {
        for (Index j = 0; j < end; ++j) to[j] += constant * pd[j];
      }
    }
  }

  /// Pairs whose outer products lie the other way round, <H_u (x) D_u, D_v (x) H_v> = (H_u D_v^T) o (D_u
  /// H_v^T), and pairs with nothing in common but the slice of w.
  void add_apart(const ParamUse& u, const ParamUse& v, bool crossed) {
    for (std::size_t c1 = 0; c1 < outputs_; ++c1)
      for (std::size_t c2 = 0; c2 < (symmetric_ ? c1 + 1 : outputs_); ++c2) {
        if (!reached(u, c1) || !reached(v, c2)) continue;
        if (crossed)
          accumulate(block(c1, c2), gram(u.data, v.delta[c2]), gram(u.delta[c1], v.data), 0.0,
                     symmetric_ && c1 == c2);
        else
          accumulate(block(c1, c2), gram(spelled_out(u, c1), spelled_out(v, c2)), Tensor(), 1.0,
                     symmetric_ && c1 == c2);
      }
  }

  void mirror() {
    for (std::size_t c1 = 0; c1 < outputs_; ++c1) {
      reflect(block(c1, c1));
      for (std::size_t c2 = 0; c2 < c1; ++c2) block(c2, c1) = transpose(block(c1, c2)).value();
    }
  }

  const SampleSweep& a_;
  const SampleSweep& b_;
  bool symmetric_;
  std::size_t outputs_;
  std::vector<Tensor> blocks_;
};

}  // namespace

Tensor structured_kernel(const SampleSweep& a, const SampleSweep& b) {
  return StructuredKernel(a, b).matrix();
}

double structured_kernel_flops(const SampleSweep& sweep, Index n1, Index n2, bool symmetric) {
  const double pairs = static_cast<double>(n1) * static_cast<double>(n2);
  const auto outputs = static_cast<double>(sweep.outputs);
  const auto product = [&](Index k, bool half) {
    return (half ? 1.0 : 2.0) * pairs * static_cast<double>(k);
  };
  double flops = 0.0;
  const std::vector<Site> sites = sites_of(sweep);
  for (std::size_t s = 0; s < sites.size(); ++s)
    for (std::size_t t = 0; t < sites.size(); ++t) {
      bool any = false;
      Index width = 0;
      for (const std::size_t u : sites[s].uses)
        for (const std::size_t v : sites[t].uses) {
          const ParamUse &a = sweep.uses[u], &b = sweep.uses[v];
          const auto c1 = reached_first(a), c2 = reached_first(b);
          if (a.offset != b.offset || a.size != b.size || !c1 || !c2) continue;
          const Index p = a.delta[*c1].size(1);
          const double blocks = symmetric ? 0.5 * outputs * (outputs + 1.0) : outputs * outputs;
          switch (pairing(a, b, *c1, *c2)) {
            case Pairing::outer:
              flops += product(a.data.size(1), symmetric && u == v);
              [[fallthrough]];
            case Pairing::plain:
              any = true;
              width = p;
              break;
            case Pairing::crossed:
              flops += blocks * (product(a.data.size(1), false) + product(p, false));
              break;
            case Pairing::spelled:
              flops += blocks * product(a.size, false);
              break;
          }
        }
      if (!any) continue;
      // One set with itself: halves on the diagonal of outputs, nothing above it. Each block is then
      // multiplied by the factor and added, three operations a number.
      const bool half = symmetric && s == t;
      const double block = product(width, false) + 3.0 * pairs;
      const double diagonal = product(width, half) + (symmetric ? 1.5 : 3.0) * pairs;
      flops += outputs * diagonal + (symmetric ? 0.5 : 1.0) * outputs * (outputs - 1.0) * block;
    }
  return flops;
}

double structured_kernel_bytes(const SampleSweep& sweep, Index n1, Index n2) {
  const auto block = cotangent::detail::block_of;
  double spelled = 0.0;
  for (const ParamUse& u : sweep.uses)
    for (const ParamUse& v : sweep.uses) {
      const auto c1 = reached_first(u), c2 = reached_first(v);
      if (u.offset != v.offset || u.size != v.size || !c1 || !c2) continue;
      if (pairing(u, v, *c1, *c2) == Pairing::spelled)
        spelled = std::max(spelled, block(n1 * u.size) + block(n2 * v.size));
    }
  // A factor and up to two products besides the blocks; with several outputs the blocks are copied together.
  const Index outputs = sweep.outputs;
  const double blocks = static_cast<double>(outputs * outputs) * block(n1 * n2);
  return blocks + (outputs == 1 ? 0.0 : block(n1 * outputs * n2 * outputs)) + 3.0 * block(n1 * n2) + spelled;
}

}  // namespace cotangent::theory::kernels
