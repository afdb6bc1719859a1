// Wrong shapes, axes and numbers for every public operation: the error names the operation, gives every shape
// involved and says what to do; nothing is recorded when one is thrown.
#include <cmath>

#include "tests/support/op_bad_call.hpp"

namespace cotangent {
namespace {

using test::BadCall;
using test::error_of;
using test::expect_errors;
using test::Make;
using testing::HasSubstr;

const std::vector<BadCall> kShapeErrors{
    {"add, widths",
     [](const Make& t) {
       t({2, 3}) + t({2, 4});
     },
     {"[add]", "a is [2, 3]", "b is [2, 4]", "broadcast_to"}},
    {"add, [n, 1] and [n]",
     [](const Make& t) {
       t({4, 1}) + t({4});
     },
     {"[add]", "[4, 1]", "[4]", "reshape"}},
    {"sub, [n, 1] and [n]",
     [](const Make& t) {
       t({4, 1}) - t({4});
     },
     {"[sub]", "[4, 1]", "[4]", "reshape"}},
    {"sub, [n] and [n, 1]",
     [](const Make& t) {
       t({4}) - t({4, 1});
     },
     {"[sub]", "[4]", "[4, 1]", "reshape"}},
    {"mul, [n, k] and [k]",
     [](const Make& t) {
       t({4, 3}) * t({3});
     },
     {"[mul]", "[4, 3]", "[3]", "add_rows or mul_rows"}},
    {"mul, [n, k] and [n]",
     [](const Make& t) {
       t({4, 3}) * t({4});
     },
     {"[mul]", "[4, 3]", "[4]", "scale_rows"}},
    {"div, one element",
     [](const Make& t) {
       t({4, 3}) / t({1});
     },
     {"[div]", "[4, 3]", "[1]", "scalar"}},
    {"div, ranks",
     [](const Make& t) {
       t({4, 3}) / t({7, 4, 3});
     },
     {"[div]", "[4, 3]", "[7, 4, 3]", "nothing broadcasts"}},
    {"add, an empty one",
     [](const Make& t) {
       t({0, 3}) + t({2, 3});
     },
     {"[add]", "[0, 3]", "[2, 3]"}},
    {"matmul, inner",
     [](const Make& t) {
       matmul(t({32, 10}), t({12, 4}));
     },
     {"[matmul]", "inner sizes differ", "a is [32, 10]", "b is [12, 4]", "columns must equal"}},
    {"matmul, b should be transposed",
     [](const Make& t) {
       matmul(t({32, 10}), t({4, 10}));
     },
     {"[matmul]", "[32, 10]", "[4, 10]", "did you mean transpose(b)?"}},
    {"matmul, a should be transposed",
     [](const Make& t) {
       matmul(t({10, 32}), t({10, 4}));
     },
     {"[matmul]", "[10, 32]", "[10, 4]", "did you mean transpose(a)?"}},
    {"matmul, transposed both",
     [](const Make& t) {
       matmul(t({3, 5}), t({2, 4}), {.transpose_a = true, .transpose_b = true});
     },
     {"[matmul]", "[3, 5] (transposed)", "[2, 4] (transposed)"}},
    {"matmul, a vector of another size",
     [](const Make& t) {
       matmul(t({3, 5}), t({3}));
     },
     {"[matmul]", "inner sizes differ", "a is [3, 5]", "b is [3]", "did you mean transpose(a)?"}},
    {"matmul, a vector transposed",
     [](const Make& t) {
       matmul(t({3, 5}), t({5}), {.transpose_b = true});
     },
     {"[matmul]", "[3, 5]", "[5] (transposed)", "a matrix and a vector", "reshape"}},
    {"matmul, the vector first",
     [](const Make& t) {
       matmul(t({5}), t({5, 3}));
     },
     {"[matmul]", "a is [5]", "b is [5, 3]", "a matrix and a vector", "reshape"}},
    {"matmul, rank 3",
     [](const Make& t) {
       matmul(t({2, 3, 5}), t({5, 2}));
     },
     {"[matmul]", "[2, 3, 5]", "[5, 2]"}},
    {"linear, widths",
     [](const Make& t) {
       linear(t({7, 3}), t({4, 5}));
     },
     {"[linear]", "x is [7, 3]", "weight is [4, 5]", "[out, in]"}},
    {"linear, x a vector",
     [](const Make& t) {
       linear(t({3}), t({4, 3}));
     },
     {"[linear]", "x is [3]", "[n, in]"}},
    {"linear, weight a vector",
     [](const Make& t) {
       linear(t({7, 3}), t({3}));
     },
     {"[linear]", "weight is [3]"}},
    {"linear, bias",
     [](const Make& t) {
       linear(t({7, 3}), t({4, 3}), t({3}));
     },
     {"[linear]", "weight is [4, 3]", "bias is [3]", "must be [4]"}},
    {"linear, bias a row",
     [](const Make& t) {
       linear(t({7, 3}), t({4, 3}), t({1, 4}));
     },
     {"[linear]", "bias is [1, 4]", "must be [4]"}},
    {"dot", [](const Make& t) { dot(t({3}), t({4})); }, {"[dot]", "a is [3]", "b is [4]", "reshape"}},
    {"dot, no scalars", [](const Make& t) { dot(t({3}), t({})); }, {"[dot]", "[3]", "[]"}},
    {"add_rows",
     [](const Make& t) {
       add_rows(t({4, 3}), t({4}));
     },
     {"[add_rows]", "x is [4, 3]", "r is [4]", "[n, k]"}},
    {"add_rows, a row",
     [](const Make& t) {
       add_rows(t({4, 3}), t({1, 3}));
     },
     {"[add_rows]", "[4, 3]", "r is [1, 3]"}},
    {"mul_rows", [](const Make& t) { mul_rows(t({4}), t({4})); }, {"[mul_rows]", "x is [4]", "r is [4]"}},
    {"scale_rows",
     [](const Make& t) {
       scale_rows(t({4, 3}), t({3}));
     },
     {"[scale_rows]", "x is [4, 3]", "s is [3]", "s [n]"}},
    {"sum, axis",
     [](const Make& t) {
       sum(t({4, 3}), 2);
     },
     {"[sum]", "axis 2", "[4, 3]", "0 .. 1"}},
    {"sum, negative axis",
     [](const Make& t) {
       sum(t({4, 3}), -1);
     },
     {"[sum]", "axis -1", "[4, 3]"}},
    {"sum of a scalar by axis", [](const Make& t) { sum(t({}), 0); }, {"[sum]", "axis 0", "[]"}},
    {"mean, axis",
     [](const Make& t) {
       mean(t({4, 3}), 2);
     },
     {"[mean]", "axis 2", "[4, 3]", "0 .. 1"}},
    {"log_sum_exp, axis", [](const Make& t) { log_sum_exp(t({4}), 1); }, {"[log_sum_exp]", "axis 1", "[4]"}},
    {"reshape",
     [](const Make& t) {
       reshape(t({4, 3}), {5, 2});
     },
     {"[reshape]", "[4, 3] holds 12", "[5, 2] holds 10", "must agree"}},
    {"transpose of a vector",
     [](const Make& t) { transpose(t({4})); },
     {"[transpose]", "[4]", "order of its axes"}},
    {"transpose of rank 3",
     [](const Make& t) {
       transpose(t({4, 3, 2}));
     },
     {"[transpose]", "[4, 3, 2]", "order"}},
    {"transpose, too few axes",
     [](const Make& t) {
       transpose(t({4, 3, 2}), {1, 0});
     },
     {"[transpose]", "[4, 3, 2]", "each of its 3 axes once"}},
    {"transpose, an axis twice",
     [](const Make& t) {
       transpose(t({4, 3}), {1, 1});
     },
     {"[transpose]", "[4, 3]", "once"}},
    {"transpose, no such axis",
     [](const Make& t) {
       transpose(t({4, 3}), {0, 2});
     },
     {"[transpose]", "[4, 3]"}},
    {"slice, end",
     [](const Make& t) {
       slice(t({4, 3}), 0, 1, 5);
     },
     {"[slice]", "1 .. 5", "axis 0", "[4, 3]", "within"}},
    {"slice, begin",
     [](const Make& t) {
       slice(t({4, 3}), 1, -1, 2);
     },
     {"[slice]", "-1 .. 2", "axis 1", "[4, 3]"}},
    {"slice, reversed",
     [](const Make& t) {
       slice(t({4, 3}), 1, 2, 1);
     },
     {"[slice]", "2 .. 1"}},
    {"slice, axis",
     [](const Make& t) {
       slice(t({4, 3}), 2, 0, 1);
     },
     {"[slice]", "axis 2", "[4, 3]"}},
    {"slice, negative axis",
     [](const Make& t) {
       slice(t({4, 3}), -1, 0, 1);
     },
     {"[slice]", "axis -1"}},
    {"slice of a scalar", [](const Make& t) { slice(t({}), 0, 0, 1); }, {"[slice]", "[]"}},
    {"view, end",
     [](const Make& t) {
       view(t({7}), 4, {2, 2});
     },
     {"[view]", "4 numbers", "[2, 2]", "position 4", "[7]", "within a vector"}},
    {"view, begin", [](const Make& t) { view(t({7}), -1, {2}); }, {"[view]", "position -1", "[7]"}},
    {"view, far beyond", [](const Make& t) { view(t({7}), Index{1} << 62, {2}); }, {"[view]", "[7]"}},
    {"view of a matrix",
     [](const Make& t) {
       view(t({7, 2}), 0, {2});
     },
     {"[view]", "[7, 2]", "vector"}},
    {"concat, other axes",
     [](const Make& t) {
       concat({t({4, 3}), t({4, 2})}, 0);
     },
     {"[concat]", "part 0 is [4, 3]", "part 1 is [4, 2]", "all axes but 0"}},
    {"concat, ranks",
     [](const Make& t) {
       concat({t({4, 3}), t({4, 3}), t({4})}, 1);
     },
     {"[concat]", "[4, 3]", "part 2 is [4]"}},
    {"concat, axis",
     [](const Make& t) {
       concat({t({4, 3})}, 2);
     },
     {"[concat]", "axis 2", "[4, 3]", "0 .. 1"}},
    {"concat, negative axis",
     [](const Make& t) {
       concat({t({4, 3})}, -1);
     },
     {"[concat]", "axis -1"}},
    {"concat of scalars",
     [](const Make& t) {
       concat({t({}), t({})}, 0);
     },
     {"[concat]", "axis 0", "[]"}},
    {"broadcast_to, size",
     [](const Make& t) {
       broadcast_to(t({3}), {4, 2});
     },
     {"[broadcast_to]", "x is [3]", "asked for [4, 2]", "equal or 1"}},
    {"broadcast_to, fewer axes",
     [](const Make& t) {
       broadcast_to(t({1, 3}), {3});
     },
     {"[broadcast_to]", "[1, 3]", "[3]"}},
    {"broadcast_to, [n] to [n, k]",
     [](const Make& t) {
       broadcast_to(t({4}), {4, 3});
     },
     {"[broadcast_to]", "[4]", "[4, 3]", "counted from the last"}},
    {"broadcast_to, empty",
     [](const Make& t) { broadcast_to(t({0}), {3}); },
     {"[broadcast_to]", "[0]", "[3]"}},
};

const std::vector<BadCall> kDomainErrors{
    {"mean of nothing", [](const Make& t) { mean(t({0})); }, {"[mean]", "[0]", "at least one"}},
    {"mean of an empty matrix",
     [](const Make& t) {
       mean(t({3, 0}));
     },
     {"[mean]", "[3, 0]"}},
    {"mean along an empty axis",
     [](const Make& t) {
       mean(t({0, 3}), 0);
     },
     {"[mean]", "axis 0", "[0, 3]", "at least one"}},
    {"log_sum_exp along an empty axis",
     [](const Make& t) {
       log_sum_exp(t({2, 0}), 1);
     },
     {"[log_sum_exp]", "axis 1", "[2, 0]", "empty"}},
    {"concat of nothing",
     [](const Make&) { concat({}, 0); },
     {"[concat]", "nothing to join", "at least one part"}},
    {"leaky_relu, NaN",
     [](const Make& t) { leaky_relu(t({2}), NAN); },
     {"[leaky_relu]", "slope nan", "finite"}},
    {"leaky_relu, infinite",
     [](const Make& t) { leaky_relu(t({2}), -INFINITY); },
     {"[leaky_relu]", "slope -inf", "finite"}},
    {"elu, NaN", [](const Make& t) { elu(t({2}), NAN); }, {"[elu]", "alpha nan", "finite"}},
};

TEST(OperationErrors, OfShape) { expect_errors<ShapeError>(kShapeErrors); }
TEST(OperationErrors, OfDomain) { expect_errors<DomainError>(kDomainErrors); }

TEST(OperationErrors, AllAreRuntimeErrors) {
  EXPECT_THROW(Var(Tensor{1.0, 2.0}) + Var(Tensor{1.0}), std::runtime_error);
  EXPECT_THROW(concat({}, 0), std::runtime_error);
}

TEST(OperationErrors, ItemOfAVar) {
  EXPECT_THAT(error_of<ShapeError>([] {
                static_cast<void>(Var(Tensor{1.0, 2.0}).item());
              }),
              HasSubstr("[item] shape [2]"));
}

}  // namespace
}  // namespace cotangent
