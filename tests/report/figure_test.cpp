// Figures: what stands in the pictures, read by another language's XML parser; what is refused; the style.
#include "report/figure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/rng.hpp"
#include "report/gnuplot.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::report {
namespace {

using test::error_of;
using test::read_bytes;
using test::TemporaryDirectory;
using test::write_bytes;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

/// Another PATH as long as it lives.
class Path {
 public:
  explicit Path(const std::string& now) : before_(std::getenv("PATH")) { ::setenv("PATH", now.c_str(), 1); }
  ~Path() { ::setenv("PATH", before_.c_str(), 1); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  std::string before_;
};

bool has_gnuplot() {
  const TemporaryDirectory folder;
  return plot(folder / "x.svg", {{"", Tensor{1, 2}}}).drawn;
}

/// Tests of pictures; skipped where nothing can draw them.
class Figure : public ::testing::Test {
 protected:
  void SetUp() override {
    static const bool there = has_gnuplot();
    if (!there) GTEST_SKIP() << "there is no gnuplot";
  }
  std::string svg(const Drawn& drawn) const {
    EXPECT_TRUE(drawn.drawn);
    return read_bytes(drawn.path);
  }
  TemporaryDirectory folder_;
};

class SlowFigure : public Figure {};

/// One line about the picture, one a text in it, one a plotted group: "curve COLOUR DASHES POINTS MARKERS".
std::string described(const std::string& path) {
  const test::Finished python = test::run_python(R"py(
import re, sys, xml.etree.ElementTree as E
root = E.parse(sys.argv[1]).getroot()
ns = '{http://www.w3.org/2000/svg}'
links = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith('href')]
links = [v for v in links if not v.startswith(('#', 'data:image/png;base64,'))]
bad = [e.tag for e in root.iter() if e.tag in (ns + 'script', ns + 'foreignObject')]
print('svg', root.get('width'), root.get('height'), *links, *bad)
for t in root.iter(ns + 'text'): print('text', ''.join(t.itertext()))
print('title', root.find(ns + 'title').text)
for g in root.iter(ns + 'g'):
    if not (g.get('id') or '').startswith('gnuplot_plot_'): continue
    paths = list(g.iter(ns + 'path'))
    stroke = paths[-1].get('stroke').replace(' ', '') if paths else '-'
    dashes = 'dashed' if paths and paths[-1].get('stroke-dasharray') else 'solid'
    points = sum(len(re.findall('[ML]', p.get('d'))) for p in paths)
    moves = sum(p.get('d').count('M') for p in paths)
    print('curve', stroke, dashes, 'moves', moves, 'points', points, 'markers', len(list(g.iter(ns + 'use'))),
          'polygons', len(list(g.iter(ns + 'polygon'))), 'images', len(list(g.iter(ns + 'image'))))
)py",
                                                 {path});
  EXPECT_EQ(python.status, 0) << python.output;
  return python.output;
}

Tensor falling(Index n) {
  std::vector<double> values;
  for (Index i = 0; i < n; ++i) values.push_back(std::exp(-0.1 * static_cast<double>(i)));
  return Tensor::from(values, {n});
}

// The legend's sample is the first two points of a curve, and its marker one more.

TEST_F(Figure, CurvesHaveTheirNamesPointsAndDashes) {
  const std::string path = folder_ / "a.svg";
  const Drawn drawn = plot(
      path,
      {{"observed", falling(20)},
       {"bound", falling(20), {.line = Line::predicted}},
       {"limit", Tensor{0, 19}, Tensor{0.5, 0.5}, {.line = Line::reference}},
       {"samples", Tensor{1, 2, 3}, Tensor{0.1, 0.2, 0.3}, {.line = Line::points}}},
      {.title = "Loss", .x = "iteration", .y = "loss", .log_y = true, .horizontal = {{0.01, "tolerance"}}});
  EXPECT_TRUE(drawn.drawn);
  EXPECT_EQ(drawn.path, path);
  EXPECT_EQ(drawn.note, "");
  const std::string text = described(path);
  EXPECT_THAT(text,
              AllOf(HasSubstr("svg 600 400\n"), HasSubstr("title Loss\n"), HasSubstr("text Loss\n"),
                    HasSubstr("text iteration\n"), HasSubstr("text loss\n"), HasSubstr("text tolerance\n")));
  EXPECT_THAT(text, AllOf(HasSubstr("text 10⁻²\n"), HasSubstr("text 10⁰\n")));
  EXPECT_THAT(text,
              HasSubstr("curve rgb(16,40,79) solid moves 2 points 22 markers 0 polygons 0 images 0\n"
                        "curve rgb(217,115,26) dashed moves 2 points 22 markers 0 polygons 0 images 0\n"
                        "curve rgb(45,111,179) dashed moves 2 points 4 markers 0 polygons 0 images 0\n"
                        "curve - solid moves 0 points 0 markers 4 polygons 0 images 0\n"
                        "curve rgb(107,112,120) dashed moves 2 points 4 markers 0 polygons 0 images 0\n"));
}

TEST_F(Figure, GapsBreakTheLineAndLonelyPointsAreSeen) {
  const std::string path = folder_ / "a.svg";
  const Drawn drawn = plot(path, {{"", Tensor{1, 2, kNan, 3, kInf, -kInf, 4, 5, 6}}});
  EXPECT_EQ(drawn.note, "values: 3 not finite, left out");
  EXPECT_THAT(described(path), HasSubstr("moves 3 points 6 markers 0"));
  EXPECT_THAT(described(path), HasSubstr("markers 1 "));
}

TEST_F(Figure, LogarithmicAxesLeaveOutWhatTheyCannotShow) {
  const std::string path = folder_ / "a.svg";
  const Drawn drawn = plot(path, {{"", Tensor{5, 1, 0, -2, kNan, 3}}}, {.log_x = true, .log_y = true});
  // x = 0 has no place either.
  EXPECT_EQ(drawn.note, "values: 3 not positive, left out of the logarithmic axis; 1 not finite, left out");
  EXPECT_TRUE(plot(path, {{"", Tensor{-1, kNan}}}, {.log_y = true}).drawn) << "an empty frame";
  for (const double value : {0.0, 1.0, -1e300, 1e-300, 5e-324, 1e308})
    EXPECT_TRUE(plot(path, {{"constant", Tensor{value, value}}}).drawn) << value;
  EXPECT_TRUE(plot(path, {{"", Tensor{1e-300, 1e300}}}, {.log_y = true}).drawn);
  EXPECT_TRUE(plot(path, {{"", Tensor{-1e300, 1e300}}}).drawn);
}

TEST_F(Figure, VectorsAreSeriesToo) {
  const std::string path = folder_ / "a.svg";
  const std::vector<double> x = {1, 2, 4}, y = {3, 1, 2};
  plot(path, {{"of y", y}, {"of x and y", x, y, {.line = Line::predicted}}, {"listed", {3, 1, 2}}});
  const std::string of_vectors = described(path);
  plot(path, {{"of y", Tensor{3, 1, 2}},
              {"of x and y", Tensor{1, 2, 4}, Tensor{3, 1, 2}, {.line = Line::predicted}},
              {"listed", Tensor{3, 1, 2}}});
  EXPECT_EQ(described(path), of_vectors);
  EXPECT_THAT(of_vectors, HasSubstr("dashed moves 2 points 5"));
}

TEST_F(Figure, BandsAreFilledBehind) {
  const std::string path = folder_ / "a.svg";
  plot(path, {{"mean", Tensor{1, 2, 3}, {.band = Band{Tensor{0, 1, 2}, Tensor{2, 3, 4}}}}});
  const std::string text = described(path);
  EXPECT_THAT(text, HasSubstr("polygons 1 images 0\ncurve rgb(16,40,79) solid moves 2 points 5"));
}

TEST_F(Figure, AMillionPointsKeepTheirExtremes) {
  std::vector<double> values(1000000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(1e-5 * static_cast<double>(i));
  values[123456] = 7.0;
  values[654321] = -5.0;
  const std::string path = folder_ / "a.svg";
  const Drawn drawn = plot(path, {{"", Tensor::from(values, {1000000})}});
  EXPECT_EQ(drawn.note, "1 series thinned to the extremes of 2000 bins");
  EXPECT_LT(std::filesystem::file_size(path), 200000u);
  const std::string text = described(path);
  EXPECT_THAT(text, AllOf(HasSubstr("text  6\n"), HasSubstr("text -4\n")));
  const std::size_t at = text.find("points ");
  ASSERT_NE(at, std::string::npos) << text;
  const int points = std::stoi(text.substr(at + 7));
  EXPECT_TRUE(points >= 2000 && points <= 4000) << points;  // those on one pixel are written once
}

TEST_F(Figure, LongCurvesKeepTheirGaps) {
  const std::string path = folder_ / "a.svg";
  // 10000 points are thinned to 2000 bins of 5; 1000 are not.
  const auto moves = [&](std::size_t n, std::size_t first, std::size_t length) {
    std::vector<double> values(n);
    for (std::size_t i = 0; i < n; ++i)
      values[i] = std::sin(6.0 * static_cast<double>(i) / static_cast<double>(n));
    std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(first), length, kNan);
    plot(path, {{"observed", values}});
    const std::string text = described(path);
    return text.substr(text.find("moves "), 8);
  };
  EXPECT_EQ(moves(1000, 0, 0), "moves 2 ") << "the legend's sample and the line";
  EXPECT_EQ(moves(10000, 0, 0), "moves 2 ");
  EXPECT_EQ(moves(1000, 500, 1), "moves 3 ");
  for (const std::size_t at : {5000u, 5002u, 5004u}) EXPECT_EQ(moves(10000, at, 1), "moves 3 ") << at;
  EXPECT_EQ(moves(10000, 5000, 5), "moves 3 ") << "a bin in which there is nothing else";
  EXPECT_EQ(moves(10000, 5002, 9), "moves 3 ");
}

TEST_F(SlowFigure, WhateverATextHoldsIsShown) {
  const std::string marker = folder_ / "executed";
  const std::string attack =
      "`touch " + marker + "` $(touch " + marker +
      ") 'x' \"y\" \\n %d %s $HOME @a {/Bold b} ^2 _3 </text><script>1</script> & größe ∑";
  const std::string lines = "first\n'; system('touch " + marker + "')\n#\\";
  const std::string path = folder_ / "a.svg";
  plot(
      path,
      {{attack, Tensor{1, 2}}, {lines, Tensor{2, 1}, {.line = Line::predicted}}, {"\xff\x01z", Tensor{1, 1}}},
      {.title = attack, .x = lines, .y = attack, .horizontal = {{1.5, attack}}, .height = 1200});
  EXPECT_FALSE(std::filesystem::exists(marker));
  std::string text = described(path);
  std::size_t count = 0;
  for (std::size_t at = text.find("text " + attack + "\n"); at != std::string::npos;
       at = text.find("text " + attack + "\n", at + 1))
    ++count;
  EXPECT_EQ(count, 4u) << text;
  EXPECT_THAT(text, HasSubstr("text first '; system('touch " + marker + "') #\\\n"));
  EXPECT_THAT(text, HasSubstr("text \xef\xbf\xbdz\n"));
  EXPECT_THAT(text, HasSubstr("svg 600 1200\n")) << "no links, no scripts";
  heat_map(path, Tensor{{1, 2}},
           {.title = attack, .x = attack, .y = lines, .values = attack, .height = 1200});
  EXPECT_THAT(described(path), AllOf(HasSubstr("text " + attack + "\n"), HasSubstr("svg 600 1200\n")));
  EXPECT_FALSE(std::filesystem::exists(marker));
  // At the beginning, at the end and alone, too.
  for (const char c : std::string("'\"`$%{}@&~\\^_#!?")) {
    const std::string first = std::string(1, c) + "so", last = "so" + std::string(1, c), alone(2, c);
    plot(path, {{alone, Tensor{1, 2}}}, {.title = first, .x = last});
    EXPECT_THAT(described(path), AllOf(HasSubstr("text " + first + "\n"), HasSubstr("text " + last + "\n"),
                                       HasSubstr("text " + alone + "\n")));
  }
}

TEST_F(Figure, OneRowAndOneColumnAreSeen) {
  const std::string path = folder_ / "a.svg";
  for (const Tensor& thin : {Tensor{{1, 2, 3}}, Tensor{{1}, {2}, {3}}, Tensor{{4.0}}}) {
    heat_map(path, thin);
    const std::string text = described(path);
    const std::size_t at = text.find("polygons ");
    ASSERT_NE(at, std::string::npos) << text;
    EXPECT_GE(std::stoll(text.substr(at + 9)), thin.size()) << text;
  }
}

TEST_F(Figure, PngHasItsSignatureAndSize) {
  const std::string bytes =
      svg(plot(folder_ / "a.png", {{"x", Tensor{1, 2}}}, {.width = 720, .height = 480}));
  const auto number = [&](std::size_t at) {
    unsigned value = 0;
    for (std::size_t k = 0; k < 4; ++k) value = value << 8 | static_cast<unsigned char>(bytes.at(at + k));
    return value;
  };
  EXPECT_TRUE(bytes.starts_with("\x89PNG\r\n\x1a\n"));
  EXPECT_EQ(number(16), 720u);
  EXPECT_EQ(number(20), 480u);
}

TEST_F(SlowFigure, HeatMapsAreOneFile) {
  const std::string path = folder_ / "a.svg";
  Rng rng(1);
  EXPECT_EQ(heat_map(path, rng.normal({7, 5}), {.numbers = true}).note, "");
  EXPECT_THAT(described(path), HasSubstr("polygons 35 images 0"));
  const Drawn large = heat_map(path, rng.normal({900, 500}), {.title = "Noise"});
  EXPECT_EQ(large.note, "each cell is the mean of 3 x 2 entries");
  EXPECT_THAT(described(path), AllOf(HasSubstr("text Noise - each cell is the mean of 3 x 2 entries\n"),
                                     HasSubstr("images 1\n")));
  EXPECT_THAT(read_bytes(path), HasSubstr("image-rendering:pixelated"));
  EXPECT_EQ(folder_.names(), (std::vector<std::string>{"a.svg"}));
  EXPECT_EQ(heat_map(path, Tensor{{1, kNan}, {kInf, 2}}).note, "entries not finite, left white: 2");
  EXPECT_TRUE(heat_map(path, Tensor{{kNan}}).drawn);
  EXPECT_TRUE(heat_map(path, Tensor{{0.0}}).drawn);
  EXPECT_TRUE(
      heat_map(path, rng.uniform({3, 3}), {.x = "", .y = "", .range = Range{0, 10}, .ticks = false}).drawn);
  EXPECT_THAT(described(path), AllOf(HasSubstr("text  10\n"), Not(HasSubstr("text 1\n")))) << "colours alone";
  EXPECT_TRUE(heat_map(path, Tensor::ones({1, 3000})).drawn);
  EXPECT_TRUE(heat_map(path, Tensor{{1, 2}, {3, 4}}, {.range = Range{1.5, 3}}).drawn);
}

/// Seconds of processor time that children took while f ran.
template <class F>
double seconds_of_children(F f) {
  const auto now = [] {
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  };
  const double before = now();
  f();
  return now() - before;
}

TEST_F(Figure, LargeHeatMapsTakeTenthsOfASecond) {
  Rng rng(2);
  for (const Shape& shape : {Shape{50, 50}, Shape{31, 33}, Shape{400, 400}}) {
    const Tensor matrix = rng.normal(shape);
    double least = kInf;
    for (int k = 0; k < 3; ++k)
      least = std::min(least, seconds_of_children([&] { heat_map(folder_ / "a.svg", matrix); }));
    EXPECT_LT(least, 0.3) << shape.to_string();
  }
}

// Read from the picture itself: each cell where it belongs, rows from the top, what is not finite left out.
TEST_F(Figure, CellsOfAHeatMapHaveTheirPlaces) {
  const std::string path = folder_ / "a.png";
  for (const Index n : {3, 33}) {  // as rectangles, as an image
    std::vector<double> numbers(static_cast<std::size_t>(n * n), 0.0);
    numbers[static_cast<std::size_t>(n - 1)] = 1.0;         // the upper right corner
    numbers[static_cast<std::size_t>(n * (n - 1))] = kNan;  // the lower left one
    heat_map(path, Tensor::from(numbers, {n, n}),
             {.x = "", .y = "", .range = Range{-1.0, 1.0}, .width = 360});
    const test::Finished python = test::run_python(R"py(
import struct, sys, zlib
data, at, packed = open(sys.argv[1], 'rb').read(), 8, b''
while at < len(data):
    size, kind = struct.unpack('>I4s', data[at:at + 8])
    body = data[at + 8:at + 8 + size]
    if kind == b'IHDR': width, height, depth, colour = struct.unpack('>IIBB', body[:10])
    if kind == b'IDAT': packed += body
    at += 12 + size
each = {2: 3, 6: 4}[colour]
raw, rows, before, step = zlib.decompress(packed), [], bytes(width * each), 1 + width * each
for y in range(height):
    how, line = raw[y * step], bytearray(raw[y * step + 1:(y + 1) * step])
    for k in range(len(line)):
        left = line[k - each] if k >= each else 0
        up, corner = before[k], before[k - each] if k >= each else 0
        guess = left + up - corner
        nearest = min((abs(guess - v), i, v) for i, v in enumerate((left, up, corner)))[2]
        line[k] = (line[k] + (0, left, up, (left + up) // 2, nearest)[how]) & 255
    before = bytes(line)
    rows.append([tuple(line[k:k + 3]) for k in range(0, len(line), each)])
middle, top = (0x7d, 0x7c, 0x74), (0xfd, 0xe8, 0x5a)
near = lambda a, b: all(abs(s - t) <= 6 for s, t in zip(a, b))
# Rows and columns of the map have more of the middle colour than letters do; its scale stands to the right.
is_map = [[near(p, middle) for p in row] for row in rows]
ys = [y for y in range(height) if sum(is_map[y]) > 60]
y0, y1 = ys[0], ys[-1]
xs = [x for x in range(width) if sum(is_map[y][x] for y in range(y0, y1 + 1)) > 60]
x0 = xs[0]
x1 = next(x for x in xs if not any(x + k in xs for k in range(1, 6)))
n = int(sys.argv[2])
cell = lambda i, j: rows[round(y0 + (i + 0.5) * (y1 - y0 + 1) / n)][round(x0 + (j + 0.5) * (x1 - x0 + 1) / n)]
print('top' if near(cell(0, n - 1), top) else cell(0, n - 1),
      'white' if cell(n - 1, 0) == (255, 255, 255) else cell(n - 1, 0),
      'middle' if all(near(cell(i, j), middle) for i in range(n) for j in range(n)
                      if (i, j) not in ((0, n - 1), (n - 1, 0))) else 'another')
)py",
                                                   {path, std::to_string(n)});
    EXPECT_EQ(python.output, "top white middle\n") << n;
  }
}

// The mean of 1, -1, 1, -1, ... is 0 although no entry is.
TEST_F(Figure, AroundZeroTheGreatestMagnitudeIsSeenWithItsSign) {
  const std::string path = folder_ / "a.svg";
  std::vector<double> numbers(3600);
  for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = k % 2 ? 1.0 : -1.0;
  numbers[7] = -8.0;
  const Tensor m = Tensor::from(numbers, Shape{3, 1200});
  EXPECT_EQ(heat_map(path, m).note, "each cell is the mean of 1 x 3 entries");
  const Drawn drawn = heat_map(path, m, {.title = "J", .around_zero = true});
  EXPECT_EQ(drawn.note, "each cell is the greatest in magnitude of 1 x 3 entries");
  // The colours reach from -8 to 8 although nothing is above 1.
  EXPECT_THAT(described(path), AllOf(HasSubstr("text  8\n"), HasSubstr("text -8\n"), HasSubstr("text  0\n")));
}

TEST_F(Figure, GroupsOfColumnsAreNamed) {
  const std::string path = folder_ / "a.svg";
  heat_map(path, Tensor::ones({4, 100}),
           {.column_groups = {{"first", 30}, {"crowded out", 1}, {"last", 69}}});
  EXPECT_THAT(described(path), AllOf(HasSubstr("text first\n"), HasSubstr("text last\n"),
                                     Not(HasSubstr("text crowded out\n"))));
  EXPECT_THAT(error_of<ShapeError>([&] {
                heat_map(path, Tensor::ones({4, 10}), {.column_groups = {{"a", 6}, {"b", 3}}});
              }),
              AllOf(HasSubstr("[heat_map] the groups have 9 columns, the matrix is [4, 10]")));
}

TEST_F(Figure, SpectraAreSorted) {
  const std::string path = folder_ / "a.svg";
  const Drawn drawn = plot_spectrum(path, Tensor{1e-3, 10.0, -1e-9, 1.0}, {.title = "K", .bound = 1e-6});
  EXPECT_EQ(drawn.note, "values: 1 not positive, left out of the logarithmic axis");
  EXPECT_THAT(described(path),
              AllOf(HasSubstr("text computed\n"), HasSubstr("text error bound\n"), HasSubstr("text rank\n"),
                    HasSubstr("text eigenvalue\n"), HasSubstr("polygons 1 "), HasSubstr("markers 4 ")));
  // From the upper left to the lower right, whatever the order given.
  const test::Finished places = test::run_python(R"py(
import re, sys
text = open(sys.argv[1]).read()
text = text[text.index('gnuplot_plot_2'):text.index('gnuplot_plot_3')]
at = [tuple(map(float, p)) for p in re.findall(r"<use [^>]*translate\(([\d.]+),([\d.]+)\)", text)]
at.remove(max(at, key=lambda p: p[1]))  # the legend's
print(len(at), at == sorted(at), all(a[1] < b[1] for a, b in zip(at, at[1:])))
)py",
                                                 {path});
  EXPECT_EQ(places.output, "3 True True\n");
}

TEST_F(Figure, HistogramsCountEveryValue) {
  const std::string path = folder_ / "a.svg";
  // The heights of the bars, in counts, from their polygons and the axis's ticks.
  const auto bars = [&] {
    return test::run_python(R"py(
import re, sys
text = open(sys.argv[1]).read()
group = text[text.index('gnuplot_plot_1'):]
heights = []
for points in re.findall(r"<polygon [^>]*points = '([^']*)'", group):
    ys = [float(p.split(',')[1]) for p in points.split()]
    heights.append(max(ys) - min(ys))
print(len(heights), [round(h / min(heights), 1) for h in heights])
)py",
                            {path})
        .output;
  };
  EXPECT_EQ(histogram(path, Tensor{0, 0, 1, 1, 1, 3, 4}, {.bins = 4}).note, "");
  EXPECT_EQ(bars(), "3 [1.0, 1.5, 1.0]\n");  // [0, 1), [1, 2), nothing in [2, 3), [3, 4]
  EXPECT_EQ(histogram(path, Tensor{{1, kNan}, {2, kInf}}, {.bins = 2}).note,
            "values not finite, left out: 2");
  EXPECT_EQ(bars(), "2 [1.0, 1.0]\n");
  // Quartiles 25 and 75 of 0 ... 100: a width of 2 * 50 / 101^(1/3) = 21.5, five bins.
  histogram(path, Tensor::linspace(0, 100, 101), {});
  EXPECT_EQ(bars(), "5 [1.0, 1.0, 1.0, 1.0, 1.1]\n");
  histogram(path, Tensor{3, 3, 3});
  EXPECT_EQ(bars(), "1 [1.0]\n");
  EXPECT_TRUE(histogram(path, Tensor{1, 2}, {.log_y = true, .vertical = {{1.5, "half"}}}).drawn);
  EXPECT_THAT(described(path), HasSubstr("text half\n"));
}

TEST_F(Figure, WaterfallsAddUp) {
  const std::string path = folder_ / "a.svg";
  const Drawn drawn = waterfall(path, {{"dropped", 0.5}, {"convexity", -0.25}, {"step", 0.125}},
                                {.title = "Account", .x = "slack"});
  EXPECT_EQ(drawn.note, "");
  EXPECT_THAT(described(path),
              AllOf(HasSubstr("svg 600 230\n"), HasSubstr("text dropped\n"), HasSubstr("text +0.5\n"),
                    HasSubstr("text -0.25\n"), HasSubstr("text +0.125\n"), HasSubstr("text total\n"),
                    HasSubstr("text +0.375\n"), HasSubstr("text slack\n"), HasSubstr("title Account\n")));
  // Each bar begins where the one before ends and is as long as its number; the total begins at 0.
  const test::Finished bars = test::run_python(R"py(
import re, sys
text = open(sys.argv[1]).read()
found = []
for points in re.findall(r"<polygon [^>]*points = '([^']*)'", text):
    xs, ys = zip(*(map(float, p.split(',')) for p in points.split()))
    found.append((min(ys), min(xs), max(xs)))
found.sort()
zero, unit = found[0][1], (found[0][2] - found[0][1]) / 0.5
print([(round((a - zero) / unit, 2), round((b - zero) / unit, 2)) for _, a, b in found])
)py",
                                               {path});
  EXPECT_EQ(bars.output, "[(0.0, 0.5), (0.25, 0.5), (0.25, 0.38), (0.0, 0.38)]\n");
}

TEST_F(Figure, WaterfallsOfEverySizeAndSign) {
  const std::string path = folder_ / "a.svg";
  EXPECT_TRUE(waterfall(path, {{"zero", 0.0}}, {.total = "nothing"}).drawn);
  EXPECT_THAT(described(path),
              AllOf(HasSubstr("text nothing\n"), HasSubstr("text 0\n"), HasSubstr("svg 600 200\n")));
  EXPECT_TRUE(waterfall(path, {{"a", -3e-300}, {"b", -2e-300}}).drawn);
  EXPECT_TRUE(waterfall(path, {{"a", 9e299}, {"b", -9e299}}).drawn);
  EXPECT_TRUE(waterfall(path, std::vector<Part>(100, {"part", 0.01})).drawn);
  EXPECT_THAT(described(path), HasSubstr("svg 600 3140\n"));
  const Drawn cut =
      waterfall(path, {{std::string(60, 'm'), 1.0}, {std::string(30, 'n'), 1.0}, {"' $(x) \xff", 1.0}});
  EXPECT_EQ(cut.note, "names cut: 1");
  EXPECT_THAT(described(path), AllOf(HasSubstr("text " + std::string(29, 'm') + "…\n"),
                                     HasSubstr("text " + std::string(30, 'n') + "\n"),
                                     HasSubstr("text ' $(x) \xef\xbf\xbd\n")));
}

TEST_F(Figure, AFailureLeavesTheOldFile) {
  const std::string path = folder_ / "a.svg", bin = folder_ / "bin";
  write_bytes(path, "old");
  std::filesystem::create_directory(bin);
  write_bytes(bin + "/gnuplot",
              "#!/bin/sh\necho 'line 3: no such colour' >&2\necho half a picture\nexit 4\n");
  std::filesystem::permissions(bin + "/gnuplot", std::filesystem::perms::owner_all);
  {
    const Path ours(bin + ":/usr/bin:/bin");
    EXPECT_EQ(error_of<DomainError>([&] {
                plot(path, {{"", Tensor{1, 2}}});
              }),
              "[plot] " + path +
                  ": gnuplot failed with exit code 4: line 3: no such colour ; this is a defect unless the "
                  "installation is broken");
  }
  EXPECT_EQ(read_bytes(path), "old");
  const std::string nowhere = folder_ / "none/a.svg";
  EXPECT_THAT(error_of<DomainError>([&] { heat_map(nowhere, Tensor{{1}}); }),
              HasSubstr("[heat_map] " + nowhere + ": cannot create a file in"));
}

/// A folder with a gnuplot of its own, which is this shell script.
std::string folder_of_gnuplot(const TemporaryDirectory& folder, const std::string& script) {
  const std::string bin = folder / "bin";
  std::filesystem::create_directory(bin);
  write_bytes(bin + "/gnuplot", "#!/bin/sh\n" + script);
  std::filesystem::permissions(bin + "/gnuplot", std::filesystem::perms::owner_all);
  return bin + ":/usr/bin:/bin";
}

TEST(FigureByAnotherGnuplot, WhatIsNoPictureIsAnErrorThatQuotesIt) {
  const TemporaryDirectory folder;
  const std::string svg = folder / "a.svg", png = folder / "a.png";
  write_bytes(svg, "old");
  const auto error = [&](const std::string& path, const std::string& script) {
    const Path ours(folder_of_gnuplot(folder, script));
    return error_of<DomainError>([&] { plot(path, {{"", Tensor{1, 2}}}); });
  };
  const std::string end =
      "; this is a defect unless the installation is broken, look which gnuplot is on PATH";
  for (const std::string& path : {svg, png}) {
    EXPECT_EQ(error(path, "cat >/dev/null; echo \"it's no\"; echo picture"),
              "[plot] " + path + ": what gnuplot wrote is no picture: it's no picture " + end);
    EXPECT_THAT(error(path, "cat >/dev/null; yes rubbish | head -c 100000"),
                AllOf(HasSubstr("no picture: rubbish rubbish"), Not(HasSubstr(std::string(300, 'r')))));
  }
  // A picture of the other format, and the first half of one of the right one.
  EXPECT_THAT(error(svg, "cat >/dev/null; printf '\\211PNG\\r\\n\\032\\n'"),
              HasSubstr("no picture: \xef\xbf\xbdPNG"));
  EXPECT_THAT(error(svg, "cat >/dev/null; echo '<?xml version=\"1.0\"?><svg><g>'"),
              HasSubstr("no picture: <?xml"));
  EXPECT_THAT(error(png, "cat >/dev/null; printf '\\211PNG\\r\\n\\032\\n and no more'"),
              HasSubstr("and no more"));
  EXPECT_EQ(read_bytes(svg), "old");
  EXPECT_FALSE(std::filesystem::exists(png));
}

TEST(FigureByAnotherGnuplot, HasTheTimeItIsGiven) {
  const TemporaryDirectory folder;
  const std::string path = folder / "a.svg";
  const Path ours(folder_of_gnuplot(folder, "exec sleep 60"));
  const std::string late = "gnuplot did not end within 0.25 s and was killed; give it less to do";
  EXPECT_EQ(error_of<DomainError>([&] {
              plot(path, {{"", Tensor{1, 2}}}, {.seconds = 0.25});
            }),
            "[plot] " + late);
  EXPECT_EQ(error_of<DomainError>([&] { heat_map(path, Tensor{{1}}, {.seconds = 0.25}); }),
            "[heat_map] " + late);
  EXPECT_EQ(error_of<DomainError>([&] {
              plot_spectrum(path, Tensor{1, 2}, {.seconds = 0.25});
            }),
            "[plot] " + late);
  EXPECT_EQ(error_of<DomainError>([&] {
              histogram(path, Tensor{1, 2}, {.seconds = 0.25});
            }),
            "[histogram] " + late);
  EXPECT_EQ(error_of<DomainError>([&] {
              waterfall(path, {{"a", 1.0}}, {.seconds = 0.25});
            }),
            "[waterfall] " + late);
  for (const double seconds : {0.0, -1.0, kNan})
    EXPECT_THAT(
        error_of<DomainError>([&] {
          plot(path, {{"", Tensor{1, 2}}}, {.seconds = seconds});
        }),
        AllOf(HasSubstr("[plot] " + path + ": gnuplot may take "), HasSubstr(" s; give a positive time")));
}

TEST(FigureWithoutGnuplot, IsNotDrawnAndSaysSo) {
  const TemporaryDirectory folder;
  const std::string path = folder / "a.svg";
  write_bytes(path, "old");
  const Path empty(folder / "nothing");
  ::testing::internal::CaptureStderr();
  const Drawn first = plot(path, {{"", Tensor{1, 2}}});
  const Drawn second = heat_map(folder / "b.svg", Tensor{{1}});
  const std::string said = ::testing::internal::GetCapturedStderr();
  for (const Drawn& drawn : {first, second}) {
    EXPECT_FALSE(drawn.drawn);
    EXPECT_EQ(drawn.note, "there is no gnuplot on PATH; install the Debian package gnuplot-nox");
  }
  EXPECT_EQ(first.path, path);
  EXPECT_EQ(read_bytes(path), "old");
  EXPECT_FALSE(std::filesystem::exists(folder / "b.svg"));
  const std::string what =
      " is not drawn: there is no gnuplot on PATH; install the Debian package gnuplot-nox\n";
  EXPECT_EQ(said, path + what + (folder / "b.svg") + what);
}

TEST(FigureErrors, AreThrownBeforeAnythingIsDrawn) {
  const TemporaryDirectory folder;
  const std::string path = folder / "a.svg", other = folder / "a.pdf";
  const Tensor three{1, 2, 3};
  EXPECT_EQ(error_of<DomainError>([&] {
              plot(other, {{"", three}});
            }),
            "[plot] " + other + ": the ending says the format; end it with .svg or .png");
  EXPECT_EQ(error_of<DomainError>([&] { heat_map(other, Tensor{{1}}); }),
            "[heat_map] " + other + ": the ending says the format; end it with .svg or .png");
  EXPECT_EQ(error_of<DomainError>([&] { histogram(other, three); }),
            "[histogram] " + other + ": the ending says the format; end it with .svg or .png");
  EXPECT_EQ(error_of<DomainError>([&] {
              plot(path, {{"", three}}, {.width = 10});
            }),
            "[plot] " + path + ": 10 x 400 pixels; give 200 to 4000 for each");
  EXPECT_EQ(error_of<DomainError>([&] { plot(path, {}); }),
            "[plot] " + path + ": no series; give at least one");
  EXPECT_EQ(error_of<DomainError>([&] {
              plot(path, {{"loss", Tensor()}});
            }),
            "[plot] series \"loss\" has no points; give at least one");
  EXPECT_EQ(error_of<ShapeError>([&] {
              plot(path, {{"loss", Tensor{{1, 2}}}});
            }),
            "[plot] series \"loss\": y is [1, 2]; give a tensor of shape [n]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              plot(path, {{"loss", Tensor{1, 2}, three}});
            }),
            "[plot] series \"loss\": x is [2]; give the shape of y, [3]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              plot(path, {{"loss", three, {.band = Band{three, Tensor{1}}}}});
            }),
            "[plot] series \"loss\": the band's upper side is [1]; give the shape of y, [3]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              plot(path, {{"loss", three, {.band = Band{Tensor{1}, three}}}});
            }),
            "[plot] series \"loss\": the band's lower side is [1]; give the shape of y, [3]");
  EXPECT_EQ(error_of<DomainError>([&] {
              plot(path, {{"", three}}, {.x_range = Range{2, 1}});
            }),
            "[plot] the x range is 2 to 1; give finite numbers, the lower one first");
  EXPECT_EQ(error_of<DomainError>([&] {
              plot(path, {{"", three}}, {.log_y = true, .y_range = Range{0, 1}});
            }),
            "[plot] the y range is 0 to 1; give positive numbers, the lower one first");
  EXPECT_EQ(error_of<DomainError>([&] {
              plot(path, {{"", three}}, {.log_y = true, .horizontal = {{-1, "goal"}}});
            }),
            "[plot] the line \"goal\" is at y = -1, which the axis does not have; give a positive number");
  EXPECT_EQ(error_of<ShapeError>([&] { heat_map(path, three); }),
            "[heat_map] the matrix is [3]; give a tensor of shape [rows, columns]");
  EXPECT_EQ(error_of<DomainError>([&] {
              heat_map(path, Tensor::zeros({0, 3}));
            }),
            "[heat_map] the matrix is [0, 3]; give one with entries");
  EXPECT_EQ(error_of<DomainError>([&] {
              heat_map(path, Tensor::zeros({21, 20}), {.numbers = true});
            }),
            "[heat_map] numbers for 420 cells of [21, 20] cannot be read; leave .numbers out beyond 400");
  EXPECT_EQ(error_of<ShapeError>([&] { plot_spectrum(path, Tensor{{1}}); }),
            "[plot_spectrum] values are [1, 1]; give a tensor of shape [n]");
  EXPECT_EQ(error_of<DomainError>([&] { plot_spectrum(path, three, {.bound = -1.0}); }),
            "[plot_spectrum] the bound is -1; give a finite number from 0 on");
  EXPECT_EQ(error_of<DomainError>([&] { histogram(path, Tensor{kNan}); }),
            "[histogram] none of the 1 values of [1] is finite; give at least one");
  EXPECT_EQ(error_of<DomainError>([&] { histogram(path, three, {.bins = 0}); }),
            "[histogram] 0 bins; give 1 to 1000");
  EXPECT_EQ(error_of<DomainError>([&] {
              waterfall(other, {{"a", 1.0}});
            }),
            "[waterfall] " + other + ": the ending says the format; end it with .svg or .png");
  EXPECT_EQ(error_of<DomainError>([&] { waterfall(path, {}); }),
            "[waterfall] " + path + ": 0 parts; give 1 to 100");
  EXPECT_EQ(error_of<DomainError>([&] {
              waterfall(path, std::vector<Part>(101, {"a", 1.0}));
            }),
            "[waterfall] " + path + ": 101 parts; give 1 to 100");
  EXPECT_EQ(error_of<DomainError>([&] {
              waterfall(path, {{"a", 1.0}, {"b", kNan}});
            }),
            "[waterfall] part \"b\" is nan and brings the sum to nan; give finite numbers below 1e300");
  EXPECT_EQ(
      error_of<DomainError>([&] {
        waterfall(path, {{"a", 9e299}, {"b", 9e299}});
      }),
      "[waterfall] part \"b\" is 9e+299 and brings the sum to 1.8e+300; give finite numbers below 1e300");
  EXPECT_TRUE(folder.names().empty());
}

/// CIE L* of a colour "#rrggbb".
double lightness(std::string_view colour) {
  const auto part = [&](std::size_t at) {
    const double share = std::stoi(std::string(colour.substr(at, 2)), nullptr, 16) / 255.0;
    return share <= 0.04045 ? share / 12.92 : std::pow((share + 0.055) / 1.055, 2.4);
  };
  const double luminance = 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  return luminance > 0.008856 ? 116.0 * std::cbrt(luminance) - 16.0 : 903.3 * luminance;
}

TEST(FigureStyle, SurvivesGreyCopies) {
  EXPECT_NEAR(lightness("#777777"), 50.0, 0.3);
  for (std::size_t i = 0; i < kColours.size(); ++i) {
    EXPECT_LT(lightness(kColours[i]), 80.0) << kColours[i] << " cannot be seen on white";
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_GE(std::fabs(lightness(kColours[i]) - lightness(kColours[j])), 13.0)
          << kColours[i] << kColours[j];
  }
  for (std::size_t k = 1; k < kPalette.size(); ++k)
    EXPECT_GE(lightness(kPalette[k]) - lightness(kPalette[k - 1]), 10.0) << kPalette[k];
  // Without colours, too, the first five of each kind differ, in dashes or marker.
  std::set<std::pair<std::string_view, int>> looks;
  for (const Line line : {Line::observed, Line::predicted, Line::reference})
    for (std::size_t nth = 0; nth < 5; ++nth) {
      const LineStyle style = line_style(line, 0, nth);
      EXPECT_TRUE(looks.emplace(style.dashes, style.marker).second) << style.dashes << style.marker;
    }
  // Bars up, down and in total.
  for (const auto& [a, b] : {std::pair{kColours[2], kColours[4]}, {kColours[2], kColours[0]}})
    EXPECT_GE(std::fabs(lightness(a) - lightness(b)), 25.0);
  std::set<int> markers;
  for (std::size_t nth = 0; nth < 4; ++nth) markers.insert(line_style(Line::points, 0, nth).marker);
  EXPECT_EQ(markers.size(), 4u);
  EXPECT_EQ(markers.count(0), 0u);
}

}  // namespace
}  // namespace cotangent::report
