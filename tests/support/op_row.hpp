// A row of the table of operations, and plain arrays to compute its values without the library.
#pragma once
#include <array>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "autodiff/rng.hpp"
#include "autodiff/tape.hpp"

namespace cotangent::test {

using Position = std::array<Index, kMaxRank>;

/// A dense array with nothing behind it but a loop.
struct Plain {
  Shape shape;
  std::vector<double> numbers;

  template <class... I>
  double operator()(I... index) const {
    const std::array<Index, sizeof...(I) + 1> list{static_cast<Index>(index)..., 0};
    Index offset = 0;
    for (std::size_t k = 0; k < sizeof...(I); ++k) offset = offset * shape[static_cast<int>(k)] + list[k];
    return numbers.at(static_cast<std::size_t>(offset));
  }
  double at(const Position& p) const {
    Index offset = 0;
    for (int k = 0; k < shape.rank(); ++k) offset = offset * shape[k] + p[static_cast<std::size_t>(k)];
    return numbers.at(static_cast<std::size_t>(offset));
  }
};

/// The array whose element at position p is f(p).
template <class F>
Plain make(const Shape& shape, F f) {
  Plain result{shape, {}};
  for (Index at = 0; at < shape.size(); ++at) {
    Position p{};
    Index rest = at;
    for (int k = shape.rank(); k-- > 0; rest /= shape[k]) p[static_cast<std::size_t>(k)] = rest % shape[k];
    result.numbers.push_back(f(p));
  }
  return result;
}

using Vars = std::span<const Var>;
using Plains = std::vector<Plain>;

struct OpRow {
  std::string name;
  std::vector<Shape> inputs;
  std::function<Var(Vars)> function;
  /// The values by plain loops or a closed form.
  std::function<Plain(const Plains&)> expected;
  /// Inputs are uniform in [low, high), then moved away from 0 by `away`.
  double low = -2.0;
  double high = 2.0;
  double away = 0.0;
};

/// Random inputs for a row, the same in every run.
inline Plains random_inputs(const OpRow& row) {
  Rng rng = Rng(11).split(row.name);
  Plains inputs;
  for (const Shape& shape : row.inputs)
    inputs.push_back(make(shape, [&](const Position&) {
      const double x = row.low + (row.high - row.low) * rng.uniform();
      return x >= 0.0 ? x + row.away : x - row.away;
    }));
  return inputs;
}

inline Tensor tensor_of(const Plain& plain) { return Tensor::from(plain.numbers, plain.shape); }

/// The row as a function of one flat vector, so that derivatives go by all inputs at once, and that vector.
Var of_flat(const OpRow& row, const Var& flat);
Tensor flat_inputs(const OpRow& row);

/// Four rows for an operation on two operands: equal shapes, a scalar on either side, two scalars.
void add_binary(std::vector<OpRow>& rows, const std::string& name,
                const std::function<Var(const Var&, const Var&)>& op, double (*f)(double, double),
                double away = 0.0);

/// Two rows for a function of each element: a scalar and an array longer than any vector register.
void add_unary(std::vector<OpRow>& rows, const std::string& name, const std::function<Var(const Var&)>& op,
               const std::function<double(double)>& f, double low = -2.0, double high = 2.0,
               double away = 0.0);

/// The parts of the table; op_rows_*.cpp hold one or two each.
std::vector<OpRow> elementwise_rows();
std::vector<OpRow> compare_rows();
std::vector<OpRow> product_rows();
std::vector<OpRow> reduction_rows();
std::vector<OpRow> axes_rows();
std::vector<OpRow> shape_rows();
std::vector<OpRow> linalg_rows();
std::vector<OpRow> map_rows();
std::vector<OpRow> slope_rows();

}  // namespace cotangent::test
