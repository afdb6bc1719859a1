// Balls as a matrix of Arb's.
#pragma once
#include <utility>
#include <vector>

#include "enclose/balls/balls.hpp"

namespace cotangent::enclosing {

/// Balls from `offset` on as a matrix of Arb's, transposed if wanted, whose entries it shares; to be read,
/// and to be written where it is not transposed.
class Matrix {
 public:
  Matrix(const Balls& b, Index rows, Index columns, bool transposed = false, Index offset = 0) {
    arb_ptr from = b.data() + offset;
    if (transposed) {
      turned_.resize(static_cast<std::size_t>(rows * columns));
      for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j)
          turned_[static_cast<std::size_t>(j * rows + i)] = from[i * columns + j];
      std::swap(rows, columns);
      from = turned_.data();
    }
    rows_.resize(static_cast<std::size_t>(rows));
    for (Index i = 0; i < rows; ++i) rows_[static_cast<std::size_t>(i)] = from + i * columns;
    m_->entries = from;
    m_->r = rows;
    m_->c = columns;
    m_->rows = rows_.data();
  }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  ~Matrix() = default;
  operator arb_mat_struct*() { return m_; }  // NOLINT(google-explicit-constructor)
  Index rows() const { return m_->r; }
  Index columns() const { return m_->c; }

 private:
  arb_mat_t m_;
  std::vector<arb_struct> turned_;
  std::vector<arb_ptr> rows_;
};

}  // namespace cotangent::enclosing
