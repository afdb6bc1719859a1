// Digits for lessons that train: drawn ones for where there is no data, and images moved at random.
#pragma once
#include <string>

#include "autodiff/rng.hpp"
#include "nn/generators.hpp"
#include "nn/idx.hpp"
#include "optim/optimizer.hpp"

namespace cotangent::examples {

/// n digits of 28 x 28 pixels, each drawn with strokes of a random hand: the classes come equally often and
/// in random order; shift, size, slant, turn, bend, pen and ink differ from image to image, four of the
/// digits have two ways to be written, and noise lies over all.
///
/// Shapes: images [n, 784], from 0 to 1; labels [n]. Throws: DomainError unless n >= 1.
nn::Digits drawn_digits(Index n, Rng& rng);

/// The digits 0 and 1 out of the first n, as labels -1 and +1: MNIST's training digits where `data` names
/// their folder, else drawn ones. Pixels are scaled so that the longest image has length 1.
///
/// Shapes: x [k, 784], y [k, 1]. Throws: as read_mnist; DomainError if there is neither digit.
nn::Labelled two_digits(const std::string& data, Index n, Rng& rng);

/// Largest motion of an image; each is drawn uniformly between minus and plus that.
struct Motion {
  double shift = 2.0;   // pixels, in x and in y
  double turn = 0.15;   // radians
  double scale = 0.1;   // share of the size
  double slant = 0.15;  // x moves by this share of y
};

/// Every image moved by its own random motion about its centre, read between pixels by bilinear
/// interpolation; what comes in from outside is 0.
///
/// Shapes: images [n, 784] -> [n, 784]. Throws: ShapeError.
Tensor moved(const Tensor& images, const Motion& motion, Rng& rng);

/// How often each class is answered for each: entry (i, j) counts the samples of class i whose largest logit
/// is the j-th.
///
/// Shapes: logits [n, C], labels [n] -> [C, C]. Throws: ShapeError; DomainError on a label that is no class.
Tensor confusion(const Tensor& logits, const Tensor& labels);

/// Those of the images whose largest logit is not the label's, at most `most`, side by side, `across` in a
/// row; empty places are 0.
///
/// Shapes: images [n, 784], logits [n, C], labels [n] -> [28 rows, 28 across].
/// Throws: ShapeError; DomainError unless most and across are 1 or more.
Tensor mistaken(const Tensor& images, const Tensor& logits, const Tensor& labels, Index most, Index across);

/// Training images that move anew after each epoch, so that a network hardly sees the same one twice.
class MovingImages : public optim::Observer {
 public:
  MovingImages(Tensor images, const Motion& motion, Rng rng);
  /// The images of this epoch.
  const Tensor& now() const noexcept { return now_; }
  optim::Flow on_epoch(const optim::View&) override;

 private:
  Tensor original_;
  Motion motion_;
  Rng rng_;
  Tensor now_;
};

}  // namespace cotangent::examples
