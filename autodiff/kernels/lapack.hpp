// LAPACK, as OpenBLAS exports it, behind typed functions; its workspaces and codes stay behind them. Matrices
// lie column after column, so a row-major one is seen as its transpose. Other rooms include this header too.
#pragma once
#include <cstdint>

namespace cotangent::kernel {

/// Throws: DomainError in `operation`'s name for a side beyond LAPACK's integers, as all of these do, and as
/// check_workspace.
void check_side(const char* operation, std::int64_t n);

/// a = L L^T for a symmetric a [n, n], of which only the lower triangle (of rows: the upper one) is read and
/// becomes L. Returns 0, or the order of the first leading minor that is not positive.
std::int64_t cholesky(const char* operation, double* a, std::int64_t n);
/// b [n, columns] becomes x with L L^T x = b, for the L of cholesky.
void cholesky_solve(const char* operation, const double* factor, std::int64_t n, double* b,
                    std::int64_t columns);

/// All eigenvalues of a symmetric a [n, n], ascending, and of values[k] the eigenvector at vectors + k n; a
/// is lost. Throws: DomainError if not all of them are found.
void symmetric_eigen(const char* operation, double* a, std::int64_t n, double* values, double* vectors);

/// The min(m, n) singular values of a [m, n], greatest first; a is lost.
/// Throws: DomainError if the iteration does not converge.
void singular_values(const char* operation, double* a, std::int64_t m, std::int64_t n, double* values);

}  // namespace cotangent::kernel
