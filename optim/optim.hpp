// The room optim: objectives, optimizers and the three parts each of them is made of, the loop and its
// observers. Below are its pages in the order to read them. Behind them, from the ground up:
//
//   objective/  Batches, finite sums, problems, divisions of the samples.
//   loop/       One run, iteration by iteration: steps by schedule, state, trace. Begin with loop.cpp.
//   parts/      Estimators, rules, moves and step sizes, each a class of some lines.
//               Begin with momentum.cpp, the smallest; then variance_reduced.cpp.
//   methods/    Optimizers with names, as choices of parts.
//   tuning/     What is done with optimizers: finding a step, a quick start, comparing.
#pragma once
// clang-format off
#include "optim/objective.hpp"           // f(w) = (1/n) sum_i f_i(w), and the batches it is estimated on
#include "optim/data.hpp"                // samples for training, validation and test, and folds
#include "optim/first_order.hpp"         // gradient descent, full and stochastic, with momentum
#include "optim/adaptive.hpp"            // Adam, AdamW, RMSProp, AdaGrad
#include "optim/variance_reduction.hpp"  // SVRG, SAGA, PAGE; descent by values alone
#include "optim/second_order.hpp"        // L-BFGS, Newton, Gauss-Newton; Nesterov's acceleration, heavy ball
#include "optim/constrained.hpp"         // proximal and Frank-Wolfe steps, the sphere, perturbed descent
#include "optim/problems.hpp"            // objectives of which much is known
#include "optim/tuning.hpp"             // the largest stable step, a quick start, optimizers side by side
#include "optim/schedule.hpp"            // the step size, by the iteration or by what the run sees
#include "optim/optimizer.hpp"           // any choice of parts, and its use
#include "optim/recipe.hpp"              // what a choice of parts is, and when it ends
#include "optim/run_options.hpp"         // the options that every optimizer has
#include "optim/loop.hpp"                // one run: observers, trace, reasons to stop, its result
#include "optim/observers.hpp"           // monitors, early stopping, the best point, logs, checkpoints
#include "optim/estimators.hpp"          // parts: how a run learns f's gradient
#include "optim/rules.hpp"               // parts: which direction to take
#include "optim/moves.hpp"               // parts: how a direction leads to the next point
#include "optim/contract.hpp"            // what a part is, for one's own
#include "optim/oracle.hpp"              // f as the parts see it, with the account of what they ask
#include "optim/state.hpp"               // what parts keep, walked by name
// clang-format on
