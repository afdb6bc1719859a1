// What a Jacobian says of a model at a point: singular values, rank, conditioning, and where its weight lies.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "autodiff/jacobian.hpp"

namespace cotangent::theory {

/// All singular values of a matrix, greatest first, by LAPACK's dgesdd.
///
/// Shapes: A [m, n] -> [min(m, n)].
/// Cost: O(m n min(m, n)).
/// Throws: ShapeError unless A is a matrix and not empty; DomainError if it is not finite.
Tensor singular_values(const Tensor& matrix);

struct JacobianSummaryOptions {
  /// How many of the entries of largest magnitude are named.
  Index top = 8;
  /// A singular value up to this counts as 0; without it, max(n*C, P) 2^-52 times the greatest.
  std::optional<double> threshold = std::nullopt;
};

struct JacobianSummary {
  /// The columns of one parameter.
  struct Block {
    std::string name;
    Shape shape;
    double norm = 0.0;       // Frobenius
    Index zero_columns = 0;  // parameters that move no output of any sample
  };
  struct Entry {
    std::string row;     // "sample 3, output 0"
    std::string column;  // "0.weight[3, 1]"
    double value = 0.0;
  };
  Tensor singular_values;  // [min(n*C, P)], greatest first
  double threshold = 0.0;
  Index rank = 0;                  // singular values above the threshold
  bool full_rank = false;          // rank = min(n*C, P)
  double condition = 0.0;          // greatest / least singular value; infinite unless the rank is full
  double condition_on_rank = 0.0;  // greatest / least of those above the threshold; NaN if there are none
  double stable_rank = 0.0;        // |J|_F^2 / |J|_2^2; NaN for J = 0
  std::vector<Block> blocks;
  std::vector<Entry> top;
  std::string to_string() const;
};

/// Rank, conditioning and largest entries of a Jacobian. K = J J^T has the squares of its singular values as
/// eigenvalues, and is positive definite where the rank is n*C.
///
/// Shapes: J [n*C, P].
/// Cost: that of singular_values.
/// Throws: as singular_values; DomainError for a threshold or count below 0.
/// Source: landscape K19 (the tangent kernel); Golub, Van Loan, Matrix Computations, 5.4.1 (numerical rank).
JacobianSummary jacobian_summary(const Jacobian& jacobian, const JacobianSummaryOptions& options = {});

}  // namespace cotangent::theory
