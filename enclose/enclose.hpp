// enclose: proven bounds of what a function is, not of what rounding made of it.
//
// A function is recorded as any transform records it, and its record is computed once more in ball arithmetic
// with outward rounding: midpoints and radii by Arb. Numbers that leave the record are exact data: what
// value(), item() or a branch of the script takes out of it, and literals like std::log(2.0).
// log(lift(2.0, w)) stays on it.
#pragma once

#include "enclose/definiteness.hpp"  // enclosed matrices: positive definite or not, Rayleigh quotients
#include "enclose/enclosure.hpp"     // enclose: lower and upper bounds of every number of a result
#include "enclose/formula.hpp"       // elementwise, RealBall: enclosures of a script's own operations
