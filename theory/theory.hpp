// The room theory: verdicts and the falsifier; proxy convexity and the leaky ReLU theorem; tangent kernels and spectra.
#pragma once
#include "theory/falsifier.hpp"
#include "theory/homogeneity.hpp"
#include "theory/jacobian_summary.hpp"
#include "theory/leaky_relu.hpp"
#include "theory/margin.hpp"
#include "theory/proxy.hpp"
#include "theory/proxy_search.hpp"
#include "theory/spectrum.hpp"
#include "theory/surrogate.hpp"
#include "theory/tangent_kernel.hpp"
#include "theory/verdict.hpp"
