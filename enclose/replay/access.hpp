// The balls behind an Enclosure.
#pragma once
#include "enclose/rules/rules.hpp"

namespace cotangent {

class Enclosure;

struct EnclosureAccess {
  static Enclosure of(const enclosing::Balls& balls, const enclosing::Account& account);
  static const enclosing::Balls& balls(const Enclosure& e);
  /// Throws: ShapeError if there is no number k.
  static arb_ptr ball(const Enclosure& e, Index k);
};

}  // namespace cotangent
