// Waterfalls: bars along a running sum.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "autodiff/error.hpp"
#include "report/figure.hpp"
#include "report/gnuplot.hpp"
#include "report/text.hpp"

namespace cotangent::report {
namespace {

constexpr std::size_t kMostParts = 100;
constexpr double kHalfBar = 0.36;

/// Where a bar lies: from the sum before to the sum with it.
struct Bar {
  double before = 0.0;
  double after = 0.0;
  double value = 0.0;
};

/// The parts' bars and the total's.
std::vector<Bar> bars_of(const std::vector<Part>& parts) {
  std::vector<Bar> bars;
  double sum = 0.0;
  for (const Part& part : parts) {
    bars.push_back({.before = sum, .after = sum + part.value, .value = part.value});
    sum += part.value;
  }
  bars.push_back({.before = 0.0, .after = sum, .value = sum});
  return bars;
}

void check_parts(const std::string& path, const std::vector<Part>& parts, const std::vector<Bar>& bars) {
  if (parts.empty() || parts.size() > kMostParts)
    throw DomainError(fmt::format("[waterfall] {}: {} parts; give 1 to {}", path, parts.size(), kMostParts));
  for (std::size_t k = 0; k < parts.size(); ++k)
    if (!drawable(parts[k].value, false) || !drawable(bars[k].after, false))
      throw DomainError(fmt::format(
          "[waterfall] part \"{}\" is {} and brings the sum to {}; give finite numbers below 1e300",
          parts[k].name, parts[k].value, bars[k].after));
}

/// 1, 2 or 5 times a power of ten, at least `least`.
double step_of_ticks(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double digit : {1.0, 2.0, 5.0})
    if (digit * power >= least) return digit * power;
  return 10.0 * power;
}

/// A data block of the bars that `belongs` says, as rectangles for boxxyerror.
template <class Belongs>
std::string block(std::string_view name, const std::vector<Bar>& bars, Belongs belongs) {
  std::string text = fmt::format("{} << EOD\n", name);
  for (std::size_t k = 0; k < bars.size(); ++k)
    if (belongs(k))
      text += fmt::format("{0:.9g} {1} {0:.9g} {2:.9g} {3} {4}\n", bars[k].before, k, bars[k].after,
                          static_cast<double>(k) - kHalfBar, static_cast<double>(k) + kHalfBar);
  return text + "EOD\n";
}

std::string boxes(std::string_view name, std::string_view colour) {
  return fmt::format(
      "{0} using 1:2:3:4:5:6 with boxxyerror fillstyle solid 1 border rgb '{1}' linecolor rgb '{1}' notitle",
      name, colour);
}

}  // namespace

Drawn waterfall(const std::string& path, const std::vector<Part>& parts, const WaterfallOptions& options) {
  const Index rows = static_cast<Index>(parts.size()) + 1;
  const Index height = options.height.value_or(std::clamp<Index>(30 * rows + 110, 200, 4000));
  check_figure({"waterfall", path, options.width, height, options.seconds});
  const std::vector<Bar> bars = bars_of(parts);
  check_parts(path, parts, bars);

  Extent extent;
  extent.include(0.0);
  for (const Bar& bar : bars) extent.include(bar.after);
  Range x = extent.range(false, {}, 0.03);
  x.to += 0.3 * (x.to - x.from);  // the numbers stand to the right of their bars
  std::string script = axis_script("x", x, false, options.x);
  script += fmt::format("set xtics {:.9g}\n", step_of_ticks((x.to - x.from) / 4.0));
  script += fmt::format("set yrange [{}:-0.5] noextend\n", static_cast<double>(rows) - 0.5);

  const auto letters = static_cast<std::size_t>(options.width / 20);
  std::size_t shortened = 0;
  std::string tics, numbers = "$numbers << EOD\n", joints = "$joints << EOD\n";
  for (std::size_t k = 0; k < bars.size(); ++k) {
    std::string name = one_line(clean(k < parts.size() ? parts[k].name : options.total));
    if (width(name) > letters) {
      ++shortened;
      name = cut(name, letters - 1) + "…";
    }
    tics += fmt::format("{}{} {}", k == 0 ? "" : ", ", quoted(name), k);
    numbers += fmt::format("{:.9g} {} {}{}\n", std::max(bars[k].before, bars[k].after), k,
                           bars[k].value > 0.0 ? "+" : "", number_text(bars[k].value, 4));
    if (k + 1 < bars.size())
      joints += fmt::format("{0:.9g} {1}\n{0:.9g} {2}\n\n", bars[k].after, static_cast<double>(k) + kHalfBar,
                            static_cast<double>(k + 1) - kHalfBar);
  }
  const std::size_t last = parts.size();
  script += fmt::format("set ytics ({}) scale 0\nset grid noytics\n", tics);
  script += "set arrow from 0,graph 0 to 0,graph 1 nohead back linewidth 1 linecolor rgb '#5f656e'\n";
  script += numbers + "EOD\n" + joints + "EOD\n";
  script += block("$up", bars, [&](std::size_t k) { return k < last && bars[k].value >= 0.0; });
  script += block("$down", bars, [&](std::size_t k) { return k < last && bars[k].value < 0.0; });
  script += block("$total", bars, [&](std::size_t k) { return k == last; });
  std::string list = "$joints using 1:2 with lines linewidth 1 linecolor rgb '#5f656e' notitle";
  for (const auto& [name, colour] :
       {std::pair{"$up", kColours[2]}, {"$down", kColours[4]}, {"$total", kColours[0]}})
    list += ", " + boxes(name, colour);
  list += ", $numbers using 1:2:3 with labels left offset 0.6,0 textcolor rgb '#24272c' notitle";
  return draw({"waterfall", path, options.width, height, options.seconds}, options.title,
              script + "plot " + list + "\n", shortened > 0 ? fmt::format("names cut: {}", shortened) : "");
}

}  // namespace cotangent::report
