// Curves: what of the data can be drawn, thinned and as gnuplot's script; spectra are curves, too.
#include "report/figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "autodiff/error.hpp"
#include "autodiff/function.hpp"
#include "report/gnuplot.hpp"

namespace cotangent::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostPoints = 4000;
constexpr double kMargin = 0.04;

/// A point, and the band there; x is NaN at a gap, lower is NaN where there is no band.
struct Place {
  double x = kNan;
  double y = kNan;
  double lower = kNan;
  double upper = kNan;
  bool gap() const { return std::isnan(x); }
};

struct LeftOut {
  std::size_t not_positive = 0;
  std::size_t not_finite = 0;
};

void check_shapes(const Series& s) {
  const auto refuse = [&](const char* what, const Tensor& is, const std::string& wanted) {
    throw ShapeError(
        fmt::format("[plot] series \"{}\": {} is {}; give {}", s.name, what, is.shape().to_string(), wanted));
  };
  if (s.y.rank() != 1) refuse("y", s.y, "a tensor of shape [n]");
  const std::string as_y = "the shape of y, " + s.y.shape().to_string();
  if (s.x && s.x->shape() != s.y.shape()) refuse("x", *s.x, as_y);
  if (s.options.band && s.options.band->lower.shape() != s.y.shape())
    refuse("the band's lower side", s.options.band->lower, as_y);
  if (s.options.band && s.options.band->upper.shape() != s.y.shape())
    refuse("the band's upper side", s.options.band->upper, as_y);
  if (s.y.size() == 0)
    throw DomainError(fmt::format("[plot] series \"{}\" has no points; give at least one", s.name));
}

void check_options(const std::string& path, const PlotOptions& options) {
  check_figure({"plot", path, options.width, options.height, options.seconds});
  check_range("plot", "x", options.x_range, options.log_x);
  check_range("plot", "y", options.y_range, options.log_y);
  const auto check_marks = [](const std::vector<Mark>& marks, const char* axis, bool log) {
    for (const Mark& mark : marks)
      if (!drawable(mark.at, log))
        throw DomainError(
            fmt::format("[plot] the line \"{}\" is at {} = {}, which the axis does not have; {}", mark.label,
                        axis, mark.at, log ? "give a positive number" : "give a finite number"));
  };
  check_marks(options.horizontal, "y", options.log_y);
  check_marks(options.vertical, "x", options.log_x);
}

/// The points of a series that have a place on the axes; the others become gaps and are counted.
std::vector<Place> places_of(const Series& s, const PlotOptions& options, LeftOut& left_out) {
  std::vector<Place> places(s.y.data().size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const double x = s.x ? s.x->data()[i] : static_cast<double>(i), y = s.y.data()[i];
    if (!drawable(x, options.log_x) || !drawable(y, options.log_y)) {
      ++(drawable(x, false) && drawable(y, false) ? left_out.not_positive : left_out.not_finite);
      continue;
    }
    places[i] = {.x = x, .y = y};
    if (!s.options.band) continue;
    const double lower = s.options.band->lower.data()[i], upper = s.options.band->upper.data()[i];
    if (!drawable(lower, false) || !drawable(upper, options.log_y)) continue;
    places[i].lower = lower;
    places[i].upper = upper;
  }
  return places;
}

/// Of each of 2000 bins of neighbours the least and the greatest y, and a gap if there is one; the band there
/// is the widest of the bin's.
std::vector<Place> thinned(const std::vector<Place>& places) {
  if (places.size() <= kMostPoints) return places;
  const std::size_t bins = kMostPoints / 2;
  std::vector<Place> kept;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const std::size_t first = bin * places.size() / bins, last = (bin + 1) * places.size() / bins;
    std::optional<std::size_t> gap, least, greatest;
    Place widest;
    for (std::size_t i = first; i < last; ++i) {
      if (places[i].gap()) {
        gap = i;
        continue;
      }
      if (!least || places[i].y < places[*least].y) least = i;
      if (!greatest || places[i].y > places[*greatest].y) greatest = i;
      widest.lower = std::fmin(widest.lower, places[i].lower);
      widest.upper = std::fmax(widest.upper, places[i].upper);
    }
    std::vector<std::size_t> chosen;
    for (const auto& index : {gap, least, greatest})
      if (index) chosen.push_back(*index);
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    for (const std::size_t i : chosen) {
      Place place = places[i];
      if (!place.gap()) place.lower = widest.lower, place.upper = widest.upper;
      kept.push_back(place);
    }
  }
  return kept;
}

/// A named block of data, an empty line at a gap.
std::string block(const std::string& name, const std::vector<Place>& places,
                  FunctionRef<bool(const Place&)> holds, double bottom) {
  std::string text = name + " << EOD\n";
  bool at_gap = true;
  for (const Place& place : places) {
    if (!place.gap() && holds(place)) {
      text += fmt::format("{:.9g} {:.9g}", place.x, place.y);
      if (!std::isnan(place.lower))
        text += fmt::format(" {:.9g} {:.9g}", std::max(place.lower, bottom), place.upper);
      text += '\n';
      at_gap = false;
    } else if (!at_gap) {
      text += '\n';
      at_gap = true;
    }
  }
  return text + "EOD\n";
}

/// Points with a gap on either side: lines alone would not show them.
std::vector<Place> lonely(const std::vector<Place>& places) {
  std::vector<Place> found;
  for (std::size_t i = 0; i < places.size(); ++i)
    if (!places[i].gap() && (i == 0 || places[i - 1].gap()) &&
        (i + 1 == places.size() || places[i + 1].gap()))
      found.push_back(places[i]);
  return found;
}

std::string title_of(const std::string& name) { return name.empty() ? "notitle" : "title " + quoted(name); }

/// The parts of a plot command and the data they name.
class Script {
 public:
  Script(Range x, Range y) : x_(x), y_(y) {}

  void add(const Series& s, const std::vector<Place>& places, const LineStyle& style) {
    const auto any = [](const Place&) { return true; };
    const std::string data = fmt::format("$s{}", count_++);
    const std::string colour = fmt::format("linecolor rgb '{}'", style.colour);
    if (s.options.band) {
      const auto has_band = [](const Place& place) { return !std::isnan(place.lower); };
      data_ += block(data + "b", places, has_band, y_.from);
      if (std::any_of(places.begin(), places.end(), has_band))
        behind_.push_back(
            fmt::format("{}b using 1:3:4 with filledcurves fillcolor rgb '{}' fillstyle transparent "
                        "solid 0.18 noborder notitle",
                        data, style.colour));
    }
    data_ += block(data, places, any, y_.from);
    const std::string marker = fmt::format("pointtype {} pointsize 0.7", style.marker);
    if (s.options.line == Line::points) {
      parts_.push_back(
          fmt::format("{} using 1:2 with points {} {} {}", data, marker, colour, title_of(s.name)));
      return;
    }
    const std::string line = fmt::format("dashtype {} linewidth 2 {}", style.dashes, colour);
    // About 16 markers along the line, fewer points having one each.
    const std::size_t interval = (places.size() + 15) / 16;
    parts_.push_back(style.marker == 0
                         ? fmt::format("{} using 1:2 with lines {} {}", data, line, title_of(s.name))
                         : fmt::format("{} using 1:2 with linespoints {} {} pointinterval {} {}", data, line,
                                       marker, interval, title_of(s.name)));
    if (const std::vector<Place> alone = lonely(places); !alone.empty()) {
      data_ += block(data + "p", alone, any, y_.from);
      parts_.push_back(
          fmt::format("{}p using 1:2 with points pointtype 7 pointsize 0.4 {} notitle", data, colour));
    }
  }

  void add_line(const Mark& mark, Range x, Range y) {
    constexpr std::array<const char*, 3> kDashes = {"(2,4)", "(9,4,2,4)", "(9,3,2,3,2,3)"};
    const char* dashes = kDashes[marks_ % kDashes.size()];
    const std::string data = fmt::format("$m{}", marks_++);
    data_ +=
        fmt::format("{} << EOD\n{:.17g} {:.17g}\n{:.17g} {:.17g}\nEOD\n", data, x.from, y.from, x.to, y.to);
    parts_.push_back(
        fmt::format("{} using 1:2 with lines dashtype {} linewidth 1.5 linecolor rgb '#6b7078' {}", data,
                    dashes, title_of(mark.label)));
  }

  std::string text() const {
    std::string all = data_;
    // gnuplot refuses a plot without anything in it.
    std::string list = parts_.empty() ? "1/0 notitle" : "";
    for (const std::vector<std::string>* some : {&behind_, &parts_})
      for (const std::string& part : *some) list += (list.empty() ? "" : ", ") + part;
    return all + "plot " + list + "\n";
  }

 private:
  Range x_, y_;
  std::string data_;
  std::vector<std::string> behind_, parts_;
  std::size_t count_ = 0, marks_ = 0;
};

std::string note_of(const LeftOut& left_out) {
  std::string note;
  if (left_out.not_positive > 0)
    note = fmt::format("{} not positive, left out of the logarithmic axis", left_out.not_positive);
  if (left_out.not_finite > 0)
    note += fmt::format("{}{} not finite, left out", note.empty() ? "" : "; ", left_out.not_finite);
  return note.empty() ? note : "values: " + note;
}

}  // namespace

Drawn plot(const std::string& path, const std::vector<Series>& series, const PlotOptions& options) {
  check_options(path, options);
  if (series.empty()) throw DomainError(fmt::format("[plot] {}: no series; give at least one", path));
  for (const Series& s : series) check_shapes(s);

  LeftOut left_out;
  Extent in_x, in_y;
  std::vector<std::vector<Place>> places;
  std::size_t thinned_series = 0;
  for (const Series& s : series) {
    std::vector<Place> all = places_of(s, options, left_out);
    for (const Place& place : all) {
      in_x.include(place.x);
      for (const double y : {place.y, place.lower, place.upper})
        if (drawable(y, options.log_y)) in_y.include(y);
    }
    thinned_series += all.size() > kMostPoints ? 1u : 0u;
    places.push_back(thinned(all));
  }
  for (const Mark& mark : options.horizontal) in_y.include(mark.at);
  for (const Mark& mark : options.vertical) in_x.include(mark.at);
  const Range x = in_x.range(options.log_x, options.x_range, kMargin / 2),
              y = in_y.range(options.log_y, options.y_range, kMargin);

  Script script(x, y);
  std::array<std::size_t, 4> of_kind{};
  for (std::size_t k = 0; k < series.size(); ++k) {
    const Line line = series[k].options.line;
    script.add(series[k], places[k], line_style(line, k, of_kind[static_cast<std::size_t>(line)]++));
  }
  for (const Mark& mark : options.horizontal) script.add_line(mark, x, {mark.at, mark.at});
  for (const Mark& mark : options.vertical) script.add_line(mark, {mark.at, mark.at}, y);

  std::string note = note_of(left_out);
  if (thinned_series > 0)
    note += fmt::format("{}{} series thinned to the extremes of {} bins", note.empty() ? "" : "; ",
                        thinned_series, kMostPoints / 2);
  return draw({"plot", path, options.width, options.height, options.seconds}, options.title,
              axis_script("x", x, options.log_x, options.x) + axis_script("y", y, options.log_y, options.y) +
                  legend_script() + script.text(),
              std::move(note));
}

Drawn plot_spectrum(const std::string& path, const Tensor& values, const PlotSpectrumOptions& options) {
  if (values.rank() != 1)
    throw ShapeError(
        fmt::format("[plot_spectrum] values are {}; give a tensor of shape [n]", values.shape().to_string()));
  if (options.bound && !(*options.bound >= 0.0 && std::isfinite(*options.bound)))
    throw DomainError(
        fmt::format("[plot_spectrum] the bound is {}; give a finite number from 0 on", *options.bound));
  std::vector<double> sorted(values.data().begin(), values.data().end());
  // NaN last: it has no place in an order.
  std::sort(sorted.begin(), sorted.end(),
            [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a > b; });
  std::vector<double> ranks(sorted.size());
  std::iota(ranks.begin(), ranks.end(), 1.0);
  const auto tensor = [&](const std::vector<double>& list) { return Tensor::from(list, values.shape()); };

  Series series(options.bound ? "computed" : "", tensor(ranks), tensor(sorted),
                {.line = sorted.size() <= 100 ? Line::points : Line::observed});
  PlotOptions as_plot{.title = options.title,
                      .x = options.x,
                      .y = options.y,
                      .log_y = options.log_y,
                      .width = options.width,
                      .height = options.height,
                      .seconds = options.seconds};
  if (options.bound && *options.bound > 0.0) {
    std::vector<double> lower = sorted, upper = sorted;
    for (double& value : lower) value -= *options.bound;
    for (double& value : upper) value += *options.bound;
    series.options.band = Band{tensor(lower), tensor(upper)};
    if (options.log_y) as_plot.horizontal = {{*options.bound, "error bound"}};
  }
  return plot(path, {series}, as_plot);
}

}  // namespace cotangent::report
