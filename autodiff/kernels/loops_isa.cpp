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

// Sums are pairwise, so that their error grows as log n: kLanes running sums make a block, blocks join two by
// two lane by lane, then the lanes.
constexpr Index kLanes = 32, kBlock = 32 * kLanes, kWidth = kBytes / 8;
struct Lanes {
  static constexpr int kVectors = kLanes / kWidth;
  Vector part[kVectors] = {};
  /// The next numbers of which each lane takes one.
  template <class Terms>
  void add(Terms terms, Index first) {
    for (int v = 0; v < kVectors; ++v) part[v] += terms.vector(first + v * kWidth);
  }
};

template <class Terms>
Lanes sum_of_blocks(Terms terms, Index first, Index blocks) {
  Lanes total;
  if (blocks == 1) {
    for (Index i = first; i < first + kBlock; i += kLanes) total.add(terms, i);
    return total;
  }
  const Index half = blocks / 2;
  total = sum_of_blocks(terms, first, half);
  const Lanes rest = sum_of_blocks(terms, first + half * kBlock, blocks - half);
  for (int v = 0; v < Lanes::kVectors; ++v) total.part[v] += rest.part[v];
  return total;
}

double sum_of_eight(const double* part) {
  return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}
/// The last numbers, from `first` on, which are too few to fill the lanes.
template <class Terms>
void add_rest(double* __restrict lane, Terms terms, Index first, Index n) {
  for (; first + 8 <= n; first += 8, lane += 8)
    for (Index k = 0; k < 8; ++k) lane[k] += terms.number(first + k);
  for (Index k = 0; first + k < n; ++k) lane[k] += terms.number(first + k);
}

template <class Terms>
double sum_of_few(Terms terms, Index n) {
  double lane[8] = {};
  Index i = 0;
  for (; i + 8 <= n; i += 8)
    for (Index k = 0; k < 8; ++k) lane[k] += terms.number(i + k);
  add_rest(lane, terms, i, n);
  return sum_of_eight(lane);
}

template <class Terms>
[[gnu::noinline]] double sum_of_many(Terms terms, Index n) {
  const Index blocks = n / kBlock;
  Index i = blocks * kBlock;
  Lanes total;
  for (; i + kLanes <= n; i += kLanes) total.add(terms, i);
  if (blocks > 0) {
    const Lanes before = sum_of_blocks(terms, 0, blocks);
    for (int v = 0; v < Lanes::kVectors; ++v) total.part[v] += before.part[v];
  }
  double lane[kLanes];
  for (int v = 0; v < Lanes::kVectors; ++v) reinterpret_cast<Vector*>(lane)[v] = total.part[v];
  add_rest(lane, terms, i, n);
  for (Index half = kLanes / 2; half >= 8; half /= 2)
    for (Index k = 0; k < half; ++k) lane[k] += lane[k + half];
  return sum_of_eight(lane);
}

template <class Terms>
double pairwise(Terms terms, Index n) {
  constexpr Index kFew = 512;
  return n < kFew ? sum_of_few(terms, n) : sum_of_many(terms, n);
}

// By value: of a reference clang++ forgets that its numbers need not be aligned as vectors are.
Vector vector_at(const double* x) { return *reinterpret_cast<const Vector*>(x); }

struct Numbers {
  const double* x;
  Vector vector(Index i) const { return vector_at(x + i); }
  double number(Index i) const { return x[i]; }
};
struct Products {
  const double* x;
  const double* y;
  Vector vector(Index i) const { return vector_at(x + i) * vector_at(y + i); }
  double number(Index i) const { return x[i] * y[i]; }
};

double sum(const double* x, Index n) { return pairwise(Numbers{x}, n); }
double dot(const double* x, const double* y, Index n) { return pairwise(Products{x, y}, n); }

void fill(double* y, Index n, double value) {
  for (Index i = 0; i < n; ++i) y[i] = value;
}

// Of each reduction: what the next number makes of a partial result, and how two partial results join.
struct Sum {
  static constexpr bool kRounds = true;
  template <class T>
  static T next(T s, T x) {
    return s + x;
  }
  static double join(double s, double t) { return s + t; }
};
struct Squares {
  static constexpr bool kRounds = true;
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
  static constexpr bool kRounds = false;
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

/// Rows of an array, or a strip of them: row i begins at x + i * stride.
struct Rows {
  const double* x;
  Index rows;
  Index columns;
  Index stride;
  Rows from(Index first, Index count) const { return {x + first * stride, count, columns, stride}; }
};

// Goes on from what y holds, kRows rows at a time through sixteen partial results that stay in registers.
template <Index kRows, class Reduction>
void down_blocks(double* __restrict y, const Rows& all, Reduction r) {
  constexpr Index kWide = 16;
  constexpr int kVectors = 8 * kWide / kBytes;
  const Index columns = all.columns, stride = all.stride;
  for (Index i = 0; i < all.rows; i += kRows) {
    const Index count = all.rows - i < kRows ? all.rows - i : kRows;
    const double* __restrict block = all.x + i * stride;
    Index j = 0;
    for (; j + kWide <= columns; j += kWide) {
      Vector part[kVectors];
      Vector* to = reinterpret_cast<Vector*>(y + j);
      for (int k = 0; k < kVectors; ++k) part[k] = to[k];
      for (Index row = 0; row < count; ++row) {
        const Vector* from = reinterpret_cast<const Vector*>(block + row * stride + j);
        for (int k = 0; k < kVectors; ++k) part[k] = r.next(part[k], from[k]);
      }
      for (int k = 0; k < kVectors; ++k) to[k] = part[k];
    }
    for (Index row = 0; row < count; ++row)
      for (Index k = j; k < columns; ++k) y[k] = r.next(y[k], block[row * stride + k]);
  }
}

// y_j from nothing but column j, starting at `start`; what rounds joins pairwise above kPlain rows. Memory is
// read fastest in its own order, row after row, but y is then read and written as often as x: this pays for
// arrays that are `large`, as y is so short that it stays in the innermost cache.
constexpr Index kStrip = 1024, kPlain = 128;
template <class Reduction>
void down_strip(double* y, const Rows& all, bool large, double start, Reduction r) {
  if (!Reduction::kRounds || all.rows <= kPlain) {
    fill(y, all.columns, start);
    return large ? down_blocks<1>(y, all, r) : down_blocks<12>(y, all, r);
  }
  const Index half = all.rows / 2;
  double below[kStrip];
  down_strip(y, all.from(0, half), large, start, r);
  down_strip(below, all.from(half, all.rows - half), large, start, r);
  for (Index j = 0; j < all.columns; ++j) y[j] = r.join(y[j], below[j]);
}

template <class Reduction>
void down_columns(double* y, const double* x, Index rows, Index columns, double start, Reduction r) {
  for (Index j = 0; j < columns; j += kStrip)
    down_strip(y + j, {x + j, rows, columns - j < kStrip ? columns - j : kStrip, columns},
               columns <= kStrip && is_large(rows, columns), start, r);
}

// Few columns are seen as eight times as many.
template <class Reduction>
void reduce_columns(double* y, const double* x, Index rows, Index columns, double start, Reduction r) {
  constexpr Index kFold = 8, kNarrow = 16;
  if (columns >= kNarrow || rows < 8 * kFold) return down_columns(y, x, rows, columns, start, r);
  double folded[kFold * kNarrow];
  const Index wide = kFold * columns, folds = rows / kFold;
  down_columns(y, x + folds * wide, rows % kFold, columns, start, r);
  down_columns(folded, x, folds, wide, start, r);
  for (Index half = wide / 2; half >= columns; half /= 2)
    for (Index k = 0; k < half; ++k) folded[k] = r.join(folded[k], folded[k + half]);
  for (Index k = 0; k < columns; ++k) y[k] = r.join(y[k], folded[k]);
}

template <class Ahead>
double extreme(const double* x, Index n) {
  constexpr Index kShort = 64;
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
// digits wherever zero is, also if the first number, where the centre is at first, is an outlier. What
// rounding takes from the sum of squares is kept, so that the number of parts does not matter.
struct Deviations {
  double centre;
  double left = 0.0, squares = 0.0, lost = 0.0;
  void add(double sum, double sum_of_squares, double n) {
    left += sum;
    keep(sum_of_squares);
    const double moved = centre + left / n, step = moved - centre, rest = left - n * step;
    keep(-(step * (left + rest)));
    left = rest;
    centre = moved;
  }
  void keep(double more) {
    const double total = squares + more, part = total - squares;
    lost += (squares - (total - part)) + (more - part);
    squares = total;
  }
  double result(double n) const { return squares + (lost - left * left / n); }
};

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

// `room`: five numbers for each column.
void deviations_of_columns(double* __restrict y, double* __restrict room, const double* __restrict x,
                           Index rows, Index columns) {
  double *sums = room, *part = sums + columns, *left = part + columns, *lost = left + columns,
         *centre = lost + columns;
  fill(y, columns, 0.0);
  fill(left, 2 * columns, 0.0);
  for (Index j = 0; j < columns && rows; ++j) centre[j] = x[j];
  for (Index i = 0, length = 0; i < rows; i += length) {
    length = next_length(i, rows);
    fill(sums, 2 * columns, 0.0);
    distances_down(sums, part, centre, x + i * columns, length, columns);
    for (Index j = 0; j < columns; ++j) {
      Deviations d{centre[j], left[j], y[j], lost[j]};
      d.add(sums[j], part[j], static_cast<double>(i + length));
      centre[j] = d.centre, left[j] = d.left, y[j] = d.squares, lost[j] = d.lost;
    }
  }
  for (Index j = 0; j < columns; ++j)
    y[j] = Deviations{centre[j], left[j], y[j], lost[j]}.result(static_cast<double>(rows));
}

double deviations(const double* x, Index n) {
  constexpr Index kOfPart = 8, kAhead = 512;
  constexpr int kVectors = kOfPart / kWidth;
  Deviations all{n ? x[0] : 0.0};
  for (Index i = 0, length = 0; i < n; i += length) {
    length = next_length(i, n);
    const double* part = x + i;
    Vector s[kVectors] = {}, q[kVectors] = {};
    Index k = 0;
    for (; k + kOfPart <= length; k += kOfPart) {
      if (i + k + kAhead < n) __builtin_prefetch(part + k + kAhead);
      for (int v = 0; v < kVectors; ++v) {
        const Vector t = vector_at(part + k + v * kWidth) - all.centre;
        s[v] += t;
        q[v] += t * t;
      }
    }
    double lanes[2 * kOfPart];
    for (int v = 0; v < kVectors; ++v) {
      reinterpret_cast<Vector*>(lanes)[v] = s[v];
      reinterpret_cast<Vector*>(lanes + kOfPart)[v] = q[v];
    }
    for (; k < length; ++k) {
      const double t = part[k] - all.centre;
      lanes[k % kOfPart] += t;
      lanes[kOfPart + k % kOfPart] += t * t;
    }
    all.add(sum_of_eight(lanes), sum_of_eight(lanes + kOfPart), static_cast<double>(i + length));
  }
  return all.result(static_cast<double>(n));
}

void deviations_middle(double* y, double* room, const double* x, Index outer, Index middle, Index inner) {
  for (Index i = 0; i < outer; ++i, x += middle * inner, y += inner) {
    if (inner == 1)
      *y = deviations(x, middle);
    else
      deviations_of_columns(y, room, x, middle, inner);
  }
}

Index find(const double* x, double value, Index n) {
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    auto equal = vector_at(x + i) == value;
    for (int v = 1; v < Lanes::kVectors; ++v) equal |= vector_at(x + i + v * kWidth) == value;
    long long any = 0;
    for (Index k = 0; k < kWidth; ++k) any |= equal[k];
    if (any != 0) break;
  }
  while (i < n && x[i] != value) ++i;
  return i;
}

double nearest(const double* x, double centre, Index n) {
  constexpr Index kOfPart = 8;
  constexpr int kVectors = kOfPart / kWidth;
  double best[kOfPart], distance[kOfPart];
  fill(best, kOfPart, x[0]);
  fill(distance, kOfPart, kInfinity);
  Vector b[kVectors], d[kVectors];
  for (int v = 0; v < kVectors; ++v)
    b[v] = vector_at(best + v * kWidth), d[v] = vector_at(distance + v * kWidth);
  Index i = 0;
  for (; i + kOfPart <= n; i += kOfPart)
    for (int v = 0; v < kVectors; ++v) {
      const Vector here = vector_at(x + i + v * kWidth), t = here - centre, far = t < 0.0 ? -t : t;
      const auto nearer = far < d[v];
      b[v] = nearer ? here : b[v];
      d[v] = nearer ? far : d[v];
    }
  for (int v = 0; v < kVectors; ++v) {
    *reinterpret_cast<Vector*>(best + v * kWidth) = b[v];
    *reinterpret_cast<Vector*>(distance + v * kWidth) = d[v];
  }
  double found = best[0], least = distance[0];
  const auto look = [&](double number, double far) {
    found = far < least ? number : found;
    least = far < least ? far : least;
  };
  for (Index k = 1; k < kOfPart; ++k) look(best[k], distance[k]);
  for (; i < n; ++i) look(x[i], __builtin_fabs(x[i] - centre));
  return found;
}

}  // namespace

extern const Loops kLoops;
const Loops kLoops{
    add, add_to,     add_scaled_to,      add_multiple,      leaky_relu, leaky_mask, outer, outer_add, sum,
    dot, sum_middle, sum_squares_middle, deviations_middle, max_middle, min_middle, find,  nearest};

}  // namespace COTANGENT_ISA_NAME
}  // namespace cotangent::kernel
