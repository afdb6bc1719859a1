// The room theory: results of the lectures, checked on a user's own functions, networks and data. Below are
// its pages in the order to read them, by the inner rooms their sources are in. ADDING_A_CHECK.md says how to
// add a check.
//
// To see how it works, read the inner rooms in this order, from the bottom up. Each includes only
// rooms of lower floors.
//
//   numerics/    Numbers whose error is known: measured ones, eigenvalues with bounds, linear programs whose
//                answers are measured against the program. Begin with measured.cpp.
//   claims/      The catalogue's rows, and the frame of every check: verdicts, proofs, studies of runs, the
//                falsifier. Begin with proof.cpp, the one place where numbers become words.
//   kernels/     Tangent kernels of a model by every way, and what its Jacobian says of it.
//                Begin with tangent_kernel.cpp; then structured_kernel.cpp.
//   conditions/  What holds of a function or a net at a point: Jacobians in closed form, rank, PL*.
//                Begin with pl_star.cpp.
//   proxies/     Proxy convexity, surrogates, the theorem about leaky ReLU nets and the margin it speaks of.
//                Begin with homogeneity.cpp, the smallest; then proxy_theorem.cpp.
//   rates/       Rates of methods under conditions, along runs. Begin with pl_rate.cpp.
#pragma once
// clang-format off
// numerics
#include "theory/measured.hpp"            // a number and what may have moved it; inequalities between two
#include "theory/spectrum.hpp"            // eigenvalues with error bounds; positive definiteness proved
#include "theory/linear_program.hpp"      // linear programs with duals and Farkas certificates

// claims
#include "theory/catalogue.hpp"           // every result of the lectures, a row each
#include "theory/verdict.hpp"             // what a check may say; compare; figures and files of a verdict
#include "theory/proof.hpp"               // how a check is built: Proof, and Study for a run that is watched
#include "theory/falsifier.hpp"           // claims about every w, and the search for a counterexample
#include "theory/prove.hpp"               // the same on a box, bisected until they are theorems

// kernels
#include "theory/tangent_kernel.hpp"      // tangent kernels in four ways, and K v without K
#include "theory/enclosed_kernel.hpp"     // tangent kernels in balls; lambda_min(K) > mu proved or refuted
#include "theory/jacobian_summary.hpp"    // rank, conditioning and largest entries of a Jacobian

// conditions
#include "theory/conditions.hpp"          // closed-form Jacobians, rank, PL* at a point

// proxies
#include "theory/proxies.hpp"             // surrogates, proxy convexity, the best proxy, homogeneity
#include "theory/margin.hpp"              // the hard margin of separable data
#include "theory/leaky_relu_problem.hpp"  // a two-layer leaky ReLU net and data that a direction separates
#include "theory/leaky_relu.hpp"          // the leaky ReLU theorem, the perceptron argument

// rates
#include "theory/rates.hpp"               // rates of methods under conditions
// clang-format on
