// The logarithm and the inverse normal distribution function behind Rng: the same bits under every compiler.
#pragma once

namespace cotangent::detail {

/// Natural logarithm of a positive, finite, normal number, within 1 ulp, from + - * /
/// and bit operations alone.
///
/// Source: x = m 2^e with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m - 1) / (m + 1))
/// as its Taylor series.
double portable_log(double x) noexcept;

/// z with Phi(z) = p, 0 < p < 1, to about 1e-15 relative.
///
/// Source: Wichura 1988, algorithm AS 241, PPND16.
double inverse_normal(double p) noexcept;

}  // namespace cotangent::detail
