// Arrays of balls, and what a thread leaves behind.
#include "enclose/balls/balls.hpp"

#include <limits>

#include "autodiff/tensor/access.hpp"

namespace cotangent::enclosing {

namespace {

struct ThreadGuard {
  bool minded = false;
  ~ThreadGuard() { flint_cleanup(); }
};
thread_local ThreadGuard guard;

}  // namespace

void mind_thread() { guard.minded = true; }  // touching it registers its destructor with this thread

struct Balls::Block {
  explicit Block(slong n) : size(n) {
    mind_thread();
    numbers = _arb_vec_init(n);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { _arb_vec_clear(numbers, size); }

  arb_ptr numbers;
  slong size;
};

Balls::Balls(const Shape& shape) : shape_(shape) {
  const auto block = std::make_shared<const Block>(shape.size());
  at_ = block->numbers;
  block_ = block;
}

Balls Balls::of(const Tensor& numbers) {
  Balls b(numbers.shape());
  for (Index i = 0; i < b.size(); ++i) arb_set_d(b[i], numbers.flat(i));
  return b;
}

namespace {

/// A radius that is not less than r, and r itself where 30 bits hold it: then a box that ends at a kink does
/// not go beyond.
void set_radius(mag_ptr radius, const arf_struct* r) {
  arf_t back;
  arf_init(back);
  arf_get_mag_lower(radius, r);
  arf_set_mag(back, radius);
  if (!arf_equal(back, r)) arf_get_mag(radius, r);
  arf_clear(back);
}

}  // namespace

Balls Balls::between(const Tensor& lower, const Tensor& upper) {
  Balls b(lower.shape());
  Ball low, high;
  for (Index i = 0; i < b.size(); ++i) {
    arb_set_d(low, lower.flat(i));
    arb_set_d(high, upper.flat(i));
    arb_add(b[i], low, high, ARF_PREC_EXACT);
    arb_mul_2exp_si(b[i], b[i], -1);
    arb_sub(high, high, low, ARF_PREC_EXACT);
    arb_mul_2exp_si(high, high, -1);
    set_radius(arb_radref(b[i]), arb_midref(static_cast<arb_ptr>(high)));
  }
  return b;
}

Balls Balls::view(Index offset, const Shape& shape) const {
  Balls b = *this;
  b.at_ = at_ + offset;
  b.shape_ = shape;
  return b;
}

namespace {

/// One end of a ball; `unknown` if it says nothing.
template <class End>
double end_of(arb_srcptr x, arf_rnd_t towards, double unknown, End end) {
  // An infinite number is known only if it is exact.
  if (!arb_is_finite(x) && (!arb_is_exact(x) || arf_is_nan(arb_midref(x)))) return unknown;
  arf_t bound;
  arf_init(bound);
  end(bound, x, 64);
  const double rounded = arf_get_d(bound, towards);
  arf_clear(bound);
  return rounded;
}

template <class End>
Tensor ends(const Balls& b, End end) {
  Tensor out = detail::uninitialized(b.shape());
  for (Index i = 0; i < b.size(); ++i) detail::mutable_data(out)[i] = end(b[i]);
  return out;
}

}  // namespace

double lower_of(arb_srcptr x) {
  return end_of(x, ARF_RND_FLOOR, -std::numeric_limits<double>::infinity(), arb_get_lbound_arf);
}
double upper_of(arb_srcptr x) {
  return end_of(x, ARF_RND_CEIL, std::numeric_limits<double>::infinity(), arb_get_ubound_arf);
}
Tensor Balls::lower() const { return ends(*this, lower_of); }
Tensor Balls::upper() const { return ends(*this, upper_of); }

}  // namespace cotangent::enclosing
