// The smallest eigenvalue of a Gram matrix, with the error of the solver and of the matrix itself.
#pragma once
#include "theory/measured.hpp"
#include "theory/spectrum.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

/// A Gram matrix J J^T as it was computed, each entry off by at most rounding({|J_i| |J_j|}, columns): in the
/// spectral norm at most rounding({trace}, columns).
struct GramSpectrum {
  Spectrum eigen;
  double rounding;  // of the matrix, in the spectral norm
  double error;     // of each eigenvalue: the solver's and that of the matrix

  GramSpectrum(const Tensor& gram, Index columns)
      : eigen(spectrum(gram)), rounding(rounding_of(gram, columns)), error(eigen.bound + rounding) {}
  Measured smallest() const { return within(eigen.smallest(), error); }

 private:
  static double rounding_of(const Tensor& gram, Index columns) {
    double trace = 0.0;
    for (Index i = 0; i < gram.size(0); ++i) trace += gram(i, i);
    return theory::rounding({trace}, columns);
  }
};

/// A verdict that rests on a GramSpectrum says what that leaves out.
inline Verdict of_computed_entries(Verdict v) {
  v.reason +=
      "; J is taken as computed, K's entries as off by the rounding of their sums alone "
      "(enclose_tangent_kernel "
      "has them proven)";
  return v;
}

}  // namespace cotangent::theory
