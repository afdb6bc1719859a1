// Heat maps and histograms: numbers gathered into cells.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "autodiff/error.hpp"
#include "report/figure.hpp"
#include "report/gnuplot.hpp"

namespace cotangent::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr Index kMostCells = 400;
constexpr Index kMostNumbers = 400;
constexpr Index kMostRectangles = 1000;  // beyond, one picture is smaller than as many rectangles
constexpr Index kMostPixels = 600;
constexpr Index kMostBins = 200;

/// A matrix whose cells are means of blocks of `down` x `across` entries, or their greatest in magnitude.
struct Pooled {
  Index rows, columns, down, across;
  std::vector<double> cells;
};

Pooled pooled(const Tensor& m, bool greatest) {
  const Index down = (m.size(0) + kMostCells - 1) / kMostCells,
              across = (m.size(1) + kMostCells - 1) / kMostCells;
  Pooled p{(m.size(0) + down - 1) / down, (m.size(1) + across - 1) / across, down, across, {}};
  for (Index i = 0; i < p.rows; ++i)
    for (Index j = 0; j < p.columns; ++j) {
      double total = 0.0, count = 0.0, top = 0.0;
      for (Index r = i * down; r < std::min((i + 1) * down, m.size(0)); ++r)
        for (Index c = j * across; c < std::min((j + 1) * across, m.size(1)); ++c) {
          const double entry = m.data()[static_cast<std::size_t>(r * m.size(1) + c)];
          if (!drawable(entry, false)) continue;
          total += entry;
          count += 1.0;
          if (std::fabs(entry) > std::fabs(top)) top = entry;
        }
      p.cells.push_back(count == 0.0 ? kNan : greatest ? top : total / count);
    }
  return p;
}

/// "set xrange ..." and ticks at whole numbers, at most `most` of them.
std::string index_axis(std::string_view axis, Index size, Index most, const std::string& label) {
  Index stride = 1;
  for (int k = 0; size > most * stride; ++k) stride = k % 3 == 1 ? stride / 2 * 5 : stride * 2;
  const double end = static_cast<double>(size) - 0.5;
  return fmt::format("set {0}range [{1}:{2}] noextend\nset {0}tics 0,{3}\n", axis, axis == "y" ? end : -0.5,
                     axis == "y" ? -0.5 : end, stride) +
         label_script(axis, label);
}

/// Lines between groups of columns, and their names along `pixels` where they do not overlap.
std::string group_axis(const std::vector<ColumnGroup>& groups, Index size, double pixels) {
  constexpr double kPixelsPerLetter = 8.0;
  std::string tics, lines;
  double end = 0.0, free_from = 0.0;
  for (const ColumnGroup& group : groups) {
    const double first = end, middle = first + static_cast<double>(group.columns - 1) / 2.0;
    end += static_cast<double>(group.columns);
    if (first > 0.0)
      lines += fmt::format(
          "set arrow from {0},graph 0 to {0},graph 1 nohead front linewidth 1 "
          "linecolor rgb '#ffffff'\n",
          first - 0.5);
    const double at = (middle + 0.5) / static_cast<double>(size) * pixels,
                 half = kPixelsPerLetter * static_cast<double>(group.name.size()) / 2.0;
    if (at - half < free_from) continue;
    free_from = at + half + kPixelsPerLetter;
    tics += fmt::format("{}{} {}", tics.empty() ? "" : ", ", quoted(group.name), middle);
  }
  return fmt::format("set xtics ({})\n", tics) + lines;
}

std::string palette() {
  std::string text = "set palette defined (";
  for (std::size_t k = 0; k < kPalette.size(); ++k)
    text += fmt::format("{}{} '{}'", k ? ", " : "", k, kPalette[k]);
  return text + ")\n";
}

/// The entries written into their cells, light on dark and dark on light.
std::string cell_numbers(const Tensor& m, const Range& range) {
  std::string text;
  for (Index i = 0; i < m.size(0); ++i)
    for (Index j = 0; j < m.size(1); ++j) {
      const double entry = m(i, j), place = (entry - range.from) / (range.to - range.from);
      text += fmt::format("set label '{:.3g}' at {},{} center front font ',{}' textcolor rgb '{}'\n", entry,
                          j, i, m.size(1) > 8 ? 12 : 14, place < 0.55 ? "#ffffff" : "#101215");
    }
  return text;
}

std::size_t not_drawable(std::span<const double> values) {
  return static_cast<std::size_t>(
      std::count_if(values.begin(), values.end(), [](double v) { return !drawable(v, false); }));
}

/// Freedman and Diaconis: the width 2 (q_3/4 - q_1/4) / n^(1/3).
Index bins_for(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double share) {
    const double at = share * static_cast<double>(values.size() - 1);
    const auto k = static_cast<std::size_t>(at);
    const double above = values[std::min(k + 1, values.size() - 1)];
    return values[k] + (at - std::floor(at)) * (above - values[k]);
  };
  const double width =
      2.0 * (quantile(0.75) - quantile(0.25)) / std::cbrt(static_cast<double>(values.size()));
  const double bins = std::ceil((values.back() - values.front()) / width);
  // A width of 0: more than half of the values are the same.
  return bins >= 1.0 ? static_cast<Index>(std::min(bins, static_cast<double>(kMostBins))) : 1;
}

}  // namespace

Drawn heat_map(const std::string& path, const Tensor& matrix, const HeatMapOptions& options) {
  if (matrix.rank() != 2)
    throw ShapeError(fmt::format("[heat_map] the matrix is {}; give a tensor of shape [rows, columns]",
                                 matrix.shape().to_string()));
  if (matrix.size() == 0)
    throw DomainError(
        fmt::format("[heat_map] the matrix is {}; give one with entries", matrix.shape().to_string()));
  if (options.numbers && matrix.size() > kMostNumbers)
    throw DomainError(
        fmt::format("[heat_map] numbers for {} cells of {} cannot be read; leave .numbers out beyond {}",
                    matrix.size(), matrix.shape().to_string(), kMostNumbers));
  Index grouped = 0;
  for (const ColumnGroup& group : options.column_groups) grouped += group.columns;
  if (!options.column_groups.empty() && grouped != matrix.size(1))
    throw ShapeError(
        fmt::format("[heat_map] the groups have {} columns, the matrix is {}; give each column one group",
                    grouped, matrix.shape().to_string()));
  check_range("heat_map", "colour", options.range, false);
  const double aspect = static_cast<double>(matrix.size(0)) / static_cast<double>(matrix.size(1)),
               ratio = std::clamp(aspect, 0.25, 2.5);
  const double plot_width = 0.7 * static_cast<double>(options.width),
               plot_height = std::clamp(ratio * plot_width, 130.0, plot_width);
  const Index height = options.height.value_or(static_cast<Index>(plot_height) + 110);
  check_figure({"heat_map", path, options.width, height, options.seconds});

  const Pooled p = pooled(matrix, options.around_zero);
  Extent extent;
  for (const double cell : p.cells) {
    extent.include(cell);
    if (options.around_zero) extent.include(-cell);
  }
  const Range colours = extent.range(false, options.range, 0.0);
  // As a picture, a cell has several pixels: viewers that smooth them then smooth only its edges.
  const bool rectangles = p.rows * p.columns <= kMostRectangles;
  const Index times = rectangles ? 1 : std::max<Index>(1, kMostPixels / std::max(p.rows, p.columns));
  // gnuplot draws no image of a single row or column.
  const Index across = p.columns == 1 ? std::max<Index>(times, 2) : times,
              down = p.rows == 1 ? std::max<Index>(times, 2) : times;
  // In binary: gnuplot takes seconds to read a few hundred thousand numbers as text.
  std::string data;
  for (Index i = 0; i < p.rows; ++i) {
    std::vector<double> row;
    for (Index j = 0; j < p.columns; ++j)
      row.insert(row.end(), static_cast<std::size_t>(across),
                 std::clamp(p.cells[static_cast<std::size_t>(i * p.columns + j)], colours.from, colours.to));
    for (Index k = 0; k < down; ++k)
      data.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(double));
  }
  std::string script =
      index_axis("x", matrix.size(1), 9, options.x) +
      index_axis("y", matrix.size(0), std::clamp<Index>((height - 100) / 28, 2, 12), options.y) +
      axis_script("cb", colours, false, options.values) + palette();
  if (height < 330)
    script += fmt::format("set cbtics ({:.3g}, {:.3g}, {:.3g})\n", colours.from,
                          colours.from + (colours.to - colours.from) / 2.0, colours.to);
  script += fmt::format("set size ratio {}\nunset grid\nset border 15\n", ratio);
  if (!options.column_groups.empty()) script += group_axis(options.column_groups, matrix.size(1), plot_width);
  if (!options.ticks) script += "unset xtics\nunset ytics\n";
  if (options.numbers) script += cell_numbers(matrix, colours);
  const double dx = static_cast<double>(p.across) / static_cast<double>(across),
               dy = static_cast<double>(p.down) / static_cast<double>(down);
  script += fmt::format(
      "plot '-' binary array=({},{}) format='%float64' origin=({},{}) dx={} dy={} with image {} notitle\n",
      p.columns * across, p.rows * down, 0.5 * dx - 0.5, 0.5 * dy - 0.5, dx, dy, rectangles ? "pixels" : "");
  script += data;

  std::string title = options.title, note;
  if (p.down > 1 || p.across > 1) {
    note = fmt::format("each cell is the {} of {} x {} entries",
                       options.around_zero ? "greatest in magnitude" : "mean", p.down, p.across);
    title += (title.empty() ? "" : " - ") + note;
  }
  if (const std::size_t count = not_drawable(matrix.data()))
    note += fmt::format("{}entries not finite, left white: {}", note.empty() ? "" : "; ", count);
  return draw({"heat_map", path, options.width, height, options.seconds}, title, script, std::move(note));
}

Drawn histogram(const std::string& path, const Tensor& values, const HistogramOptions& options) {
  check_figure({"histogram", path, options.width, options.height, options.seconds});
  if (options.bins && (*options.bins < 1 || *options.bins > 1000))
    throw DomainError(fmt::format("[histogram] {} bins; give 1 to 1000", *options.bins));
  std::vector<double> finite;
  for (const double value : values.data())
    if (drawable(value, false)) finite.push_back(value);
  if (finite.empty())
    throw DomainError(fmt::format("[histogram] none of the {} values of {} is finite; give at least one",
                                  values.size(), values.shape().to_string()));
  for (const Mark& mark : options.vertical)
    if (!drawable(mark.at, false))
      throw DomainError(
          fmt::format("[histogram] the line \"{}\" is at {}; give a finite number", mark.label, mark.at));

  const auto [low_at, high_at] = std::minmax_element(finite.begin(), finite.end());
  // All the same: one bin around it.
  const double low = *low_at, span = *high_at - low, width_of_one = low == 0.0 ? 1.0 : 0.1 * std::fabs(low);
  const Index bins = options.bins.value_or(bins_for(finite));
  const double width = span > 0.0 ? span / static_cast<double>(bins) : width_of_one,
               first = span > 0.0 ? low : low - width / 2.0;
  std::vector<std::size_t> counts(static_cast<std::size_t>(bins), 0);
  for (const double value : finite) {
    const auto bin = static_cast<std::size_t>(std::max(0.0, (value - first) / width));
    ++counts[std::min(bin, counts.size() - 1)];
  }

  Extent in_x;
  in_x.include(first);
  in_x.include(first + static_cast<double>(bins) * width);
  for (const Mark& mark : options.vertical) in_x.include(mark.at);
  const double most = static_cast<double>(*std::max_element(counts.begin(), counts.end()));
  const Range x = in_x.range(false, {}, 0.02),
              y = options.log_y ? Range{0.5, std::max(20.0, most * 1.5)} : Range{0.0, most * 1.05};
  std::string script = axis_script("x", x, false, options.x) + axis_script("y", y, options.log_y, options.y);
  script += fmt::format("set boxwidth {:.9g}\n{}$h << EOD\n", width, legend_script());
  for (std::size_t k = 0; k < counts.size(); ++k)
    if (counts[k] > 0)
      script += fmt::format("{:.12g} {}\n", first + (static_cast<double>(k) + 0.5) * width, counts[k]);
  script += "EOD\n";
  for (std::size_t k = 0; k < options.vertical.size(); ++k)
    script += fmt::format("$v{0} << EOD\n{1:.17g} {2:.17g}\n{1:.17g} {3:.17g}\nEOD\n", k,
                          options.vertical[k].at, y.from, y.to);
  script +=
      "plot $h using 1:2 with boxes fillstyle solid 1 border rgb '#ffffff' linecolor rgb '#2d6fb3' notitle";
  for (std::size_t k = 0; k < options.vertical.size(); ++k) {
    const LineStyle style = line_style(Line::predicted, k == 0 ? 0 : k + 2, k);
    script += fmt::format(
        ", $v{} using 1:2 with lines dashtype {} linewidth 2 linecolor rgb '{}' {}", k,
        k % 2 == 0 ? style.dashes : "(3,5)", style.colour,
        options.vertical[k].label.empty() ? "notitle" : "title " + quoted(options.vertical[k].label));
  }
  std::string note;
  if (const std::size_t count = not_drawable(values.data()))
    note = fmt::format("values not finite, left out: {}", count);
  return draw({"histogram", path, options.width, options.height, options.seconds}, options.title,
              script + "\n", std::move(note));
}

}  // namespace cotangent::report
