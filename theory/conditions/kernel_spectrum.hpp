// The eigenvalues of a kernel that was enclosed, or only computed.
#pragma once
#include <optional>
#include <string>

#include "autodiff/function.hpp"
#include "autodiff/jacobian.hpp"
#include "enclose/enclosure.hpp"
#include "theory/measured.hpp"
#include "theory/proof.hpp"
#include "theory/spectrum.hpp"

namespace cotangent::theory {

/// A symmetric matrix with proven bounds of its entries, its middle, and the middle's eigenvalues, each at
/// most `error` from that of every matrix within the bounds: the solver's bound and the largest row sum of
/// radii. Of an operation without enclosure the matrix is as it was computed, and tell() says so.
class KernelSpectrum {
 public:
  explicit KernelSpectrum(const Enclosure& k);
  /// Of the tangent kernel of f at w, enclosed if that can be; and as computed, whose entries are taken for
  /// off by the rounding of their sums alone.
  static KernelSpectrum of(ModelFunction f, const Params& w, const Tensor& x);
  static KernelSpectrum computed(ModelFunction f, const Params& w, const Tensor& x);
  /// Of X X^T.
  static KernelSpectrum gram(const Tensor& x);

  const Tensor& matrix() const { return matrix_; }
  const Spectrum& eigen() const { return eigen_; }
  double error() const { return error_; }
  /// lambda_min, by the eigenvalues; and as sharp as factorisations in balls make it.
  Measured smallest() const;
  Measured sharp_smallest() const;
  /// Throws: DomainError, ShapeError if it cannot be the tangent kernel of f at w.
  void check_is_of(ModelFunction f, const Params& w, const Tensor& x) const;
  /// Tells a proof where nothing is proved.
  void tell(Proof& proof) const;

 private:
  KernelSpectrum(const Tensor& computed, Index columns, std::string why);

  Tensor matrix_;
  Spectrum eigen_;
  double error_ = 0.0;
  std::optional<Enclosure> enclosure_;
  std::string why_;
};

}  // namespace cotangent::theory
