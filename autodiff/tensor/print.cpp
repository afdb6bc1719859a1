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
