// The room optim: objectives, the loop and its observers, optimizers, schedules.
#pragma once
#include "optim/first_order.hpp"
#include "optim/objective.hpp"
#include "optim/optimizer.hpp"
#include "optim/schedule.hpp"
