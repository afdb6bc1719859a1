// Data made on demand: labelled points of the plane, separable points, the
// sphere, a teacher network's answers.
//
// Points come from Rng, + - * / and sqrt only, so that every compiler makes the same bits, unless it says so.
// Point i of a set with C classes is of class i mod C. Without noise the same points come from the same Rng.
#pragma once
#include "autodiff/rng.hpp"
#include "autodiff/tape.hpp"
#include "autodiff/tensor.hpp"
#include "nn/module.hpp"

namespace cotangent::nn {

/// Points and what is to be learnt of them.
///
/// Shapes: x [n, d]; y [n, 1] where labels are -1 and +1 (for logistic, hinge, exponential with a net of one
/// output), [n] where they are classes 0 .. C-1 (for cross_entropy), [n, C] where they are numbers.
struct Labelled {
  Tensor x;
  Tensor y;
};

/// Labels -1 and +1 as classes 0 and 1, and back. Shapes: [n, 1] <-> [n].
/// Throws: ShapeError for other shapes, DomainError for other labels.
Tensor to_classes(const Tensor& signs);
Tensor to_signs(const Tensor& classes);

/// n points uniform on the unit sphere S^{d-1}: normal vectors over their length. Shapes: -> [n, d].
///
/// Every length is 1 within 4e-16. Throws: DomainError unless n, d >= 1.
Tensor sphere(Rng& rng, Index n, Index d);

struct SeparableOptions {
  Index n = 100;
  Index d = 2;
  double margin = 0.1;
};

struct Separable {
  Tensor x;
  Tensor y;
  /// The unit vector v* that separates them, [d].
  Tensor direction;
};

/// Points of the unit ball with y_i <v*, x_i> >= margin for a random unit vector v*, uniform in what that
/// leaves of the ball; one of them, at a random place, has exactly this margin.
///
/// The inequality holds for the numbers as they are stored, were they multiplied out without
/// rounding, and the least y_i <v*, x_i> exceeds margin by less than 1e-15; lengths of x_i and v*
/// are at most 1 + 1e-15. Labels are fair coins, except that both occur if n >= 2. Another direction
/// may have a larger margin than v*.
/// Shapes: x [n, d], y [n, 1], direction [d].
/// Cost: O(n d), whatever the margin.
/// Throws: DomainError unless n, d >= 1 and 0 < margin <= 1.
Separable separable(Rng& rng, const SeparableOptions& options);

struct TwoMoonsOptions {
  Index n = 200;
  /// Deviation of the normal numbers added to every coordinate, here and below.
  double noise = 0.0;
};

/// Two half circles that reach into each other: (c, s) with label -1 and (1 - c, 1/2 - s) with label +1,
/// where (c, s) is uniform on the upper half of the unit circle.
///
/// Shapes: x [n, 2], y [n, 1]. Throws: DomainError unless n >= 1, noise >= 0 and finite.
Labelled two_moons(Rng& rng, const TwoMoonsOptions& options = {});

struct CirclesOptions {
  Index n = 200;
  /// Radius of the inner circle.
  double inner = 0.5;
  double noise = 0.0;
};

/// Uniform on two circles around 0: radius 1 with label -1, radius `inner` with label +1.
///
/// Shapes: x [n, 2], y [n, 1]. Throws: DomainError unless n >= 1, 0 < inner < 1, noise >= 0 and finite.
Labelled circles(Rng& rng, const CirclesOptions& options = {});

struct SpiralsOptions {
  Index n = 300;
  /// Number of spirals, which are the classes.
  Index arms = 3;
  /// How often each goes around 0.
  double turns = 1.0;
  double noise = 0.0;
};

/// Archimedes' spirals: r (cos a, sin a) with a = 2 pi (turns r + k / arms) and r
/// uniform in [0, 1) for class k.
///
/// Uses the math library's sin and cos, whose last bits may differ from one machine to another.
/// Shapes: x [n, 2], y [n] of classes 0 .. arms-1.
/// Throws: DomainError unless n, arms >= 1, turns is finite, noise >= 0 and finite.
Labelled spirals(Rng& rng, const SpiralsOptions& options = {});

enum class InputDistribution { normal, sphere };

struct TeacherStudentOptions {
  Index n = 100;
  Index d = 2;
  /// N(0, I), or uniform on the unit sphere.
  InputDistribution inputs = InputDistribution::normal;
  /// Deviation of the normal numbers added to every answer.
  double noise = 0.0;
};

/// y = teacher(w, x) + noise * N(0, I): inputs and a network's answers to them.
///
/// y has the bits the module's operations give it; x and the noise do not depend on the module. Nothing is
/// recorded: a tracked w counts as its value.
/// Shapes: x [n, d], w [teacher.num_params()], y as the teacher's output.
/// Throws: DomainError unless n, d >= 1, noise >= 0 and finite; what the teacher throws.
Labelled teacher_student(Rng& rng, const Module& teacher, const Var& w, const TeacherStudentOptions& options);

}  // namespace cotangent::nn
