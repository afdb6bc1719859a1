// The room theory. In this order, one page an inner room or two.
#pragma once
// clang-format off
#include "theory/measured.hpp"            // a number and what may have moved it; inequalities between two
#include "theory/catalogue.hpp"           // every result of the lectures, a row each
#include "theory/verdict.hpp"             // what a check may say; compare; figures and files of a verdict
#include "theory/proof.hpp"               // how a check is built: Proof, and Study for a run that is watched
#include "theory/falsifier.hpp"           // claims about every w, and the search for a counterexample
#include "theory/spectrum.hpp"            // eigenvalues with error bounds; positive definiteness proved
#include "theory/linear_program.hpp"      // linear programs with duals and Farkas certificates
#include "theory/margin.hpp"              // the hard margin of separable data
#include "theory/conditions.hpp"          // closed-form Jacobians, rank, PL* at a point
#include "theory/rates.hpp"               // rates of methods under conditions
#include "theory/proxies.hpp"             // surrogates, proxy convexity, the best proxy, homogeneity
#include "theory/leaky_relu_problem.hpp"  // a two-layer leaky ReLU net and data that a direction separates
#include "theory/leaky_relu.hpp"          // the leaky ReLU theorem, the perceptron argument
#include "theory/tangent_kernel.hpp"      // tangent kernels in four ways, and K v without K
#include "theory/jacobian_summary.hpp"    // rank, conditioning and largest entries of a Jacobian
// clang-format on
