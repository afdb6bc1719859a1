// Golden numbers: values, gradients, Jacobians, Hessian-vector products and tangent kernels of four networks
// against those PyTorch gave, recorded in golden/golden.npz by golden/make_golden.py.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/own_modules.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using test::moved;
using test::Residual;
using theory::KernelMethod;

constexpr double kTolerance = 1e-10;

/// The arrays of one network without its name in front.
using Record = std::map<std::string, Tensor>;
using Loss = Var (*)(const Var&, const Tensor&);

struct Network {
  std::string name;
  nn::Sequential net;
  Loss loss;
};

std::vector<Network> networks() {
  using namespace nn;
  return {{"leaky_relu", Sequential{Linear(3, 7), LeakyReLU(0.1), Linear(7, 5), LeakyReLU(0.1), Linear(5, 2)},
           mse},
          {"tanh", Sequential{Linear(4, 6), Tanh(), Linear(6, 5), Tanh(), Linear(5, 1)}, mse},
          {"gelu", Sequential{Linear(3, 8), GELU(), Linear(8, 4), GELU(), Linear(4, 3)}, cross_entropy},
          {"residual",
           Sequential{Linear(4, 5), Residual(Sequential{Linear(5, 6), Tanh(), Linear(6, 5)}), Linear(5, 2)},
           cross_entropy}};
}

const NpzContents& golden() {
  static const NpzContents contents = [] {
    const char* root = std::getenv("COTANGENT_SOURCE_DIR");
    const std::filesystem::path folder =
        root ? std::filesystem::path(root) / "tests/nn" : std::filesystem::path(__FILE__).parent_path();
    return load_npz((folder / "golden/golden.npz").string());
  }();
  return contents;
}

Record record_of(const std::string& network) {
  Record record;
  for (const auto& [name, array] : golden().arrays)
    if (name.starts_with(network + ".")) record.emplace(name.substr(network.size() + 1), array);
  return record;
}

/// What the library says an array of the record is, and by which way.
struct Found {
  std::string array;
  std::string way;
  Tensor value;
};

/// Matrices below (axis 0) or beside (axis 1) one another.
Tensor stack(const std::vector<Tensor>& parts, int axis) {
  return concat(std::vector<Var>(parts.begin(), parts.end()), axis).value();
}

/// [t, s], filled row by row by a pullback and column by column by tangents.
template <class Point, class AsTensor>
std::pair<Tensor, Tensor> jacobian_by_products(VarFunction f, const Point& w, AsTensor as_tensor) {
  const Index rows = f(w).size(), columns = w.size();
  std::vector<Tensor> row, column;
  const auto pullback = vjp(f, w);
  for (Index t = 0; t < rows; ++t) {
    const Tensor unit = Tensor::eye(rows).rows(t, t + 1).reshape(pullback.value().shape());
    row.push_back(as_tensor(pullback(unit)).reshape(Shape{1, columns}));
  }
  for (Index s = 0; s < columns; ++s) {
    const Tensor unit = Tensor::eye(columns).rows(s, s + 1).reshape(Shape{columns});
    if constexpr (std::is_same_v<Point, Params>)
      column.push_back(jvp(f, w, w.with(unit)).tangent.reshape(Shape{rows, 1}));
    else
      column.push_back(jvp(f, w, unit).tangent.reshape(Shape{rows, 1}));
  }
  return {stack(row, 0), stack(column, 1)};
}

void add_values_and_gradients(const Network& network, const Record& given, std::vector<Found>& list) {
  const nn::Sequential& net = network.net;
  const Tensor &w = given.at("params"), &x = given.at("x"), &y = given.at("y"), &v = given.at("direction");
  const Params params(w, net.table()), direction(v, net.table());
  const auto loss = [&](const Var& at) { return network.loss(net(at, x), y); };
  const auto loss_of_x = [&](const Var& at) { return network.loss(net(w, at), y); };
  const auto times_v = [&](const Tensor& h) {
    return matmul(h, v.reshape(Shape{v.size(), 1})).value().reshape(v.shape());
  };

  list.push_back({"outputs", "Tensor", net(w, x).value()});
  list.push_back({"outputs", "Params", net(params, x).value()});
  const auto at_tensor = value_and_grad(loss, w);
  const auto at_params = value_and_grad(loss, params);
  list.push_back({"value", "Tensor", Tensor::scalar(at_tensor.value)});
  list.push_back({"value", "Params", Tensor::scalar(at_params.value)});
  list.push_back({"grad", "value_and_grad, Tensor", at_tensor.grad});
  list.push_back({"grad", "value_and_grad, Params", at_params.grad.flat()});
  list.push_back({"grad", "grad, Tensor", grad(loss, w)});
  list.push_back({"grad", "grad, Params", grad(loss, params).flat()});
  list.push_back({"grad_x", "grad", grad(loss_of_x, x)});
  list.push_back({"grad_x", "value_and_grad", value_and_grad(loss_of_x, x).grad});
  list.push_back({"hvp", "hvp, Tensor", hvp(loss, w, v)});
  list.push_back({"hvp", "hvp, Params", hvp(loss, params, direction).flat()});
  list.push_back({"hvp", "hessian, Tensor", times_v(hessian(loss, w))});
  list.push_back({"hvp", "hessian, Params", times_v(hessian(loss, params))});
}

void add_jacobians(const nn::Sequential& net, const Record& given, std::vector<Found>& list) {
  const Tensor &w = given.at("params"), &x = given.at("x");
  const Params params(w, net.table());
  const auto model = [&](const Var& at) { return net(at, x); };
  const auto add = [&](const char* way, const Tensor& j) {
    list.push_back({"jacobian", way, j.reshape(Shape{j.size() / w.size(), w.size()})});
  };

  add("per_sample_jacobian, Tensor", per_sample_jacobian(net, w, x).matrix());
  add("per_sample_jacobian, Params", per_sample_jacobian(net, params, x).matrix());
  add("jacobian, reverse, Tensor", jacobian(model, w, {.mode = DerivativeMode::reverse}));
  add("jacobian, reverse, Params", jacobian(model, params, {.mode = DerivativeMode::reverse}));
  add("jacobian, forward, Tensor", jacobian(model, w, {.mode = DerivativeMode::forward}));
  add("jacobian, forward, Params", jacobian(model, params, {.mode = DerivativeMode::forward}));
  const auto at_tensor = jacobian_by_products(model, w, [](const Tensor& t) { return t; });
  add("vjp, Tensor", at_tensor.first);
  add("jvp, Tensor", at_tensor.second);
  const auto at_params = jacobian_by_products(model, params, [](const Params& p) { return p.flat(); });
  add("vjp, Params", at_params.first);
  add("jvp, Params", at_params.second);

  const JacobianOptions by_inputs{.wrt = Wrt::inputs};
  list.push_back({"jacobian_x", "Tensor", per_sample_jacobian(net, w, x, by_inputs).matrix()});
  list.push_back({"jacobian_x", "Params", per_sample_jacobian(net, params, x, by_inputs).matrix()});
  std::vector<Tensor> rows;
  for (Index i = 0; i < x.size(0); ++i) {
    const Tensor j = jacobian([&](const Var& at) { return net(w, at); }, x.rows(i, i + 1));
    rows.push_back(j.reshape(Shape{j.size() / x.size(1), x.size(1)}));
  }
  list.push_back({"jacobian_x", "jacobian of each sample", stack(rows, 0)});
}

void add_kernels(const nn::Sequential& net, const Record& given, std::vector<Found>& list) {
  const Tensor& x = given.at("x");
  const Params params(given.at("params"), net.table());
  const Tensor first = x.rows(0, 2), rest = x.rows(2, x.size(0));
  const std::pair<const char*, KernelMethod> methods[] = {{"automatic", KernelMethod::automatic},
                                                          {"structured", KernelMethod::structured},
                                                          {"materialised", KernelMethod::materialised},
                                                          {"products", KernelMethod::products}};
  for (const auto& [way, method] : methods) {
    const theory::KernelOptions options{.method = method};
    const auto of = [&](const Tensor& x1, const Tensor& x2) {
      return theory::tangent_kernel(net, params, x1, x2, options).matrix();
    };
    list.push_back({"kernel", way, theory::tangent_kernel(net, params, x, options).matrix()});
    list.push_back(
        {"kernel", fmt::format("{}, two sets", way),
         stack({stack({of(first, first), of(first, rest)}, 1), stack({of(rest, first), of(rest, rest)}, 1)},
               0)});
    std::vector<Var> blocks;
    for (const ParamEntry& entry : net.table())
      blocks.emplace_back(
          theory::tangent_kernel(net, params, x, {.method = method, .params = {entry.name}}).matrix());
    Var total = blocks.front();
    for (std::size_t k = 1; k < blocks.size(); ++k) total = total + blocks[k];
    list.push_back({"kernel", fmt::format("{}, block by block", way), total.value()});
  }
  const theory::TangentKernelOperator k(net, params, x);
  std::vector<Tensor> columns;
  for (Index c = 0; c < k.columns(); ++c)
    columns.push_back(
        k(Tensor::eye(k.columns()).rows(c, c + 1).reshape(Shape{k.columns()})).reshape(Shape{k.rows(), 1}));
  list.push_back({"kernel", "TangentKernelOperator", stack(columns, 1)});
}

/// Everything the library says of a network at the record's parameters, samples, targets and direction.
std::vector<Found> found(const Network& network, const Record& given) {
  std::vector<Found> list;
  add_values_and_gradients(network, given, list);
  add_jacobians(network.net, given, list);
  add_kernels(network.net, given, list);
  return list;
}

double largest(const Tensor& t) {
  double magnitude = 0.0;
  for (const double number : t.data()) magnitude = std::max(magnitude, std::fabs(number));
  return magnitude;
}

/// The largest difference over the largest magnitude in `golden`; infinite for another shape and for NaN.
double relative_difference(const Tensor& value, const Tensor& golden) {
  if (value.shape() != golden.shape()) return std::numeric_limits<double>::infinity();
  double difference = 0.0;
  for (std::size_t k = 0; k < golden.data().size(); ++k) {
    const double apart = std::fabs(value.data()[k] - golden.data()[k]);
    if (std::isnan(apart)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, apart);
  }
  return difference / largest(golden);
}

bool agrees(const Found& one, const Record& golden) {
  return relative_difference(one.value, golden.at(one.array)) <= kTolerance;
}

const std::vector<std::string> kGiven{"params", "x", "y", "direction"};
const std::vector<std::string> kComputed{"outputs", "value",    "grad",       "grad_x",
                                         "hvp",     "jacobian", "jacobian_x", "kernel"};

TEST(Golden, ParametersAreNamedAndOrderedAsPyTorchs) {
  for (const Network& network : networks()) {
    std::vector<std::string> names;
    for (const ParamEntry& entry : network.net.table())
      names.push_back(entry.name + " " + entry.shape.to_string());
    const auto& labels = golden().labels;
    const auto recorded = std::find_if(labels.begin(), labels.end(),
                                       [&](const auto& l) { return l.first == network.name + ".names"; });
    ASSERT_NE(recorded, labels.end()) << network.name;
    EXPECT_EQ(names, recorded->second) << network.name;
  }
}

TEST(Golden, EveryRecordedArrayIsCompared) {
  std::size_t arrays = 0;
  for (const Network& network : networks()) {
    const Record golden = record_of(network.name);
    arrays += golden.size();
    const std::vector<Found> list = found(network, golden);
    for (const auto& entry : golden) {
      const std::string& array = entry.first;
      const bool given = std::find(kGiven.begin(), kGiven.end(), array) != kGiven.end();
      const auto ways =
          std::count_if(list.begin(), list.end(), [&](const Found& f) { return f.array == array; });
      EXPECT_TRUE(given || ways >= 2) << network.name << "." << array << ": " << ways << " ways";
    }
    EXPECT_EQ(golden.size(), kGiven.size() + kComputed.size()) << network.name;
  }
  EXPECT_EQ(arrays, golden().arrays.size());
}

TEST(Golden, EveryWayAgreesWithPyTorch) {
  for (const Network& network : networks()) {
    const Record golden = record_of(network.name);
    std::map<std::string, double> worst;
    for (const Found& one : found(network, golden)) {
      const double difference = relative_difference(one.value, golden.at(one.array));
      EXPECT_LE(difference, kTolerance) << network.name << "." << one.array << " by " << one.way;
      worst[one.array] = std::max(worst[one.array], difference);
    }
    for (const auto& [array, difference] : worst)
      RecordProperty(network.name + "." + array, fmt::format("{:.1e}", difference));
  }
}

TEST(Golden, NetworksTakeTheStructuredWay) {
  for (const Network& network : networks()) {
    const Record golden = record_of(network.name);
    const Params params(golden.at("params"), network.net.table());
    const auto method = [&](KernelMethod asked) {
      return static_cast<int>(
          theory::tangent_kernel(network.net, params, golden.at("x"), {.method = asked}).method());
    };
    EXPECT_EQ(method(KernelMethod::structured), static_cast<int>(KernelMethod::structured)) << network.name;
    EXPECT_EQ(method(KernelMethod::automatic), static_cast<int>(KernelMethod::structured)) << network.name;
    EXPECT_EQ(method(KernelMethod::materialised), static_cast<int>(KernelMethod::materialised))
        << network.name;
  }
}

// The comparison can fail: one recorded number off, what is compared with it disagrees, and nothing else.
TEST(Golden, OneNumberThatIsOffIsNoticed) {
  for (const Network& network : networks()) {
    const Record golden = record_of(network.name);
    const std::vector<Found> list = found(network, golden);
    for (const std::string& array : kComputed) {
      const Tensor& numbers = golden.at(array);
      for (const Index k : {Index{0}, numbers.size() / 2, numbers.size() - 1}) {
        Record off = golden;
        off.at(array) = moved(numbers, k, 2.0 * kTolerance * largest(numbers));
        for (const Found& one : list)
          EXPECT_EQ(agrees(one, off), one.array != array)
              << network.name << "." << one.array << " by " << one.way << ", " << array << " off at " << k;
      }
    }
  }
}

TEST(Golden, OtherInputsAreNoticed) {
  const std::map<std::string, std::vector<std::string>> influenced{
      {"params", kComputed}, {"x", kComputed}, {"direction", {"hvp"}}};
  for (const Network& network : networks()) {
    const Record golden = record_of(network.name);
    for (const auto& [input, arrays] : influenced) {
      Record off = golden;
      off.at(input) = moved(golden.at(input), 0, 1e-3);
      for (const Found& one : found(network, off)) {
        const bool expected = std::find(arrays.begin(), arrays.end(), one.array) == arrays.end();
        // Pieces of a leaky ReLU network are linear in x: its Jacobian by x stays as it is.
        if (network.name == "leaky_relu" && input == "x" && one.array == "jacobian_x") continue;
        EXPECT_EQ(agrees(one, golden), expected)
            << network.name << "." << one.array << " by " << one.way << ", " << input << " off";
      }
    }
  }
}

}  // namespace
}  // namespace cotangent
