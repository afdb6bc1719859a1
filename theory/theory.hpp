// The room theory: tangent kernels and spectra.
#pragma once
#include "theory/spectrum.hpp"
#include "theory/tangent_kernel.hpp"
