// IDX, the file format of MNIST and its relatives, plain or gzipped.
#pragma once
#include <string>

#include "autodiff/tensor.hpp"

namespace cotangent::nn {

/// An IDX file as numbers; u8, i8, i16, i32, f4 and f8 are read, whether packed by gzip or not: in one member
/// or several, and padded with zeros, as gzip itself takes it.
///
/// Throws: DomainError "[read_idx] path: what; fix" for a missing file, a wrong magic number, a header that
/// does not fit the bytes that follow, or damaged gzip data.
Tensor read_idx(const std::string& path);

/// Images and what they show. Shapes: images [n, 784], from 0 to 1; labels [n], whole numbers 0 to 9.
struct Digits {
  Tensor images;
  Tensor labels;
};

struct Mnist {
  Digits train;
  Digits test;
};

/// The four files train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, or the same names with .gz, in `directory`.
///
/// Throws: DomainError as read_idx, for images that are not 28 x 28, and for counts of
/// images and labels that differ.
Mnist read_mnist(const std::string& directory);

}  // namespace cotangent::nn
