// The same as op_errors_test for comparisons, reductions along several axes, picking by position and linear
// algebra.
#include <cmath>

#include "tests/support/op_bad_call.hpp"

namespace cotangent {
namespace {

using test::BadCall;
using test::expect_errors;
using test::Make;

const std::vector<BadCall> kShapeErrors{
    {"less", [](const Make& t) { less(t({2}), t({3})); }, {"[less]", "a is [2]", "b is [3]"}},
    {"equal_to",
     [](const Make& t) {
       equal_to(t({4, 1}), t({4}));
     },
     {"[equal_to]", "[4, 1]", "[4]", "reshape"}},
    {"greater",
     [](const Make& t) {
       greater(t({4, 3}), t({3}));
     },
     {"[greater]", "[4, 3]", "[3]"}},
    {"less_equal and greater_equal",
     [](const Make& t) { less_equal(t({2}), t({3})); },
     {"[less_equal]", "[2]", "[3]"}},
    {"greater_equal",
     [](const Make& t) { greater_equal(t({2}), t({3})); },
     {"[greater_equal]", "[2]", "[3]"}},
    {"maximum",
     [](const Make& t) {
       maximum(t({2, 3}), t({3}));
     },
     {"[maximum]", "[2, 3]", "[3]"}},
    {"minimum", [](const Make& t) { minimum(t({2}), t({1})); }, {"[minimum]", "[2]", "[1]", "scalar"}},
    {"pow, both variable", [](const Make& t) { pow(t({2}), t({3})); }, {"[pow]", "a is [2]", "b is [3]"}},
    {"where",
     [](const Make& t) { where(t({2}), t({2}), t({3})); },
     {"[where]", "mask is [2]", "a is [2]", "b is [3]", "broadcast_to"}},
    {"where, mask",
     [](const Make& t) {
       where(t({2, 3}), t({3}), t({}));
     },
     {"[where]", "mask is [2, 3]", "a is [3]", "b is []"}},
    {"sum, axis of several",
     [](const Make& t) {
       sum(t({4, 3}), {.axes = {0, 2}});
     },
     {"[sum]", "axis 2", "[4, 3]", "0 .. 1"}},
    {"sum, an axis twice",
     [](const Make& t) {
       sum(t({4, 3}), {.axes = {1, 1}});
     },
     {"[sum]", "axis 1", "[4, 3]", "twice", "once"}},
    {"variance, an axis twice",
     [](const Make& t) {
       variance(t({4, 3}), {.axes = {0, 0}});
     },
     {"[variance]", "axis 0", "[4, 3]", "twice", "once"}},
    {"sum of a scalar along an axis",
     [](const Make& t) { sum(t({}), 0); },
     {"[sum]", "axis 0", "[]", "a scalar has no axes"}},
    {"concat of scalars",
     [](const Make& t) {
       concat({t({}), t({})}, 0);
     },
     {"[concat]", "a scalar has no axes"}},
    {"mean, axis of several",
     [](const Make& t) {
       mean(t({4, 3}), {.axes = {-1}});
     },
     {"[mean]", "axis -1", "[4, 3]"}},
    {"max, axis",
     [](const Make& t) {
       max(t({4, 3}), 2);
     },
     {"[max]", "axis 2", "[4, 3]"}},
    {"min, axis of several", [](const Make& t) { min(t({4}), {.axes = {1}}); }, {"[min]", "axis 1", "[4]"}},
    {"variance, axis",
     [](const Make& t) {
       variance(t({4, 3}), {.axes = {2}});
     },
     {"[variance]", "axis 2", "[4, 3]"}},
    {"norm, axis",
     [](const Make& t) {
       norm(t({4, 3}), {.axes = {2}});
     },
     {"[norm]", "axis 2", "[4, 3]"}},
    {"log_sum_exp, axis of several",
     [](const Make& t) {
       log_sum_exp(t({4, 3}), {.axes = {2}});
     },
     {"[log_sum_exp]", "axis 2", "[4, 3]"}},
    {"softmax, axis",
     [](const Make& t) {
       softmax(t({4, 3}), 2);
     },
     {"[softmax]", "axis 2", "[4, 3]"}},
    {"log_softmax of a scalar",
     [](const Make& t) { log_softmax(t({}), 0); },
     {"[log_softmax]", "axis 0", "[]"}},
    {"stack, shapes",
     [](const Make& t) {
       stack({t({4}), t({4}), t({3})}, 0);
     },
     {"[stack]", "part 0 is [4]", "part 2 is [3]"}},
    {"stack, axis", [](const Make& t) { stack({t({4})}, 2); }, {"[stack]", "axis 2", "[4]", "0 .. 1"}},
    {"flatten",
     [](const Make& t) {
       flatten(t({4, 3}), 3);
     },
     {"[flatten]", "axis 3", "[4, 3]", "0 .. 2"}},
    {"pad, axis", [](const Make& t) { pad(t({4}), {.axis = 1, .before = 2}); }, {"[pad]", "axis 1", "[4]"}},
    {"pad, negative",
     [](const Make& t) { pad(t({4}), {.before = -1}); },
     {"[pad]", "-1", "[4]", "from 0 on"}},
    {"gather_rows, index",
     [](const Make& t) {
       gather_rows(t({4, 3}), t({2, 2}));
     },
     {"[gather_rows]", "x is [4, 3]", "index is [2, 2]", "[m]"}},
    {"gather_rows of a scalar",
     [](const Make& t) { gather_rows(t({}), t({2})); },
     {"[gather_rows]", "x is []"}},
    {"scatter_rows",
     [](const Make& t) {
       scatter_rows(t({4, 3}), t({3}), 5);
     },
     {"[scatter_rows]", "x is [4, 3]", "index is [3]", "5 rows"}},
    {"take_along_axis, other axes",
     [](const Make& t) {
       take_along_axis(t({4, 3}), t({1, 2}), 1);
     },
     {"[take_along_axis]", "x is [4, 3]", "index is [1, 2]", "all axes but 1"}},
    {"take_along_axis, axis",
     [](const Make& t) {
       take_along_axis(t({4, 3}), t({4, 3}), 2);
     },
     {"[take_along_axis]", "axis 2", "[4, 3]"}},
    {"diag",
     [](const Make& t) {
       diag(t({2, 3, 4}));
     },
     {"[diag]", "[2, 3, 4]", "vector"}},
    {"trace",
     [](const Make& t) {
       trace(t({2, 3}));
     },
     {"[trace]", "[2, 3]", "square"}},
    {"lower_triangle", [](const Make& t) { lower_triangle(t({3})); }, {"[lower_triangle]", "[3]", "matrix"}},
    {"upper_triangle", [](const Make& t) { upper_triangle(t({})); }, {"[upper_triangle]", "[]"}},
    {"batch_matmul, two matrices",
     [](const Make& t) {
       batch_matmul(t({2, 3}), t({3, 2}));
     },
     {"[batch_matmul]", "a is [2, 3]", "b is [3, 2]", "matmul takes two"}},
    {"batch_matmul, leading axes",
     [](const Make& t) {
       batch_matmul(t({5, 2, 3}), t({4, 3, 2}));
     },
     {"[batch_matmul]", "[5, 2, 3]", "[4, 3, 2]", "leading axes"}},
    {"batch_matmul, inner",
     [](const Make& t) {
       batch_matmul(t({5, 2, 3}), t({5, 2, 4}));
     },
     {"[batch_matmul]", "inner sizes differ"}},
    {"outer",
     [](const Make& t) {
       outer(t({2, 3}), t({3}));
     },
     {"[outer]", "a is [2, 3]", "b is [3]"}},
    {"solve_spd, a",
     [](const Make& t) {
       solve_spd(t({2, 3}), t({2}));
     },
     {"[solve_spd]", "a is [2, 3]", "b is [2]", "[n, n]"}},
    {"solve_spd, b",
     [](const Make& t) {
       solve_spd(t({2, 2}), t({3}));
     },
     {"[solve_spd]", "a is [2, 2]", "b is [3]"}},
    {"log_det_spd", [](const Make& t) { log_det_spd(t({3})); }, {"[log_det_spd]", "[3]", "square"}},
};

const std::vector<BadCall> kDomainErrors{
    {"pow, NaN", [](const Make& t) { pow(t({2}), NAN); }, {"[pow]", "exponent nan", "finite"}},
    {"clip, bounds",
     [](const Make& t) { clip(t({2}), 2.0, 1.0); },
     {"[clip]", "from 2 to 1", "lower one first"}},
    {"clip, NaN", [](const Make& t) { clip(t({2}), NAN, 1.0); }, {"[clip]", "nan"}},
    {"mean of nothing along axes",
     [](const Make& t) {
       mean(t({2, 0, 3}), {.axes = {1, 2}});
     },
     {"[mean]", "[2, 0, 3]", "at least one"}},
    {"max of nothing", [](const Make& t) { max(t({0})); }, {"[max]", "[0]", "empty"}},
    {"min along an empty axis",
     [](const Make& t) {
       min(t({2, 0}), 1);
     },
     {"[min]", "axis 1", "[2, 0]"}},
    {"variance of one",
     [](const Make& t) {
       variance(t({4, 1}), {.axes = {1}, .ddof = 1});
     },
     {"[variance]", "1 numbers", "[4, 1]", "ddof 1"}},
    {"variance, negative ddof",
     [](const Make& t) { variance(t({4}), {.ddof = -1}); },
     {"[variance]", "ddof -1", "at least 0"}},
    {"stack of nothing", [](const Make&) { stack({}); }, {"[stack]", "at least one part"}},
    {"gather_rows, beyond",
     [](const Make& t) {
       gather_rows(t({1, 3}), t({2}));
     },
     {"[gather_rows]", "element 0", "[2]", "is 1", "0 .. 0"}},
    {"take_along_axis, beyond",
     [](const Make& t) {
       take_along_axis(t({4, 1}), t({4, 2}), 1);
     },
     {"[take_along_axis]", "[4, 2]", "is 1", "axis 1", "[4, 1]"}},
    {"scatter_rows, beyond",
     [](const Make& t) {
       scatter_rows(t({2, 3}), t({2}), 1);
     },
     {"[scatter_rows]", "is 1", "0 .. 0"}},
    {"solve_spd, singular",
     [](const Make& t) {
       solve_spd(t({3, 3}), t({3}));
     },
     {"[solve_spd]", "[3, 3]", "not positive definite", "leading minor of order 2",
      "multiple of the identity"}},
    {"log_det_spd, singular",
     [](const Make& t) {
       log_det_spd(-t({2, 2}).value());
     },
     {"[log_det_spd]", "[2, 2]", "minor of order 1"}},
    {"solve_spd, not symmetric",
     [](const Make& t) {
       solve_spd(upper_triangle(t({2, 2}).value()), t({2}));
     },
     {"[solve_spd]", "not symmetric", "a(1, 0) is 0", "a(0, 1) is 1", "transpose"}},
    {"log_det_spd, not finite",
     [](const Make& t) {
       log_det_spd(t({2, 2}).value() / 0.0);
     },
     {"[log_det_spd]", "[2, 2]", "inf", "finite"}},
};

TEST(MoreOperationErrors, OfShape) { expect_errors<ShapeError>(kShapeErrors); }
TEST(MoreOperationErrors, OfDomain) { expect_errors<DomainError>(kDomainErrors); }

}  // namespace
}  // namespace cotangent
