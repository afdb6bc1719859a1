// Random directions in a run's space.
#pragma once
#include "autodiff/params.hpp"
#include "autodiff/rng.hpp"

namespace cotangent::optim {

/// Uniform on the sphere of this radius, and in the ball, with the table of `like`.
Params on_sphere(const Params& like, double radius, Rng& rng);
Params in_ball(const Params& like, double radius, Rng& rng);

}  // namespace cotangent::optim
