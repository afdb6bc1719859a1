// Program: what a record says, apart from the tape, so that it can be replayed as often as wanted.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "autodiff/tape/probe.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent::enclosing {

using detail::kNoNode;

/// A recorded operation with its constants, or an input of the tape with its number (op is null).
struct Step {
  const Op* op = nullptr;
  OpAttributes attributes;
  std::vector<std::uint32_t> sources;  // kNoNode: the constant of the same place
  std::vector<Tensor> constants;
  Shape shape;
  Tensor numbers;  // of an input
  // The positions along an axis that this step goes by are those that a maximum's rule took from doubles (1),
  // or a minimum's (-1): they must be those of the largest numbers of its last source.
  int extreme = 0;
};

struct Program {
  std::vector<Step> steps;
  std::uint32_t input = kNoNode;   // w
  std::uint32_t result = kNoNode;  // kNoNode: the result is constant
  Tensor constant;
};

/// Records f at w with all that it does, also within its own derivatives and checkpoints.
Program program_of(VarFunction f, const Tensor& w);

}  // namespace cotangent::enclosing
