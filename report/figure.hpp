// Figures: curves, heat maps, spectra, histograms and waterfalls, as SVG or PNG by gnuplot, a line each.
//
//   report::plot("loss.svg", {{"observed", losses}, {"bound", bounds, {.line = report::Line::predicted}}},
//                {.title = "Gradient descent", .x = "iteration", .y = "loss", .log_y = true});
//
// Every function: the ending of the path says the format, .svg or .png; an existing file is replaced in one
// step, or left if drawing fails. Titles, names and labels are plain text: whatever they hold is shown as it
// is. What differs does so in its dashes or markers and in lightness, so that grey copies can be read.
// Throws: DomainError on another ending, on nothing to draw, on options outside their range, if the file
// cannot be written, and with gnuplot's own message if it fails, takes longer than `seconds` or does not
// write a picture; ShapeError on shapes that do not fit.
#pragma once
#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cotangent::report {

/// What became of a figure. Without gnuplot there is none: `drawn` is false, and a
/// line on standard error says so.
struct Drawn {
  std::string path;
  bool drawn = false;
  std::string note = {};  // what of the data is not to be seen, and why; else empty
};

/// observed: a full line; predicted: dashed; reference: dotted; points: markers alone.
enum class Line { observed, predicted, reference, points };

/// The region between two curves, filled lightly behind all lines.
struct Band {
  Tensor lower;
  Tensor upper;
};

struct SeriesOptions {
  Line line = Line::observed;
  std::optional<Band> band = std::nullopt;
};

/// A named curve through (x_i, y_i); without x, x_i = i = 0, 1, ...
/// Shapes: all [n]; a std::vector<double> will do.
struct Series {
  Series(std::string name_of, Tensor y_of, SeriesOptions options_of = {})
      : name(std::move(name_of)), y(std::move(y_of)), options(std::move(options_of)) {}
  Series(std::string name_of, Tensor x_of, Tensor y_of, SeriesOptions options_of = {})
      : name(std::move(name_of)), x(std::move(x_of)), y(std::move(y_of)), options(std::move(options_of)) {}

  // Templates, so that a list in braces is still a Tensor.
  template <std::same_as<std::vector<double>> V>
  Series(std::string name_of, const V& y_of, SeriesOptions options_of = {})
      : Series(std::move(name_of), tensor(y_of), std::move(options_of)) {}
  template <std::same_as<std::vector<double>> V>
  Series(std::string name_of, const V& x_of, const V& y_of, SeriesOptions options_of = {})
      : Series(std::move(name_of), tensor(x_of), tensor(y_of), std::move(options_of)) {}

  std::string name;  // in the legend; empty: not in it
  std::optional<Tensor> x;
  Tensor y;
  SeriesOptions options;

 private:
  static Tensor tensor(const std::vector<double>& v) {
    return Tensor::from(v, {static_cast<Index>(v.size())});
  }
};

/// An interval; `from` lies below `to`.
struct Range {
  double from = 0.0;
  double to = 0.0;
};

/// A straight line across the figure, named in the legend.
struct Mark {
  double at = 0.0;
  std::string label = {};
};

struct PlotOptions {
  std::string title = {};
  std::string x = {};
  std::string y = {};
  bool log_x = false;
  bool log_y = false;
  /// Without them, all that is drawn and a little more.
  std::optional<Range> x_range = std::nullopt;
  std::optional<Range> y_range = std::nullopt;
  std::vector<Mark> horizontal = {};
  std::vector<Mark> vertical = {};
  /// In pixels, 200 to 4000.
  Index width = 600;
  Index height = 400;
  /// gnuplot is stopped after this time.
  double seconds = 120.0;
};

/// Curves against one pair of axes.
///
/// NaN and infinite values are gaps; on a logarithmic axis, values that are not positive are left out and
/// counted in the note. A series of more than 4000 points is thinned, each of 2000 bins keeping its least and
/// its greatest value. The first five series differ in lightness by 13 or more (CIE L*, of 100).
Drawn plot(const std::string& path, const std::vector<Series>& series, const PlotOptions& options = {});

/// Neighbouring columns under one name.
struct ColumnGroup {
  std::string name;
  Index columns;
};

struct HeatMapOptions {
  std::string title = {};
  std::string x = "column";
  std::string y = "row";
  /// What the colours mean, beside their scale.
  std::string values = {};
  /// Of the colours; without it, from the least to the greatest entry.
  std::optional<Range> range = std::nullopt;
  /// For entries of both signs: 0 has the middle colour, and a cell that stands for a block of entries shows
  /// the one of the greatest magnitude, for their mean would be near 0.
  bool around_zero = false;
  /// Lines between groups and, instead of indices, the names of those with room for
  /// them. Each column is in one group.
  std::vector<ColumnGroup> column_groups = {};
  /// The indices of rows and columns along the sides.
  bool ticks = true;
  /// Writes each entry into its cell; for up to 400 entries.
  bool numbers = false;
  Index width = 600;
  /// Without it, what square cells need, within limits.
  std::optional<Index> height = std::nullopt;
  /// gnuplot is stopped after this time.
  double seconds = 120.0;
};

/// A matrix, a cell an entry, row 0 on top; the greater, the lighter. Shapes: [rows, columns].
///
/// Beyond 400 rows or columns, a cell is the mean of a block of entries (but see around_zero), which the
/// title then says. Entries that are not finite are white and counted in the note.
Drawn heat_map(const std::string& path, const Tensor& matrix, const HeatMapOptions& options = {});

struct PlotSpectrumOptions {
  std::string title = {};
  std::string x = "rank";
  std::string y = "eigenvalue";
  bool log_y = true;
  /// How far each value may be off: drawn as a band around the values and, on a logarithmic axis, as a line
  /// at the bound itself, below which a value says nothing.
  std::optional<double> bound = std::nullopt;
  Index width = 600;
  Index height = 400;
  /// gnuplot is stopped after this time.
  double seconds = 120.0;
};

/// Eigenvalues or singular values from the greatest to the least, against 1, 2, ... Shapes: values [n].
Drawn plot_spectrum(const std::string& path, const Tensor& values, const PlotSpectrumOptions& options = {});

struct HistogramOptions {
  std::string title = {};
  std::string x = "value";
  std::string y = "count";
  /// 1 to 1000; without it, the width is 2 (q_3/4 - q_1/4) / n^(1/3), for at most 200 bins.
  std::optional<Index> bins = std::nullopt;
  bool log_y = false;
  std::vector<Mark> vertical = {};
  Index width = 600;
  Index height = 400;
  /// gnuplot is stopped after this time.
  double seconds = 120.0;
};

/// How many values fall into each of equally wide bins from the least to the greatest; any shape. Values that
/// are not finite are left out and counted in the note.
/// Source: Freedman, Diaconis, On the histogram as a density estimator, 1981 (the width).
Drawn histogram(const std::string& path, const Tensor& values, const HistogramOptions& options = {});

/// A named share of a total, of either sign.
struct Part {
  std::string name;
  double value = 0.0;
};

struct WaterfallOptions {
  std::string title = {};
  std::string x = {};
  std::string total = "total";
  Index width = 600;
  /// Without it, what the bars need, within limits.
  std::optional<Index> height = std::nullopt;
  /// gnuplot is stopped after this time.
  double seconds = 120.0;
};

/// Parts of a sum as bars under each other, each beginning where the one above ends, the last one
/// their total from 0; every bar has its number, with the sign. Up to 100 parts; names are cut where
/// they would take half the width.
///
/// Throws: as every figure; DomainError for a part that is not finite, too.
Drawn waterfall(const std::string& path, const std::vector<Part>& parts,
                const WaterfallOptions& options = {});

}  // namespace cotangent::report
