// The three errors a script can meet. Texts start with the operation or the module's path in brackets, give
// every shape involved and end with the likely fix; they are thrown before any work is done.
#pragma once
#include <stdexcept>
#include <string>

namespace cotangent {

/// Sizes, ranks or axes that do not fit together.
class ShapeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A variable used where its tape cannot serve it: after the tape's end, on another tape, or
/// not influencing a result.
class TapeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A value outside the domain of what was asked: labels, options, files, numbers.
class DomainError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace cotangent
