// Tensor: an immutable, dense, row-major array of doubles that is cheap to copy.
#pragma once
#include <cassert>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "autodiff/memory/buffer.hpp"
#include "autodiff/shape.hpp"

namespace cotangent {

namespace detail {
struct TensorAccess;
/// A number, or a list of such: what stands between the braces of Tensor{{1, 2}, {3, 4}}, at any depth.
struct Number {
  template <class T>
  requires std::is_arithmetic_v<T> Number(T of)  // NOLINT(google-explicit-constructor)
  noexcept : number(static_cast<double>(of)) {}
  Number(std::initializer_list<Number> of) noexcept : list(of), is_list(true) {}
  double number = 0.0;
  std::initializer_list<Number> list = {};
  bool is_list = false;
};
}  // namespace detail

/// Dense row-major array of doubles. Copies share the numbers, which never change after construction; slices
/// of leading rows and reshapes share them too. May be read from any thread.
class Tensor {
 public:
  /// The empty tensor, shape [0].
  Tensor() noexcept : shape_(Shape::empty()) {}
  /// From lists nested up to eight deep, which is the rank: Tensor{1, 2} is [2], Tensor{{1, 2}, {3, 4}} is
  /// [2, 2], Tensor{{{1}}} is [1, 1, 1]. Throws: ShapeError if lists beside each other differ in length or
  /// depth.
  Tensor(std::initializer_list<detail::Number> list);

  static Tensor scalar(double value);
  static Tensor full(const Shape& shape, double value);
  static Tensor zeros(const Shape& shape) { return full(shape, 0.0); }
  static Tensor ones(const Shape& shape) { return full(shape, 1.0); }
  /// The n x n identity.
  static Tensor eye(Index n);
  /// count evenly spaced numbers from first to last, both included. Throws: DomainError if count < 2.
  static Tensor linspace(double first, double last, Index count);
  /// A copy of `values` with the given shape. Throws: ShapeError if the sizes differ.
  static Tensor from(std::span<const double> values, const Shape& shape);

  Tensor(const Tensor& other) noexcept : buffer_(other.buffer_), data_(other.data_), shape_(other.shape_) {
    detail::retain(buffer_);
  }
  Tensor(Tensor&& other) noexcept : buffer_(other.buffer_), data_(other.data_), shape_(other.shape_) {
    other.forget();
  }
  Tensor& operator=(const Tensor& other) noexcept {  // NOLINT(bugprone-unhandled-self-assignment)
    detail::retain(other.buffer_);
    detail::release(buffer_);
    buffer_ = other.buffer_;
    data_ = other.data_;
    shape_ = other.shape_;
    return *this;
  }
  Tensor& operator=(Tensor&& other) noexcept {
    if (this == &other) return *this;
    detail::release(buffer_);
    buffer_ = other.buffer_;
    data_ = other.data_;
    shape_ = other.shape_;
    other.forget();
    return *this;
  }
  ~Tensor() { detail::release(buffer_); }

  const Shape& shape() const noexcept { return shape_; }
  int rank() const noexcept { return shape_.rank(); }
  Index size() const noexcept { return shape_.size(); }
  Index size(int axis) const { return shape_[axis]; }

  /// One element, t(i, j). Throws: ShapeError on a wrong number of indices or one out of range.
  template <class... I>
  double operator()(I... index) const {
    const Index list[] = {static_cast<Index>(index)..., 0};
    return at(std::span<const Index>(list, sizeof...(I)));
  }
  double at(std::span<const Index> index) const;
  /// The only element. Throws: ShapeError unless size() is 1.
  double item() const;
  /// Element k in row-major order, for 0 <= k < size(), which only Debug looks at: for
  /// loops over all elements.
  double flat(Index k) const noexcept {
    assert(k >= 0 && k < size());
    return data_[k];
  }
  /// All elements in row-major order; valid while a tensor sharing them lives.
  std::span<const double> data() const noexcept { return {data_, static_cast<std::size_t>(size())}; }

  /// The same numbers in another shape of equal size. Cost: O(1). Throws: ShapeError.
  Tensor reshape(const Shape& shape) const;
  /// Rows first <= i < last along axis 0. Cost: O(1). Throws: ShapeError.
  Tensor rows(Index first, Index last) const;

  /// NumPy-like text; long axes are shortened by "...".
  std::string to_string() const;

 private:
  friend struct detail::TensorAccess;
  Tensor(detail::Buffer* buffer, double* data, const Shape& shape) noexcept
      : buffer_(buffer), data_(data), shape_(shape) {}
  static Tensor uninitialized(const Shape& shape) {
    double* data = nullptr;
    detail::Buffer* buffer = detail::acquire_buffer(static_cast<std::size_t>(shape.size()), data);
    return Tensor(buffer, data, shape);
  }
  Tensor view(Index offset, const Shape& shape) const noexcept {
    detail::retain(buffer_);
    return Tensor(buffer_, data_ + offset, shape);
  }
  void forget() noexcept {
    buffer_ = nullptr;
    data_ = nullptr;
    shape_.make_empty();
  }

  detail::Buffer* buffer_ = nullptr;
  double* data_ = nullptr;
  Shape shape_;
};

/// Exactly the same shape and the same numbers (NaN equals nothing).
bool equal(const Tensor& a, const Tensor& b) noexcept;

/// Writes or reads one array as NumPy's `.npy`. Saving replaces an existing file in one step
/// or leaves it untouched.
///
/// load reads f4, f8, integers and bool, both byte orders, C and Fortran order, format versions 1 to 3.
/// Throws: DomainError naming the file and what is wrong with it.
void save(const std::string& path, const Tensor& tensor);
Tensor load(const std::string& path);

}  // namespace cotangent
