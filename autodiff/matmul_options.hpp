// MatmulOptions: what every matrix product is told, from matmul down to the library call behind it.
#pragma once

namespace cotangent {

/// Transposition of the factors of a matrix product, and a constant in front of it.
struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
  double scale = 1.0;
};

}  // namespace cotangent
