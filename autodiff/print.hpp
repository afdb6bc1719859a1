// print: one line for a script, without <iostream>.
#pragma once
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "autodiff/tensor.hpp"

namespace cotangent {

/// The shortest text that reads back as the same number: "0.1", "nan", "1e-300".
std::string to_string(double value);
/// NumPy-like text; if there are more than `shorten_above` numbers, only the ends of long axes are shown.
std::string to_string(const Tensor& tensor, Index shorten_above = 1000);

namespace detail {
void print_line(std::initializer_list<std::string> pieces);
inline std::string text_of(std::string_view s) { return std::string(s); }
inline std::string text_of(const char* s) { return s; }
std::string text_of_list(std::span<const double> numbers);
std::string text_of_list(std::span<const Index> numbers);
template <class T>
std::string text_of(const T& value) {
  if constexpr (std::is_same_v<T, bool>)
    return value ? "true" : "false";
  else if constexpr (std::is_integral_v<T>)
    return std::to_string(value);
  else if constexpr (std::is_floating_point_v<T>)
    return cotangent::to_string(static_cast<double>(value));
  else if constexpr (std::is_convertible_v<const T&, std::string_view>)
    return std::string(std::string_view(value));
  else if constexpr (std::is_enum_v<T>)
    return to_string(value);
  else if constexpr (std::is_convertible_v<const T&, std::span<const double>>)
    return text_of_list(std::span<const double>(value));
  else if constexpr (std::is_convertible_v<const T&, std::span<const Index>>)
    return text_of_list(std::span<const Index>(value));
  else
    return value.to_string();  // Tensor, Params, Shape, Var, Jacobian, anything that has it
}
}  // namespace detail

/// Writes its arguments to standard output, separated by spaces, and ends the line: text, numbers, lists of
/// numbers such as std::vector<double>, reasons and outcomes, and all that has a to_string().
template <class... T>
void print(const T&... values) {
  detail::print_line({detail::text_of(values)...});
}

}  // namespace cotangent
