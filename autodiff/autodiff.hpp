// The room autodiff: tensors, the tape, operations, transforms, parameters, per-sample Jacobians. Below are
// its pages in the order to read them. One is not among them: autodiff/xtensor.hpp, the bridge for scripts
// that use xtensor themselves.
//
// To see how it works, read the inner rooms in this order, from the bottom up. Each includes only rooms of
// lower floors (docs/rooms.md draws them).
//
//   memory/      Blocks of numbers with a count, and the cache that gives freed ones out again.
//                Begin with buffer.hpp.
//   kernels/     Loops and library calls on plain numbers, some in a version for each level of processors.
//                Begin with loops.hpp.
//   tensor/      What stands on numbers alone: Tensor, Shape, Params, Rng, text. Begin with tensor.cpp.
//   tape/        The engine, the heart of the library. op_spec.hpp says what an operation is, state.hpp what
//                a tape is made of, record.cpp how an operation enters it; sweep.cpp is the backward pass.
//   files/       .npy and .npz, written in one step and read with suspicion. Begin with npy_format.hpp.
//   ops/         Every operation, each in one place: value, pullback, kink, rule for samples. Begin with
//                power.cpp, the smallest; then products.cpp, where parameters meet data.
//   plan/        Forecasts of operations and memory. Begin with planner.hpp.
//   transforms/  Functions in, derivatives out, all by the backward pass. Begin with transforms.cpp.
//   samples/     Rows of derivatives for all samples together, and the proof that samples stay apart.
//                Begin with sweep.hpp; then analysis.cpp.
//   diagnose/    What watches a tape at work, and says where numbers go wrong. Begin with nonfinite.cpp.
#pragma once
// clang-format off
// Numbers
#include "autodiff/tensor.hpp"                // Tensor: an immutable array of doubles, cheap to copy
#include "autodiff/shape.hpp"                 // Shape and Index: sizes along at most eight axes
#include "autodiff/rng.hpp"                   // Rng: random streams with the same bits everywhere
#include "autodiff/params.hpp"                // Params: one flat vector with a name for each part
#include "autodiff/npz.hpp"                   // named arrays as .npz files
#include "autodiff/print.hpp"                 // print: one line for a script
#include "autodiff/error.hpp"                 // ShapeError, TapeError, DomainError
#include "autodiff/function.hpp"              // FunctionRef and Function: callables in signatures
#include "autodiff/memory.hpp"                // how much freed memory a thread keeps for reuse
#include "autodiff/provenance.hpp"            // what a number was computed with

// Recording
#include "autodiff/var.hpp"                   // Var: a tensor that knows where it was recorded
#include "autodiff/ops.hpp"                   // every operation on Vars: the reference page
#include "autodiff/matmul_options.hpp"        // transposes and a factor for matrix products
#include "autodiff/tape.hpp"                  // Tape: the record, and derivatives by what is on it
#include "autodiff/checkpoint.hpp"            // a part computed twice instead of kept
#include "autodiff/custom_op.hpp"             // operations of a script's own
#include "autodiff/op.hpp"                    // what the rules of such an operation are given

// Derivatives of functions
#include "autodiff/transforms.hpp"            // grad, vjp, jvp, jacobian, hvp, hessian
#include "autodiff/curvature.hpp"             // Gauss-Newton products, derivatives along a direction
#include "autodiff/linearize.hpp"             // the first-order model of a function around a point

// Derivatives of each sample
#include "autodiff/sample_functions.hpp"      // models, and losses of samples
#include "autodiff/jacobian.hpp"              // per_sample_jacobian, and a Jacobian with names
#include "autodiff/per_sample_gradients.hpp"  // gradients of a loss for each sample, their lengths
#include "autodiff/plan.hpp"                  // what each way to a result needs of time and memory

// Diagnosis
#include "autodiff/check_gradient.hpp"        // derivatives against differences
#include "autodiff/kinks.hpp"                 // how far a point is from the kinks of a function
#include "autodiff/rounding.hpp"              // how far rounding may have moved a computed number
#include "autodiff/nonfinite.hpp"             // which operation first made a NaN or an infinity
#include "autodiff/explore.hpp"               // every operation of a record with size, time, gradient
// clang-format on
