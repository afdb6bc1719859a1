// The style of all figures; scripts to gnuplot, pictures from it.
#include "report/gnuplot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <optional>
#include <span>

#include "autodiff/error.hpp"
#include "autodiff/files/files.hpp"
#include "report/child_process.hpp"
#include "report/text.hpp"

namespace cotangent::report {
namespace {

constexpr std::array<int, 4> kFilledMarkers = {7, 5, 9, 13};  // disc, square, triangle, diamond
constexpr std::array<int, 4> kOpenMarkers = {6, 4, 8, 12};

// Sizes are for a figure of 600 pixels that may be shown on a screen of 400.
constexpr std::string_view kStyle = R"(set output
set encoding utf8
set border 3 linecolor rgb '#5f656e' linewidth 1
set tics nomirror out scale 0.5,0.25 textcolor rgb '#24272c'
set xtics offset 0,0.3
set grid xtics ytics back linetype 1 dashtype solid linecolor rgb '#e3e6ea' linewidth 0.8
unset key
)";

bool is_svg(std::string_view path) { return path.ends_with(".svg"); }

/// "10⁻³".
std::string power_of_ten(int exponent) {
  constexpr std::array<std::string_view, 10> kDigits = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "10⁻" : "10";
  for (const char digit : std::to_string(std::abs(exponent)))
    text += kDigits[static_cast<std::size_t>(digit - '0')];
  return text;
}

/// At most seven labelled powers of ten, and unlabelled ticks between where there is room.
std::string log_ticks(std::string_view axis, const Range& range) {
  const int first = static_cast<int>(std::ceil(std::log10(range.from) - 1e-9)),
            last = static_cast<int>(std::floor(std::log10(range.to) + 1e-9));
  const int stride = std::max(1, (last - first + 7) / 7);
  std::string list;
  const auto tick = [&](std::string_view label, double at, int level) {
    list += fmt::format("{}'{}' {:.17g} {}", list.empty() ? "" : ", ", label, at, level);
  };
  for (int k = first - 1; k <= last; ++k) {
    const double power = std::pow(10.0, k);
    if (k >= first)
      tick((k - first) % stride == 0 ? power_of_ten(k) : "", power, (k - first) % stride ? 1 : 0);
    for (int digit = 2; digit < 10 && stride == 1; ++digit)
      if (digit * power > range.from && digit * power < range.to) tick("", digit * power, 1);
  }
  return fmt::format("set {}tics ({})\n", axis, list);
}

std::string terminal(const Canvas& canvas) {
  return is_svg(canvas.path)
             ? fmt::format(
                   "set terminal svg size {},{} fixed standalone noenhanced font 'sans-serif,16' "
                   "background rgb 'white'\n",
                   canvas.width, canvas.height)
             : fmt::format(
                   "set terminal pngcairo size {},{} noenhanced dashlength 2 font 'Sans,12' background rgb "
                   "'white'\n",
                   canvas.width, canvas.height);
}

/// Whether a picture begins and ends as its format does.
bool is_picture(std::string_view path, std::string_view picture) {
  using namespace std::string_view_literals;
  if (!is_svg(path))
    return picture.starts_with("\x89PNG\r\n\x1a\n"sv) && picture.ends_with("\0\0\0\0IEND\xae\x42\x60\x82"sv);
  while (!picture.empty() && std::isspace(static_cast<unsigned char>(picture.back())))
    picture.remove_suffix(1);
  return picture.starts_with("<?xml") && picture.find("<svg") != picture.npos && picture.ends_with("</svg>");
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// The title for readers that speak; the cells of a heat map sharp when they are enlarged.
void improve_svg(std::string& svg, std::string_view title) {
  if (const std::string mark = "<title>Gnuplot</title>"; svg.find(mark) != std::string::npos)
    svg.replace(svg.find(mark), mark.size(), "<title>" + html(one_line(clean(title))) + "</title>");
  replace_all(svg, "<image ", "<image image-rendering='optimizeSpeed' style='image-rendering:pixelated' ");
}

void say_missing(const std::string& path) {
  std::fprintf(stderr,
               "%s is not drawn: there is no gnuplot on PATH; install the Debian package gnuplot-nox\n",
               path.c_str());
}

}  // namespace

LineStyle line_style(Line line, std::size_t index, std::size_t nth) {
  LineStyle style{.colour = kColours[index % kColours.size()], .dashes = "solid", .marker = 0};
  if (line == Line::points) {
    style.marker = kFilledMarkers[nth % kFilledMarkers.size()];
    return style;
  }
  if (line == Line::predicted) style.dashes = "(12,6)";
  if (line == Line::reference) style.dashes = "(3,5)";
  if (nth > 0) style.marker = kOpenMarkers[(nth - 1) % kOpenMarkers.size()];
  return style;
}

std::string quoted(std::string_view text) {
  // In double quotes, with everything that could mean something to gnuplot as an octal number.
  std::string out = "\"";
  for (const char c : one_line(clean(text))) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x80 || std::isalnum(byte) ||
                       std::string_view(" .,:;()[]=+-*/<>|_^").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("\\{:03o}", static_cast<unsigned>(byte));
  }
  return out + "\"";
}

Range Extent::range(bool log, const std::optional<Range>& fixed, double margin) const {
  if (fixed) return *fixed;
  if (low_ > high_) return log ? Range{0.1, 10.0} : Range{0.0, 1.0};
  if (log) {
    // Two labelled powers of ten at least.
    const double low = std::log10(low_), high = std::log10(high_);
    if (std::floor(high) - std::ceil(low) < 1.0)
      return {std::pow(10.0, std::ceil(low) - 1.0),
              std::pow(10.0, std::max(std::floor(high) + 1.0, std::ceil(low)))};
    const double more = margin * (high - low);
    return {std::pow(10.0, std::max(low - more, -305.0)), std::pow(10.0, std::min(high + more, 305.0))};
  }
  const double size = std::max(std::fabs(low_), std::fabs(high_));
  double more = margin * (high_ - low_);
  if (!(high_ - low_ > std::max(1e-5 * size, 1e-290))) more = size > 1e-290 ? 0.1 * size : 1.0;
  return {low_ - more, high_ + more};
}

bool drawable(double value, bool log) noexcept {
  return std::fabs(value) <= 1e300 && (!log || value >= 1e-300);
}

std::string axis_script(std::string_view axis, const Range& range, bool log, std::string_view label) {
  std::string text = fmt::format("set {}range [{:.17g}:{:.17g}] noextend\n", axis, range.from, range.to);
  if (log) text += fmt::format("set logscale {}\n{}", axis, log_ticks(axis, range));
  text += label_script(axis, label);
  return text;
}

std::string label_script(std::string_view axis, std::string_view label) {
  if (label.empty()) return {};
  return fmt::format("set {}label {}{} textcolor rgb '#24272c'\n", axis, quoted(label),
                     axis == "x" ? " offset 0,0.6" : "");
}

std::string legend_script() {
  return "set key bmargin center horizontal Left reverse noautotitle samplen 2.5 width 0 height 0.6 "
         "textcolor rgb '#24272c'\n";
}

void check_figure(const Canvas& canvas) {
  const auto& [operation, path, width, height, seconds] = canvas;
  if (!is_svg(path) && !path.ends_with(".png"))
    throw DomainError(
        fmt::format("[{}] {}: the ending says the format; end it with .svg or .png", operation, path));
  for (const Index pixels : {width, height})
    if (pixels < 200 || pixels > 4000)
      throw DomainError(
          fmt::format("[{}] {}: {} x {} pixels; give 200 to 4000 for each", operation, path, width, height));
  if (!(seconds > 0.0))
    throw DomainError(
        fmt::format("[{}] {}: gnuplot may take {} s; give a positive time", operation, path, seconds));
}

void check_range(const char* operation, std::string_view axis, const std::optional<Range>& range, bool log) {
  if (!range) return;
  if (!(range->from < range->to) || !drawable(range->from, log) || !drawable(range->to, log))
    throw DomainError(fmt::format("[{}] the {} range is {} to {}; give {}, the lower one first", operation,
                                  axis, range->from, range->to, log ? "positive numbers" : "finite numbers"));
}

Drawn draw(const Canvas& canvas, std::string_view title, std::string_view script, std::string note) {
  std::string text = terminal(canvas);
  text += kStyle;
  if (!title.empty()) text += fmt::format("set title {} textcolor rgb '#24272c'\n", quoted(title));
  text += script;
  std::optional<ChildResult> made =
      run_child(canvas.operation, {"gnuplot", "--default-settings"}, text, {.seconds = canvas.seconds});
  if (!made) {
    say_missing(canvas.path);
    return {canvas.path, false, "there is no gnuplot on PATH; install the Debian package gnuplot-nox"};
  }
  std::string& picture = made->output;
  if (made->exit_code != 0 || picture.empty())
    throw DomainError(
        fmt::format("[{}] {}: gnuplot failed with exit code {}: {}; this is a defect unless the "
                    "installation is broken",
                    canvas.operation, canvas.path, made->exit_code, cut(one_line(clean(made->errors)), 500)));
  if (!is_picture(canvas.path, picture))
    throw DomainError(
        fmt::format("[{}] {}: what gnuplot wrote is no picture: {}; this is a defect unless the "
                    "installation is broken, look which gnuplot is on PATH",
                    canvas.operation, canvas.path, cut(one_line(clean(picture.substr(0, 1000))), 200)));
  if (is_svg(canvas.path)) improve_svg(picture, title);
  const std::span<const std::byte> bytes = std::as_bytes(std::span<const char>(picture));
  detail::atomic_write(canvas.operation, canvas.path, {&bytes, 1});
  return {canvas.path, true, std::move(note)};
}

}  // namespace cotangent::report
