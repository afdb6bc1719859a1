// LAPACK's Fortran names and what calling them takes.
#include "autodiff/kernels/lapack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/workspace.hpp"

extern "C" {
void dpotrf_(const char* uplo, const int* n, double* a, const int* lda, int* info);
void dpotrs_(const char* uplo, const int* n, const int* columns, const double* a, const int* lda, double* b,
             const int* ldb, int* info);
void dsyevr_(const char* jobz, const char* range, const char* uplo, const int* n, double* a, const int* lda,
             const double* vl, const double* vu, const int* il, const int* iu, const double* abstol, int* m,
             double* w, double* z, const int* ldz, int* isuppz, double* work, const int* lwork, int* iwork,
             const int* liwork, int* info);
void dgesdd_(const char* jobz, const int* m, const int* n, double* a, const int* lda, double* s, double* u,
             const int* ldu, double* vt, const int* ldvt, double* work, const int* lwork, int* iwork,
             int* info);
}

namespace cotangent::kernel {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<int>::max();

int integer(const char* operation, std::int64_t n) {
  check_side(operation, n);
  return static_cast<int>(n);
}

/// The size of a workspace, of which LAPACK tells as a double.
int workspace(const char* operation, double size) {
  if (!(size <= static_cast<double>(kMost)))
    throw DomainError(
        fmt::format("[{}] LAPACK would work in {} numbers and can count 2^31 - 1 of them; give a matrix of "
                    "fewer rows and columns",
                    operation, size));
  return std::max(static_cast<int>(size), 1);
}

/// LAPACK demands a leading dimension of at least 1, of empty matrices too.
int lead(int n) { return std::max(n, 1); }

}  // namespace

void check_side(const char* operation, std::int64_t n) {
  if (n > kMost)
    throw DomainError(
        fmt::format("[{}] a matrix has a side of {}, and LAPACK takes sides up to 2^31 - 1; give it in parts",
                    operation, n));
}

std::int64_t cholesky(const char* operation, double* a, std::int64_t n) {
  check_workspace(operation);
  const int size = integer(operation, n), lda = lead(size);
  int info = 0;
  dpotrf_("L", &size, a, &lda, &info);
  return info;
}

void cholesky_solve(const char* operation, const double* factor, std::int64_t n, double* b,
                    std::int64_t columns) {
  check_workspace(operation);
  const int size = integer(operation, n), lda = lead(size), count = integer(operation, columns);
  int info = 0;
  dpotrs_("L", &size, &count, factor, &lda, b, &lda, &info);
}

void symmetric_eigen(const char* operation, double* a, std::int64_t n, double* values, double* vectors) {
  check_workspace(operation);
  const int size = integer(operation, n), lda = lead(size), none = 0, query = -1;
  std::vector<int> support(2 * static_cast<std::size_t>(lda));
  const double zero = 0.0;
  int found = 0, info = 0, iwork_size = 0;
  double work_size = 0.0;
  const auto run = [&](double* work, const int* lwork, int* iwork, const int* liwork) {
    dsyevr_("V", "A", "L", &size, a, &lda, &zero, &zero, &none, &none, &zero, &found, values, vectors, &lda,
            support.data(), work, lwork, iwork, liwork, &info);
  };
  run(&work_size, &query, &iwork_size, &query);
  const int lwork = workspace(operation, work_size);
  std::vector<double> work(static_cast<std::size_t>(lwork));
  std::vector<int> iwork(static_cast<std::size_t>(iwork_size));
  run(work.data(), &lwork, iwork.data(), &iwork_size);
  if (info != 0 || found != size)
    throw DomainError(fmt::format(
        "[{}] LAPACK's dsyevr found {} of {} eigenvalues (info {}); look for numbers of extreme size",
        operation, found, n, info));
}

void singular_values(const char* operation, double* a, std::int64_t m, std::int64_t n, double* values) {
  check_workspace(operation);
  const int rows = integer(operation, m), columns = integer(operation, n), lda = lead(rows), one = 1,
            query = -1;
  std::vector<int> iwork(8 * static_cast<std::size_t>(lead(std::min(rows, columns))));
  double none = 0.0, work_size = 0.0;
  int info = 0;
  const auto run = [&](double* work, const int* lwork) {
    dgesdd_("N", &rows, &columns, a, &lda, values, &none, &one, &none, &one, work, lwork, iwork.data(),
            &info);
  };
  run(&work_size, &query);
  const int lwork = workspace(operation, work_size);
  std::vector<double> work(static_cast<std::size_t>(lwork));
  run(work.data(), &lwork);
  if (info != 0)
    throw DomainError(fmt::format(
        "[{}] LAPACK's dgesdd did not converge on a matrix of sides {} and {} (info {}); look for numbers of "
        "extreme size",
        operation, m, n, info));
}

}  // namespace cotangent::kernel
