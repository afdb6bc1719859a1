// Plain loops, compiled once for each processor level (COTANGENT_ISA_NAME is v1, v3 or v4). Which numbers are
// added in which order is written out, so every level gives the same bits.
#include "autodiff/kernels/loops.hpp"

namespace cotangent::kernel {
namespace COTANGENT_ISA_NAME {
namespace {

using Index = std::int64_t;

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
// What fits into a register.
using Vector [[gnu::vector_size(kBytes), gnu::aligned(8), gnu::may_alias]] = double;

void add_multiple(double* y, const double* x, double c, const double* z, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = x[i] + c * z[i];
}

void outer(double* __restrict y, const double* __restrict left, Index p, const double* __restrict right,
           Index q) {
  for (Index a = 0; a < p; ++a, y += q)
    for (Index b = 0; b < q; ++b) y[b] = left[a] * right[b];
}

void outer_add(double* __restrict y, const double* __restrict left, Index p, const double* __restrict right,
               Index q) {
  for (Index a = 0; a < p; ++a, y += q)
    for (Index b = 0; b < q; ++b) y[b] += left[a] * right[b];
}

void leaky_relu(double* __restrict y, const double* x, double slope, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = x[i] >= 0.0 ? x[i] : slope * x[i];
}

// A slope of 0 lets nothing through, also no infinity: 0 * inf would be NaN.
void leaky_mask(double* __restrict y, const double* g, const double* x, double slope, Index n) {
  if (slope == 0.0) {
    for (Index i = 0; i < n; ++i) y[i] = x[i] >= 0.0 ? g[i] : x[i] < 0.0 ? 0.0 : x[i];
    return;
  }
  for (Index i = 0; i < n; ++i) y[i] = x[i] >= 0.0 ? g[i] : x[i] < 0.0 ? slope * g[i] : x[i];
}

void add(double* __restrict y, const double* x, const double* z, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = x[i] + z[i];
}

void add_to(double* __restrict y, const double* __restrict x, Index n) {
  for (Index i = 0; i < n; ++i) y[i] += x[i];
}

void add_scaled_to(double* __restrict y, double c, const double* __restrict x, Index n) {
  for (Index i = 0; i < n; ++i) y[i] += c * x[i];
}

double sum(const double* x, Index n) {
  double part[8] = {};
  Index i = 0;
  for (; i + 8 <= n; i += 8)
    for (Index k = 0; k < 8; ++k) part[k] += x[i + k];
  for (; i < n; ++i) part[i % 8] += x[i];
  return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

double dot(const double* x, const double* y, Index n) {
  double part[8] = {};
  Index i = 0;
  for (; i + 8 <= n; i += 8)
    for (Index k = 0; k < 8; ++k) part[k] += x[i + k] * y[i + k];
  for (; i < n; ++i) part[i % 8] += x[i] * y[i];
  return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

void fill(double* y, Index n, double value) {
  for (Index i = 0; i < n; ++i) y[i] = value;
}

// Of each reduction: what the next number makes of a partial result, and how two partial results join.
struct Sum {
  template <class T>
  static T next(T s, T x) {
    return s + x;
  }
  static double join(double s, double t) { return s + t; }
};
struct Squares {
  template <class T>
  static T next(T s, T x) {
    return s + x * x;
  }
  static double join(double s, double t) { return s + t; }
};
// `ahead(a, b) ? a : b` is one machine instruction, which takes b where either is NaN; a NaN in a
// is kept beside it.
template <class Ahead>
struct Extreme {
  template <class T>
  static T next(T a, T b) {
    const T better = Ahead()(a, b) ? a : b;
    return a == a ? better : a;  // NOLINT(misc-redundant-expression): is it a NaN?
  }
  static double join(double a, double b) { return next(a, b); }
};
struct Larger {
  template <class T>
  auto operator()(T a, T b) const {
    return a > b;
  }
};
struct Smaller {
  template <class T>
  auto operator()(T a, T b) const {
    return a < b;
  }
};

/// Whether numbers are too many for the second-level cache: then the order in which they
/// are read counts most.
bool is_large(Index rows, Index columns) { return rows * columns > Index{1} << 17; }

// Goes on from what y holds, kRows rows at a time through sixteen partial results that stay in registers.
template <Index kRows, class Reduction>
void down_blocks(double* __restrict y, const double* __restrict x, Index rows, Index columns, Reduction r) {
  constexpr Index kWide = 16;
  constexpr int kVectors = 8 * kWide / kBytes;
  for (Index i = 0; i < rows; i += kRows) {
    const Index count = rows - i < kRows ? rows - i : kRows;
    const double* block = x + i * columns;
    Index j = 0;
    for (; j + kWide <= columns; j += kWide) {
      Vector part[kVectors];
      Vector* to = reinterpret_cast<Vector*>(y + j);
      for (int k = 0; k < kVectors; ++k) part[k] = to[k];
      for (Index row = 0; row < count; ++row) {
        const Vector* from = reinterpret_cast<const Vector*>(block + row * columns + j);
        for (int k = 0; k < kVectors; ++k) part[k] = r.next(part[k], from[k]);
      }
      for (int k = 0; k < kVectors; ++k) to[k] = part[k];
    }
    for (Index row = 0; row < count; ++row)
      for (Index k = j; k < columns; ++k) y[k] = r.next(y[k], block[row * columns + k]);
  }
}

// Memory is read fastest in its own order, row after row, but y is then read and written as often as x: this
// pays while y stays in the innermost cache.
template <class Reduction>
void down_columns(double* y, const double* x, Index rows, Index columns, Reduction r) {
  constexpr Index kInnermost = 1024;
  if (columns <= kInnermost && is_large(rows, columns)) return down_blocks<1>(y, x, rows, columns, r);
  down_blocks<12>(y, x, rows, columns, r);
}

// y_j from nothing but column j, starting at `start`; few columns are seen as eight times as many.
template <class Reduction>
void reduce_columns(double* y, const double* x, Index rows, Index columns, double start, Reduction r) {
  constexpr Index kFold = 8, kNarrow = 16;
  fill(y, columns, start);
  if (columns >= kNarrow || rows < 8 * kFold) return down_columns(y, x, rows, columns, r);
  double folded[kFold * kNarrow];
  const Index wide = kFold * columns, folds = rows / kFold;
  fill(folded, wide, start);
  down_columns(folded, x, folds, wide, r);
  for (Index k = 0; k < wide; ++k) y[k % columns] = r.join(y[k % columns], folded[k]);
  down_columns(y, x + folds * wide, rows % kFold, columns, r);
}

template <class Ahead>
double extreme(const double* x, Index n) {
  constexpr Index kShort = 64, kLanes = 32;
  const Extreme<Ahead> r;
  double part[kLanes];
  if (n < kShort) {
    // Short rows overlap one another, so that one partial result and one look for NaN are enough.
    double sum = x[0] - x[0];
    part[0] = x[0];
    for (Index i = 1; i < n; ++i) {
      part[0] = Ahead()(part[0], x[i]) ? part[0] : x[i];
      sum += x[i] - x[i];
    }
    if (sum == 0.0) return part[0];  // neither NaN nor an infinity
    part[0] = x[0];
    for (Index i = 1; i < n; ++i) part[0] = r.next(part[0], x[i]);
    return part[0];
  }
  for (Index k = 0; k < kLanes; ++k) part[k] = x[0];
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (Index k = 0; k < kLanes; ++k) part[k] = r.next(part[k], x[i + k]);
  for (Index k = 0; i < n; ++i, ++k) part[k] = r.next(part[k], x[i]);
  for (Index half = kLanes / 2; half > 0; half /= 2)
    for (Index k = 0; k < half; ++k) part[k] = r.next(part[k], part[k + half]);
  return part[0];
}

// `whole` reduces numbers that lie side by side, `r` numbers that lie in columns.
template <class Whole, class Reduction>
void reduce_middle(double* y, const double* x, Index outer, Index middle, Index inner, double start,
                   Whole whole, Reduction r) {
  for (Index i = 0; i < outer; ++i, x += middle * inner, y += inner) {
    if (inner == 1)
      *y = whole(x, middle);
    else
      reduce_columns(y, x, middle, inner, start, r);
  }
}

constexpr double kInfinity = __builtin_huge_val();

void sum_middle(double* y, const double* x, Index outer, Index middle, Index inner) {
  reduce_middle(y, x, outer, middle, inner, 0.0, sum, Sum{});
}
void sum_squares_middle(double* y, const double* x, Index outer, Index middle, Index inner) {
  const auto whole = [](const double* from, Index n) { return dot(from, from, n); };
  reduce_middle(y, x, outer, middle, inner, 0.0, whole, Squares{});
}
void max_middle(double* y, const double* x, Index outer, Index middle, Index inner) {
  reduce_middle(y, x, outer, middle, inner, -kInfinity, extreme<Larger>, Extreme<Larger>{});
}
void min_middle(double* y, const double* x, Index outer, Index middle, Index inner) {
  reduce_middle(y, x, outer, middle, inner, kInfinity, extreme<Smaller>, Extreme<Smaller>{});
}

// The sum of squared differences from the mean, of numbers that come in parts, around a centre that follows:
// the mean so far as far as a double can say it, with the sum of what is left. A part adds sum t and sum t^2,
// for t the distance from the centre; then the centre moves by c, and a sum S of n distances becomes S - n c,
// one of squares less c (2 S - n c). While a part is not much longer than what came before, both keep their
// digits wherever zero is, also if the first number, where the centre is at first, is an outlier.
void recentre(double& centre, double& left, double& squares, double n) {
  const double moved = centre + left / n, step = moved - centre, rest = left - n * step;
  squares -= step * (left + rest);
  left = rest;
  centre = moved;
}

/// How many numbers come next after `seen` of n: soon so many that moving the centre
/// costs nothing beside them.
Index next_length(Index seen, Index n) {
  constexpr Index kFirst = 16, kLongest = 4096;
  const Index length = seen == 0 ? kFirst : 4 * seen < kLongest ? 4 * seen : kLongest;
  return length < n - seen ? length : n - seen;
}

// As down_blocks, with two results for each column. Memory is asked in its own order for the
// block after this one.
void distances_down(double* __restrict sums, double* __restrict squares, const double* __restrict centre,
                    const double* __restrict x, Index rows, Index columns) {
  constexpr Index kRows = 8, kLine = 8;
  constexpr int kVectors = 4;
  constexpr Index kWide = kVectors * kBytes / 8;
  const bool large = is_large(rows, columns);
  const Index total = rows * columns;
  for (Index i = 0; i < rows; i += kRows) {
    const Index count = rows - i < kRows ? rows - i : kRows;
    const double* block = x + i * columns;
    Index after = large ? (i + kRows) * columns : total;
    Index j = 0;
    for (; j + kWide <= columns; j += kWide) {
      Vector* to = reinterpret_cast<Vector*>(sums + j);
      Vector* to_squares = reinterpret_cast<Vector*>(squares + j);
      const Vector* around = reinterpret_cast<const Vector*>(centre + j);
      Vector s[kVectors], q[kVectors];
      for (int k = 0; k < kVectors; ++k) s[k] = to[k], q[k] = to_squares[k];
      for (Index row = 0; row < count; ++row) {
        for (Index line = 0; line < kWide && after < total; line += kLine, after += kLine)
          __builtin_prefetch(x + after, 0, 2);
        const Vector* from = reinterpret_cast<const Vector*>(block + row * columns + j);
        for (int k = 0; k < kVectors; ++k) {
          const Vector t = from[k] - around[k];
          s[k] += t;
          q[k] += t * t;
        }
      }
      for (int k = 0; k < kVectors; ++k) to[k] = s[k], to_squares[k] = q[k];
    }
    for (Index row = 0; row < count; ++row)
      for (Index k = j; k < columns; ++k) {
        const double t = block[row * columns + k] - centre[k];
        sums[k] += t;
        squares[k] += t * t;
      }
  }
}

void deviations_of_columns(double* __restrict y, double* __restrict centre, double* __restrict left,
                           const double* __restrict x, Index rows, Index columns) {
  fill(y, columns, 0.0);
  fill(left, columns, 0.0);
  for (Index j = 0; j < columns && rows; ++j) centre[j] = x[j];
  for (Index i = 0, length = 0; i < rows; i += length) {
    length = next_length(i, rows);
    distances_down(left, y, centre, x + i * columns, length, columns);
    for (Index j = 0; j < columns; ++j) recentre(centre[j], left[j], y[j], static_cast<double>(i + length));
  }
  for (Index j = 0; j < columns; ++j) y[j] -= left[j] * left[j] / static_cast<double>(rows);
}

double deviations(const double* x, Index n) {
  constexpr Index kLanes = 8, kAhead = 512;
  constexpr int kVectors = 8 * kLanes / kBytes;
  double squares = 0.0, left = 0.0, centre = n ? x[0] : 0.0;
  for (Index i = 0, length = 0; i < n; i += length) {
    length = next_length(i, n);
    const double* part = x + i;
    Vector s[kVectors] = {}, q[kVectors] = {};
    Index k = 0;
    for (; k + kLanes <= length; k += kLanes) {
      const Vector* from = reinterpret_cast<const Vector*>(part + k);
      if (i + k + kAhead < n) __builtin_prefetch(part + k + kAhead);
      for (int v = 0; v < kVectors; ++v) {
        const Vector t = from[v] - centre;
        s[v] += t;
        q[v] += t * t;
      }
    }
    double lanes[2 * kLanes];
    for (int v = 0; v < kVectors; ++v) {
      reinterpret_cast<Vector*>(lanes)[v] = s[v];
      reinterpret_cast<Vector*>(lanes + kLanes)[v] = q[v];
    }
    for (; k < length; ++k) {
      const double t = part[k] - centre;
      lanes[k % kLanes] += t;
      lanes[kLanes + k % kLanes] += t * t;
    }
    left += sum(lanes, kLanes);
    squares += sum(lanes + kLanes, kLanes);
    recentre(centre, left, squares, static_cast<double>(i + length));
  }
  return squares - left * left / static_cast<double>(n);
}

void deviations_middle(double* y, double* room, const double* x, Index outer, Index middle, Index inner) {
  for (Index i = 0; i < outer; ++i, x += middle * inner, y += inner) {
    if (inner == 1)
      *y = deviations(x, middle);
    else
      deviations_of_columns(y, room, room + inner, x, middle, inner);
  }
}

}  // namespace

extern const Loops kLoops;
const Loops kLoops{
    add, add_to, add_scaled_to, add_multiple,       leaky_relu,        leaky_mask, outer,     outer_add,
    sum, dot,    sum_middle,    sum_squares_middle, deviations_middle, max_middle, min_middle};

}  // namespace COTANGENT_ISA_NAME
}  // namespace cotangent::kernel
