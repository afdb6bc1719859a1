// Random models out of public operations: samples kept as rows, columns, blocks or numbers, parameters met in
// every way, and now and then an instruction that mixes samples.
#pragma once
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/tape.hpp"

namespace cotangent::test {

/// Where the samples lie: [n, k], [k, n], [n, a, b] or [n].
enum class Layout { rows, columns, blocks, numbers };

struct Instruction {
  std::string name;
  Index a = 0, b = 0, c = 0, d = 0;  // draws the instruction uses as it likes
};

/// A list of instructions; the same for every number of samples and every w. Instruction i reads earlier
/// values and adds its own; the last value is the output.
class RandomModel {
 public:
  static constexpr Index kParams = 24;
  static constexpr Index kInputs = 3;

  RandomModel(Rng rng, int length, bool may_mix) {
    static const char* const kNames[] = {
        "unary",        "unary",    "unary",  "linear",    "linear",      "matmul",      "row vector",
        "spread",       "own rows", "reduce", "join",      "cut",         "reshape",     "transpose",
        "two operands", "tied",     "scalar", "to vector", "from vector", "bias column", "log_sum_exp"};
    static const char* const kMixing[] = {"centre", "gram", "total", "reversed reshape", "rolled"};
    const auto draw = [&rng](Index n) {
      return std::min(n - 1, static_cast<Index>(rng.uniform() * static_cast<double>(n)));
    };
    for (int k = 0; k < length; ++k) {
      const bool mix = may_mix && draw(8) == 0;
      list_.push_back(
          {mix ? kMixing[draw(5)] : kNames[draw(21)], draw(1000), draw(1000), draw(1000), draw(1000)});
      mixes_ |= mix;
    }
  }

  bool mixes() const { return mixes_; }
  std::string text() const {
    std::string text;
    for (const Instruction& i : list_) text += i.name + ", ";
    return text;
  }

  Var operator()(const Var& w, const Var& x) const {
    std::vector<Value> values{{x, Layout::rows}};
    for (const Instruction& i : list_) run(i, w, values);
    const Value& last = values.back();
    if (last.layout == Layout::columns) return transpose(last.v);
    return last.v;
  }

 private:
  struct Value {
    Var v;
    Layout layout;
  };

  static Index samples(const Value& value) { return value.v.size(value.layout == Layout::columns ? 1 : 0); }
  /// A slice of w of this shape; a few offsets only, so that slices repeat and sometimes overlap.
  static Var param(const Var& w, Index draw, const Shape& shape) {
    const Index room = (kParams - shape.size()) / 4 + 1;
    return view(w, 4 * (draw % room), shape);
  }

  static Var unary(const Var& v, Index which) {
    switch (which % 17) {
      case 0:
        return exp(tanh(v));
      case 1:
        return log(1.5 + square(v));
      case 2:
        return sqrt(0.5 + square(v));
      case 3:
        return square(tanh(v));
      case 4:
        return sin(v);
      case 5:
        return cos(v);
      case 6:
        return tanh(v);
      case 7:
        return sigmoid(v);
      case 8:
        return softplus(v);
      case 9:
        return erf(v);
      case 10:
        return erfc(v);
      case 11:
        return gelu(v);
      case 12:
        return silu(v);
      case 13:
        return elu(v, 0.7);
      case 14:
        return leaky_relu(v, 0.2);
      case 15:
        return relu(v) - 0.5 * v;
      default:
        return -v / (1.0 + square(v));
    }
  }

  /// Some earlier value with v's layout and shape, else v itself.
  static Var like(const std::vector<Value>& values, const Value& value, Index draw) {
    std::vector<const Value*> same;
    for (const Value& other : values)
      if (other.layout == value.layout && other.v.shape() == value.v.shape()) same.push_back(&other);
    return same[static_cast<std::size_t>(draw) % same.size()]->v;
  }

  /// One number a sample from v.
  static Var own_numbers(const Value& value) {
    if (value.layout == Layout::numbers) return value.v;
    if (value.layout == Layout::columns) return sum(value.v, 0);
    return value.layout == Layout::rows ? sum(value.v, 1) : sum(sum(value.v, 2), 1);
  }

  static void run(const Instruction& i, const Var& w, std::vector<Value>& values) {
    // Mostly the last value, sometimes an earlier one.
    const std::size_t at = i.d % 4 ? values.size() - 1 : static_cast<std::size_t>(i.d / 4) % values.size();
    const Value value = values[at];
    const Var& v = value.v;
    const Layout layout = value.layout;
    const auto add = [&](const Var& result, Layout where) { values.push_back({result, where}); };
    const Index n = samples(value), out = 1 + i.a % 3;
    if (i.name == "unary") return add(unary(v, i.a), layout);
    if (i.name == "two operands") {
      const Var other = like(values, value, i.b);
      switch (i.a % 4) {
        case 0:
          return add(v + other, layout);
        case 1:
          return add(v - 0.5 * other, layout);
        case 2:
          return add(tanh(v) * other, layout);
        default:
          return add(v / (1.0 + square(other)), layout);
      }
    }
    if (i.name == "scalar") {
      const Var s = param(w, i.b, Shape{});
      return add(i.a % 2 ? s * v : v + sin(s), layout);
    }
    if (i.name == "spread") {
      const bool flat = i.a % 2;
      if (layout == Layout::rows)
        return add(v + broadcast_to(param(w, i.b, flat ? Shape{v.size(1)} : Shape{1, v.size(1)}), v.shape()),
                   layout);
      if (layout == Layout::blocks)
        return add(v * broadcast_to(param(w, i.b, flat ? Shape{v.size(2)} : Shape{v.size(1), 1}), v.shape()),
                   layout);
      return add(v * broadcast_to(param(w, i.b, Shape{}), v.shape()), layout);
    }
    if (i.name == "own rows") {
      const Var s = tanh(own_numbers(value));
      if (layout == Layout::rows) return add(scale_rows(v, s), layout);
      if (layout == Layout::columns) return add(i.a % 2 ? add_rows(v, s) : mul_rows(v, s), layout);
    }
    if (i.name == "to vector") return add(own_numbers(value), Layout::numbers);
    if (layout == Layout::numbers) {
      const Var column = reshape(v, Shape{n, 1});
      if (i.a % 3 == 0) return add(column, Layout::rows);
      if (i.a % 3 == 1) return add(reshape(v, Shape{1, n}), Layout::columns);
      return add(broadcast_to(column, Shape{n, out}), Layout::rows);
    }
    if (i.name == "log_sum_exp" || i.name == "reduce") {
      const auto reduced = [&](int axis) {
        return i.name == "reduce" ? mean(v, axis) : log_sum_exp(v, axis);
      };
      if (layout == Layout::rows) return add(reduced(1), Layout::numbers);
      if (layout == Layout::columns) return add(reduced(0), Layout::numbers);
      return add(reduced(1 + static_cast<int>(i.a % 2)), Layout::rows);
    }
    if (layout == Layout::blocks) {
      if (i.name == "transpose") return add(transpose(v, {0, 2, 1}), layout);
      if (i.name == "cut") return add(slice(v, 1, 0, 1 + i.a % v.size(1)), layout);
      if (i.name == "join") return add(concat({v, like(values, value, i.b)}, 2), layout);
      return add(reshape(v, Shape{n, v.size(1) * v.size(2)}), Layout::rows);
    }
    if (layout == Layout::columns) {
      const Index k = v.size(0);
      if (i.name == "linear" || i.name == "matmul") {
        if (out * k > kParams) return add(transpose(v), Layout::rows);
        if (i.b % 2) return add(matmul(param(w, i.c, Shape{out, k}), v, {.scale = 0.6}), layout);
        return add(matmul(param(w, i.c, Shape{k, out}), v, {.transpose_a = true}), layout);
      }
      if (i.name == "bias column" && k <= kParams) return add(scale_rows(v, param(w, i.b, Shape{k})), layout);
      if (i.name == "cut") return add(slice(v, 0, 0, 1 + i.a % k), layout);
      if (i.name == "join") return add(concat({v, like(values, value, i.b)}, 0), layout);
      if (i.name == "centre") return add(add_rows(transpose(v), -mean(v, 1)), Layout::rows);
      return add(transpose(v), Layout::rows);
    }
    const Index k = v.size(1);
    if (i.name == "linear" && out * k <= kParams) {
      const Var weight = param(w, i.b, Shape{out, k});
      if (i.c % 3 == 0) return add(linear(v, weight), layout);
      return add(linear(v, weight, param(w, i.c, Shape{out}), {.weight = 0.7, .bias = i.c % 2 ? 1.0 : -0.4}),
                 layout);
    }
    if (i.name == "matmul" && out * k <= kParams) {
      switch (i.c % 4) {
        case 0:
          return add(matmul(v, param(w, i.b, Shape{k, out})), layout);
        case 1:
          return add(matmul(v, param(w, i.b, Shape{out, k}), {.transpose_b = true, .scale = -0.5}), layout);
        case 2:
          return add(matmul(param(w, i.b, Shape{out, k}), v, {.transpose_b = true}), Layout::columns);
        default:
          return add(matmul(param(w, i.b, Shape{k, out}), v, {.transpose_a = true, .transpose_b = true}),
                     Layout::columns);
      }
    }
    if (i.name == "tied" && out * k <= kParams) {  // reaches the data through another operation
      const Var weight = param(w, i.b, Shape{out, k});
      return add(linear(v, i.c % 2 ? tanh(weight) : weight / sqrt(1.0 + sum(square(weight)))), layout);
    }
    if (i.name == "row vector" && k <= kParams) {
      const Var r = param(w, i.b, Shape{k});
      return add(i.a % 2 ? add_rows(v, r) : mul_rows(v, r), layout);
    }
    if (i.name == "join" && k <= 6) return add(concat({v, sin(like(values, value, i.b))}, 1), layout);
    if (i.name == "cut") return add(slice(v, 1, i.a % k, k), layout);
    if (i.name == "reshape" && k % 2 == 0) return add(reshape(v, Shape{n, 2, k / 2}), Layout::blocks);
    if (i.name == "reshape") return add(reshape(v, Shape{n, 1, k}), Layout::blocks);
    if (i.name == "transpose") return add(transpose(v), Layout::columns);
    if (i.name == "centre") return add(add_rows(v, -mean(v, 0)), layout);
    if (i.name == "gram") return add(matmul(matmul(v, v, {.transpose_b = true, .scale = 0.1}), v), layout);
    if (i.name == "total") return add(v * (1.0 + 0.1 * mean(v)), layout);
    if (i.name == "reversed reshape") return add(transpose(reshape(v, Shape{k, n})), layout);
    if (i.name == "rolled") return add(concat({slice(v, 0, n - 1, n), slice(v, 0, 0, n - 1)}, 0), layout);
    return add(tanh(v), layout);
  }

  std::vector<Instruction> list_;
  bool mixes_ = false;
};

}  // namespace cotangent::test
