// Rows of the table of operations: reductions along sets of axes, softmax.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "autodiff/ops.hpp"
#include "tests/support/op_row.hpp"

namespace cotangent::test {
namespace {

using Numbers = std::vector<double>;

/// x reduced along axes by a function of the numbers that go into one, in row-major order.
Plain reduced_plain(const Plain& x, std::vector<int> axes, bool keep,
                    const std::function<double(const Numbers&)>& f) {
  if (axes.empty())
    for (int k = 0; k < x.shape.rank(); ++k) axes.push_back(k);
  const auto gone = [&](int k) { return std::find(axes.begin(), axes.end(), k) != axes.end(); };
  Shape wide = x.shape, narrow;
  for (int k = 0; k < x.shape.rank(); ++k) {
    if (gone(k)) wide = wide.with(k, 1);
    if (!gone(k)) narrow = narrow.with_inserted(narrow.rank(), x.shape[k]);
  }
  Plain result = make(wide, [&](const Position& q) {
    Numbers own;
    make(x.shape, [&](const Position& p) {
      bool same = true;
      for (int k = 0; k < x.shape.rank(); ++k)
        same = same && (gone(k) || p[static_cast<std::size_t>(k)] == q[static_cast<std::size_t>(k)]);
      if (same) own.push_back(x.at(p));
      return 0.0;
    });
    return f(own);
  });
  if (!keep) result.shape = narrow;
  return result;
}

double total(const Numbers& v) { return std::accumulate(v.begin(), v.end(), 0.0); }
double average(const Numbers& v) { return total(v) / static_cast<double>(v.size()); }
double squares(const Numbers& v, double centre) {
  double sum = 0.0;
  for (const double t : v) sum += (t - centre) * (t - centre);
  return sum;
}
double magnitudes(const Numbers& v) {
  double sum = 0.0;
  for (const double t : v) sum += std::fabs(t);
  return sum;
}

struct Reduction {
  std::string name;
  std::function<Var(const Var&, const ReduceOptions&)> function;
  std::function<double(const Numbers&)> expected;
};

std::vector<Reduction> reductions() {
  return {
      {"sum", [](const Var& x, const ReduceOptions& o) { return sum(x, o); }, total},
      {"mean", [](const Var& x, const ReduceOptions& o) { return mean(x, o); }, average},
      {"max", [](const Var& x, const ReduceOptions& o) { return max(x, o); },
       [](const Numbers& v) { return *std::max_element(v.begin(), v.end()); }},
      {"min", [](const Var& x, const ReduceOptions& o) { return min(x, o); },
       [](const Numbers& v) { return *std::min_element(v.begin(), v.end()); }},
      {"variance",
       [](const Var& x, const ReduceOptions& o) {
         return variance(x, {.axes = o.axes, .keep_dims = o.keep_dims});
       },
       [](const Numbers& v) { return squares(v, average(v)) / static_cast<double>(v.size()); }},
      {"norm one",
       [](const Var& x, const ReduceOptions& o) {
         return norm(x, {.kind = Norm::one, .axes = o.axes, .keep_dims = o.keep_dims});
       },
       magnitudes},
      {"norm two",
       [](const Var& x, const ReduceOptions& o) {
         return norm(x, {.axes = o.axes, .keep_dims = o.keep_dims});
       },
       [](const Numbers& v) { return std::sqrt(squares(v, 0.0)); }},
      {"norm infinity",
       [](const Var& x, const ReduceOptions& o) {
         return norm(x, {.kind = Norm::infinity, .axes = o.axes, .keep_dims = o.keep_dims});
       },
       [](const Numbers& v) {
         double top = 0.0;
         for (const double t : v) top = std::max(top, std::fabs(t));
         return top;
       }},
      {"log_sum_exp", [](const Var& x, const ReduceOptions& o) { return log_sum_exp(x, o); },
       [](const Numbers& v) {
         double sum = 0.0;
         for (const double t : v) sum += std::exp(t);
         return std::log(sum);
       }},
  };
}

void add_softmax(std::vector<OpRow>& rows) {
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{3, 9}, Shape{5}})
    for (int axis = 0; axis < shape.rank(); ++axis)
      for (const bool logarithm : {false, true})
        rows.push_back(
            {.name = std::string(logarithm ? "log_softmax" : "softmax") + " axis " + std::to_string(axis) +
                     " of " + shape.to_string(),
             .inputs = {shape},
             .function = [=](Vars v) { return logarithm ? log_softmax(v[0], axis) : softmax(v[0], axis); },
             .expected =
                 [=](const Plains& x) {
                   const Plain sums = reduced_plain(x[0], {axis}, true, [](const Numbers& v) {
                     double sum = 0.0;
                     for (const double t : v) sum += std::exp(t);
                     return sum;
                   });
                   return make(x[0].shape, [&](const Position& p) {
                     Position q = p;
                     q[static_cast<std::size_t>(axis)] = 0;
                     const double v = x[0].at(p), sum = sums.at(q);
                     return logarithm ? v - std::log(sum) : std::exp(v) / sum;
                   });
                 }});
}

}  // namespace

std::vector<OpRow> axes_rows() {
  std::vector<OpRow> rows;
  const std::vector<std::pair<Shape, std::vector<int>>> cases{
      {Shape{2, 3, 4}, {}},        {Shape{2, 3, 4}, {0}},    {Shape{2, 3, 4}, {1, 2}},
      {Shape{2, 3, 4}, {2, 0}},    {Shape{2, 3, 4}, {0, 1}}, {Shape{2, 1, 3, 2}, {3, 1}},
      {Shape{2, 2, 3, 2}, {0, 2}}, {Shape{3, 11}, {1}},      {Shape{}, {}},
  };
  for (const Reduction& r : reductions())
    for (const auto& [shape, axes] : cases)
      for (const bool keep : {false, true}) {
        // The variance of one number is 0 everywhere: nothing to compare.
        if (r.name == "variance" && shape.rank() == 0) continue;
        std::string name = r.name + " of " + shape.to_string() + " along";
        for (const int axis : axes) name += " " + std::to_string(axis);
        const ReduceOptions options{.axes = axes, .keep_dims = keep};
        rows.push_back({.name = name + (keep ? ", kept" : ""),
                        .inputs = {shape},
                        .function = [f = r.function, options](Vars v) { return f(v[0], options); },
                        .expected =
                            [f = r.expected, options](const Plains& x) {
                              return reduced_plain(x[0], options.axes, options.keep_dims, f);
                            },
                        .away = 0.1});
      }
  for (const Index ddof : {1, 2})
    rows.push_back({.name = "variance, ddof " + std::to_string(ddof),
                    .inputs = {Shape{4, 3}},
                    .function = [ddof](Vars v) { return variance(v[0], {.axes = {0}, .ddof = ddof}); },
                    .expected =
                        [ddof](const Plains& x) {
                          return reduced_plain(x[0], {0}, false, [ddof](const Numbers& v) {
                            return squares(v, average(v)) /
                                   static_cast<double>(static_cast<Index>(v.size()) - ddof);
                          });
                        }});
  for (int axis = 0; axis < 2; ++axis)
    for (const bool largest : {true, false})
      rows.push_back({.name = std::string(largest ? "max" : "min") + " axis " + std::to_string(axis),
                      .inputs = {Shape{9, 10}},
                      .function = [=](Vars v) { return largest ? max(v[0], axis) : min(v[0], axis); },
                      .expected =
                          [=](const Plains& x) {
                            return reduced_plain(x[0], {axis}, false, [=](const Numbers& v) {
                              return largest ? *std::max_element(v.begin(), v.end())
                                             : *std::min_element(v.begin(), v.end());
                            });
                          }});
  add_softmax(rows);
  return rows;
}

}  // namespace cotangent::test
