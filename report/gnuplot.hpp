// gnuplot: the style every figure has, and how a script becomes a file. For the room's own figures.
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "report/figure.hpp"

namespace cotangent::report {

/// How a curve looks; what gnuplot calls lc, dt and pt.
struct LineStyle {
  std::string_view colour;
  std::string_view dashes;
  int marker = 0;  // 0 is none
};

/// The style of series `index` of a figure, the `nth` one of its kind (both from 0).
LineStyle line_style(Line line, std::size_t index, std::size_t nth);

/// Colours of curves in the order of their use, and of heat maps from the least to the greatest value.
inline constexpr std::array<std::string_view, 5> kColours = {"#10284f", "#d9731a", "#2d6fb3", "#8f1f3a",
                                                             "#e3ab2e"};
inline constexpr std::array<std::string_view, 7> kPalette = {"#0a1f44", "#2d4470", "#5a6076", "#7d7c74",
                                                             "#a89a5f", "#d5bd48", "#fde85a"};

/// Text as a literal of gnuplot's: one line of valid UTF-8 in single quotes, inside of which gnuplot gives
/// nothing but the quote a meaning.
std::string quoted(std::string_view text);

/// What an axis holds so far.
class Extent {
 public:
  void include(double value) {
    if (value < low_) low_ = value;
    if (value > high_) high_ = value;
  }
  /// A range for an axis: `fixed`, or all that was included and `margin` of it on both sides.
  Range range(bool log, const std::optional<Range>& fixed, double margin) const;

 private:
  double low_ = 1e308;
  double high_ = -1e308;
};

/// Whether gnuplot can place a value: finite, not beyond 1e300 and, on a logarithmic axis, above 1e-300.
bool drawable(double value, bool log) noexcept;

/// "set xrange ..." with the ticks of a logarithmic axis. `axis` is "x", "y" or "cb".
std::string axis_script(std::string_view axis, const Range& range, bool log, std::string_view label);

std::string label_script(std::string_view axis, std::string_view label);

/// A legend under the figure.
std::string legend_script();

struct Canvas {
  const char* operation;
  const std::string& path;
  Index width;
  Index height;
  double seconds;
};

/// Throws: DomainError unless the ending is .svg or .png, size and time fit and every given range is one.
void check_figure(const Canvas& canvas);
void check_range(const char* operation, std::string_view axis, const std::optional<Range>& range, bool log);

/// Has gnuplot draw `script`, which may end with data of its last command, on the canvas and puts the picture
/// in its place. The canvas is checked already.
Drawn draw(const Canvas& canvas, std::string_view title, std::string_view script, std::string note);

}  // namespace cotangent::report
