// The text of a number, and lines on standard output.
#include "autodiff/print.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace cotangent {

std::string to_string(double value) {
  if (std::isnan(value)) return "nan";  // without the sign some of them carry
  char text[32];
  const std::to_chars_result end = std::to_chars(text, text + sizeof text, value);
  return std::string(text, end.ptr);
}

namespace detail {

std::string text_of_list(std::span<const double> numbers) {
  return Tensor::from(numbers, Shape{static_cast<Index>(numbers.size())}).to_string();
}

std::string text_of_list(std::span<const Index> numbers) {
  constexpr std::size_t kMost = 1000, kEnd = 3;  // as of tensors
  std::string text = "[";
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    if (k > 0) text += ' ';
    if (numbers.size() > kMost && k == kEnd) {
      text += "... ";
      k = numbers.size() - kEnd;
    }
    text += std::to_string(numbers[k]);
  }
  return text + ']';
}

void print_line(std::initializer_list<std::string> pieces) {
  std::string line;
  for (const std::string& piece : pieces) {
    if (&piece != pieces.begin()) line += ' ';
    line += piece;
  }
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);  // what was printed is not lost with a program that ends by an exception
}

}  // namespace detail
}  // namespace cotangent
