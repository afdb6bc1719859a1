// Everything a script needs: one include for all rooms.
#pragma once
#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "report/report.hpp"
#include "enclose/enclose.hpp"
#include "theory/theory.hpp"
