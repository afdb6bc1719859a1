// Microseconds of every operation at 10, 10^3 and 10^6 numbers, its value alone and with the gradient of the
// sum of its numbers: what benchmarks/pytorch/operations.py measures of PyTorch, under the same names. A
// program of its own without Google Benchmark, which starts a thread.
//
// Usage: operations [SECONDS_A_ROW]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "benchmarks/support/paired.hpp"

using namespace cotangent;

namespace {

using Operation = std::function<Var(const Var&)>;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The median of the calls' microseconds, quick ones taken many at a time.
template <class Work>
double microseconds(double budget, Work work) {
  work();
  double start = seconds_now();
  work();
  const double once = seconds_now() - start;
  const int many = std::max(1, static_cast<int>(20e-6 / std::max(once, 1e-9)));
  std::vector<double> found;
  for (const double end = seconds_now() + budget; found.size() < 5 || seconds_now() < end;) {
    start = seconds_now();
    for (int k = 0; k < many; ++k) work();
    found.push_back((seconds_now() - start) / many * 1e6);
  }
  std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(found.size() / 2), found.end());
  return found[found.size() / 2];
}

class Table {
 public:
  explicit Table(double budget) : budget_(budget) {}

  /// For a point x of positive numbers.
  void row(const std::string& name, const Tensor& x, const Operation& operation) {
    const double value =
        microseconds(budget_, [&] { benchmark::DoNotOptimize(operation(x).value().data().data()); });
    const double gradient = microseconds(budget_, [&] {
      benchmark::DoNotOptimize(grad([&](const Var& v) { return sum(operation(v)); }, x).data().data());
    });
    std::printf("%s\"%s\": [%.6g, %.6g]", first_ ? "{" : ",\n ", name.c_str(), value, gradient);
    first_ = false;
  }
  void end() const { std::printf("}\n"); }

 private:
  double budget_;
  bool first_ = true;
};

void elementwise(Table& table, Rng& rng, Index n, const std::string& size) {
  const Tensor x = rng.uniform({n}, 0.5, 1.5), y = rng.uniform({n}, 0.5, 1.5);
  const Tensor signs = rng.normal({n});
  const std::vector<std::pair<const char*, Operation>> of_positive{
      {"add", [&](const Var& v) { return v + y; }},
      {"sub", [&](const Var& v) { return v - y; }},
      {"mul", [&](const Var& v) { return v * y; }},
      {"div", [&](const Var& v) { return y / v; }},
      {"scale", [](const Var& v) { return 1.7 * v; }},
      {"exp", [](const Var& v) { return exp(v); }},
      {"log", [](const Var& v) { return log(v); }},
      {"sqrt", [](const Var& v) { return sqrt(v); }},
      {"square", [](const Var& v) { return square(v); }},
      {"pow", [](const Var& v) { return pow(v, 1.7); }},
      {"maximum", [&](const Var& v) { return maximum(v, y); }},
      {"minimum", [&](const Var& v) { return minimum(v, y); }},
      {"dot", [&](const Var& v) { return dot(v, y); }}};
  for (const auto& [name, operation] : of_positive) table.row(name + size, x, operation);
  const std::vector<std::pair<const char*, Operation>> of_any{
      {"sin", [](const Var& v) { return sin(v); }},
      {"cos", [](const Var& v) { return cos(v); }},
      {"tanh", [](const Var& v) { return tanh(v); }},
      {"sigmoid", [](const Var& v) { return sigmoid(v); }},
      {"softplus", [](const Var& v) { return softplus(v); }},
      {"erf", [](const Var& v) { return erf(v); }},
      {"gelu", [](const Var& v) { return gelu(v); }},
      {"silu", [](const Var& v) { return silu(v); }},
      {"elu", [](const Var& v) { return elu(v); }},
      {"relu", [](const Var& v) { return relu(v); }},
      {"leaky_relu", [](const Var& v) { return leaky_relu(v); }},
      {"abs", [](const Var& v) { return abs(v); }},
      {"clip", [](const Var& v) { return clip(v, -1.0, 1.0); }},
      {"where", [&](const Var& v) { return where(less(y, 1.0), v, y); }},
      {"sum", [](const Var& v) { return sum(v); }},
      {"mean", [](const Var& v) { return mean(v); }},
      {"norm", [](const Var& v) { return norm(v); }},
      {"variance", [](const Var& v) { return variance(v); }}};
  for (const auto& [name, operation] : of_any) table.row(name + size, signs, operation);
}

/// Of n / 10 rows of 10.
void of_rows(Table& table, Rng& rng, Index n, const std::string& size) {
  const Index rows = n / 10;
  const Tensor x = rng.normal({rows, 10}), r = rng.normal({10}), s = rng.normal({rows}),
               w = rng.normal({10, 10});
  std::vector<double> numbers;
  for (Index i = 0; i < rows; ++i) numbers.push_back(static_cast<double>(i * 7 % rows));
  const Tensor index = Tensor::from(numbers, {rows});
  const std::vector<std::pair<const char*, Operation>> all{
      {"sum over rows", [](const Var& v) { return sum(v, 0); }},
      {"sum of rows", [](const Var& v) { return sum(v, 1); }},
      {"max over rows", [](const Var& v) { return max(v, 0); }},
      {"max of rows", [](const Var& v) { return max(v, 1); }},
      {"min of rows", [](const Var& v) { return min(v, 1); }},
      {"log_sum_exp of rows", [](const Var& v) { return log_sum_exp(v, 1); }},
      {"softmax of rows", [](const Var& v) { return softmax(v, 1); }},
      {"log_softmax of rows", [](const Var& v) { return log_softmax(v, 1); }},
      {"add_rows", [&](const Var& v) { return add_rows(v, r); }},
      {"mul_rows", [&](const Var& v) { return mul_rows(v, r); }},
      {"scale_rows", [&](const Var& v) { return scale_rows(v, s); }},
      {"matmul by 10 x 10", [&](const Var& v) { return matmul(v, w); }},
      {"matmul by a vector", [&](const Var& v) { return matmul(v, r); }},
      {"transpose", [](const Var& v) { return transpose(v); }},
      {"slice", [](const Var& v) { return slice(v, 1, 2, 8); }},
      {"concat",
       [](const Var& v) {
         return concat({v, v}, 1);
       }},
      {"gather_rows", [&](const Var& v) { return gather_rows(v, index); }}};
  for (const auto& [name, operation] : all) table.row(name + size, x, operation);
}

void of_matrices(Table& table, Rng& rng, Index n, const std::string& size) {
  const auto side = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(n))));
  const Tensor u = rng.normal({side}), v = rng.normal({side}), a = rng.normal({side, side});
  table.row("outer" + size, u, [&](const Var& x) { return outer(x, v); });
  if (n <= 100000) table.row("matmul, square" + size, a, [&](const Var& x) { return matmul(x, x); });
}

void of_definite(Table& table, Rng& rng) {
  constexpr Index kSide = 200;
  const Tensor m = rng.normal({kSide, kSide}), b = rng.normal({kSide});
  const Tensor a =
      (matmul(m, m, {.transpose_b = true}) + static_cast<double>(kSide) * Var(Tensor::eye(kSide))).value();
  table.row("solve_spd/200", a, [&](const Var& x) { return solve_spd(x, b); });
  table.row("log_det_spd/200", a, [](const Var& x) { return log_det_spd(x); });
}

}  // namespace

int main(int argc, char** argv) {
  Table table(argc > 1 ? std::atof(argv[1]) : 0.05);
  Rng rng(1);
  for (const auto& [n, size] : {std::pair{10, "/10"}, {1000, "/1000"}, {1000000, "/1000000"}}) {
    elementwise(table, rng, n, size);
    of_rows(table, rng, n, size);
    of_matrices(table, rng, n, size);
  }
  of_definite(table, rng);
  table.end();
  return 0;
}
