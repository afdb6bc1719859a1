// The text of a tensor: aligned columns like NumPy's, eight digits, long axes shortened.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "autodiff/print.hpp"
#include "autodiff/tensor.hpp"

namespace cotangent {
namespace {

constexpr Index kEdge = 3;
constexpr std::size_t kLineWidth = 100;
constexpr int kDigits = 8;

class Printer {
 public:
  Printer(const Tensor& tensor, Index shorten_above)
      : tensor_(tensor), shorten_(tensor.size() > shorten_above) {
    visit(0, 0);
    choose_format();
  }

  std::string text() {
    append(0, 0);
    return std::move(out_);
  }

 private:
  /// Positions shown along an axis; -1 stands for "...".
  std::vector<Index> shown(int axis) const {
    const Index size = tensor_.size(axis);
    std::vector<Index> list;
    for (Index i = 0; i < size; ++i) {
      if (shorten_ && size > 2 * kEdge && i == kEdge) {
        list.push_back(-1);
        i = size - kEdge;
      }
      list.push_back(i);
    }
    return list;
  }

  /// Collects the numbers that will be shown.
  void visit(int axis, Index offset) {
    for (const Index i : shown(axis)) {
      if (i < 0) continue;
      const Index position = offset * tensor_.size(axis) + i;
      if (axis + 1 < tensor_.rank())
        visit(axis + 1, position);
      else
        numbers_.push_back(tensor_.flat(position));
    }
  }

  /// One format for all numbers: fixed point unless they are huge, tiny or far apart.
  void choose_format() {
    double largest = 0.0, smallest = INFINITY;
    for (const double x : numbers_) {
      if (!std::isfinite(x) || x == 0.0) continue;
      largest = std::max(largest, std::abs(x));
      smallest = std::min(smallest, std::abs(x));
    }
    scientific_ = largest >= 1e8 || (largest > 0.0 && (smallest < 1e-4 || largest / smallest > 1e3));
    for (const double x : numbers_) {
      if (!std::isfinite(x)) continue;
      const std::string digits =
          scientific_ ? fmt::format("{:.{}e}", x, kDigits) : fmt::format("{:.{}f}", x, kDigits);
      const std::size_t point = digits.find('.');
      const std::size_t last = digits.find_last_not_of('0', point + kDigits);
      precision_ = std::max(precision_, static_cast<int>(last - point));
    }
    for (const double x : numbers_) width_ = std::max(width_, number(x).size());
  }

  std::string number(double x) const {
    if (!std::isfinite(x)) return cotangent::to_string(x);
    if (scientific_) return fmt::format("{:#.{}e}", x, precision_);
    std::string text = fmt::format("{:#.{}f}", x, precision_);
    const std::size_t end = text.find_last_not_of('0') + 1;
    return text.replace(end, text.size() - end, text.size() - end, ' ');  // points stay aligned
  }

  void append(int axis, Index offset) {
    const bool innermost = axis + 1 == tensor_.rank();
    const std::string indent(static_cast<std::size_t>(axis) + 1, ' ');
    std::size_t line_begin = out_.rfind('\n') + 1;  // 0 without a line end
    out_ += '[';
    bool first = true;
    for (const Index i : shown(axis)) {
      const Index position = offset * tensor_.size(axis) + i;
      if (innermost) {
        const std::string item = i < 0 ? "..." : fmt::format("{:>{}}", number(numbers_at(position)), width_);
        if (!first && out_.size() - line_begin + 1 + item.size() + 1 > kLineWidth) {
          out_ += '\n';
          line_begin = out_.size();
          out_ += indent;
        } else if (!first) {
          out_ += ' ';
        }
        out_ += item;
      } else {
        if (!first) out_ += std::string(static_cast<std::size_t>(tensor_.rank() - 1 - axis), '\n') + indent;
        if (i < 0)
          out_ += "...";
        else
          append(axis + 1, position);
      }
      first = false;
    }
    out_ += ']';
  }

  double numbers_at(Index position) const { return tensor_.flat(position); }

  const Tensor& tensor_;
  bool shorten_;
  std::vector<double> numbers_;
  bool scientific_ = false;
  int precision_ = 0;
  std::size_t width_ = 0;
  std::string out_;
};

}  // namespace

std::string to_string(const Tensor& tensor, Index shorten_above) {
  if (tensor.size() == 0) return tensor.rank() == 1 ? "[]" : "[] of shape " + tensor.shape().to_string();
  if (tensor.rank() == 0) return to_string(tensor.item());
  return Printer(tensor, shorten_above).text();
}

std::string Tensor::to_string() const { return cotangent::to_string(*this); }

}  // namespace cotangent
