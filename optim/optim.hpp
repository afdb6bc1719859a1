// The room optim: objectives, the loop and its observers, optimizers, schedules. Below are its pages in the
// order to read them.
#pragma once
// clang-format off
#include "optim/objective.hpp"    // f(w) = (1/n) sum_i f_i(w), and the batches it is estimated on
#include "optim/first_order.hpp"  // gradient descent, full and stochastic, with momentum
#include "optim/schedule.hpp"     // the step size as a function of the iteration
#include "optim/optimizer.hpp"    // the loop that all optimizers share: observers, trace, reasons to stop
// clang-format on
