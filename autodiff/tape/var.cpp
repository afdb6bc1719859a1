// What of a Var is not the tape's business: its text, and values that no tape knows.
#include "autodiff/var.hpp"

#include "autodiff/params.hpp"

namespace cotangent {

Var::Var(const Params& params) : value_(params.flat()) {}
std::string Var::to_string() const { return value_.to_string(); }

Var detach(const Var& x) { return Var(x.value()); }

}  // namespace cotangent
