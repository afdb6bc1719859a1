// Transcendental kernels of each processor level against the math library in extended precision.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/levels.hpp"
#include "autodiff/provenance.hpp"
#include "autodiff/rng.hpp"

namespace cotangent {

// The kernels as they were compiled for each level.
namespace kernel::v1 {
extern const Transcendental kTable;
extern const Loops kLoops;
extern const Elements kElements;
}  // namespace kernel::v1
#if defined(__x86_64__)
namespace kernel::v3 {
extern const Transcendental kTable;
extern const Loops kLoops;
extern const Elements kElements;
}  // namespace kernel::v3
namespace kernel::v4 {
extern const Transcendental kTable;
extern const Loops kLoops;
extern const Elements kElements;
}  // namespace kernel::v4
#endif

namespace {

const std::vector<kernel::Level> kOwn {
  {"v1", &kernel::v1::kTable, &kernel::v1::kLoops, &kernel::v1::kElements},
#if defined(__x86_64__)
      {"v3", &kernel::v3::kTable, &kernel::v3::kLoops, &kernel::v3::kElements},
      {"v4", &kernel::v4::kTable, &kernel::v4::kLoops, &kernel::v4::kElements},
#endif
};

using kernel::Transcendental;

using Real = long double;

struct Function {
  std::string name;
  void (*Transcendental::*kernel)(double*, const double*, std::int64_t);
  Real (*exact)(Real);
  double low, high;
  /// In place of `kernel`: a derivative, which is multiplied by g.
  void (*Transcendental::*slope)(double*, const double*, const double*, std::int64_t) = nullptr;
  std::int64_t more_ulps = 0;
  double absolute = 0.0;

  void run(const Transcendental& table, double* y, const double* x, std::int64_t n) const {
    if (kernel != nullptr) return (table.*kernel)(y, x, n);
    const std::vector<double> ones(static_cast<std::size_t>(n), 1.0);
    (table.*slope)(y, ones.data(), x, n);
  }
};

Real logistic(Real x) { return 1.0L / (1.0L + std::exp(-x)); }
/// x f at infinite x too, for an f that decays faster.
Real times_x(Real x, Real f) { return f == 0.0L ? 0.0L * (x < 0.0L ? -1.0L : 1.0L) : x * f; }

const std::vector<Function> kFunctions{
    {"exp", &Transcendental::exp, [](Real x) { return std::exp(x); }, -760.0, 720.0},
    {"log", &Transcendental::log, [](Real x) { return std::log(x); }, 0.0, 1000.0},
    {"sin", &Transcendental::sin, [](Real x) { return std::sin(x); }, -300.0, 300.0},
    {"cos", &Transcendental::cos, [](Real x) { return std::cos(x); }, -300.0, 300.0},
    {"tanh", &Transcendental::tanh, [](Real x) { return std::tanh(x); }, -25.0, 25.0},
    {"sigmoid", &Transcendental::sigmoid, logistic, -760.0, 60.0},
    {"softplus", &Transcendental::softplus,
     [](Real x) { return (x > 0.0L ? x : 0.0L) + std::log1p(std::exp(-std::fabs(x))); }, -760.0, 60.0},
    {"expm1", &Transcendental::expm1, [](Real x) { return std::expm1(x); }, -760.0, 709.0},
    {"log1p", &Transcendental::log1p, [](Real x) { return std::log1p(x); }, 0.0, 1000.0},
    {"silu", &Transcendental::silu, [](Real x) { return times_x(x, logistic(x)); }, -700.0, 60.0, nullptr, 4},
    {"tanh_slope", nullptr, [](Real x) { return 1.0L / (std::cosh(x) * std::cosh(x)); }, -340.0, 340.0,
     &Transcendental::tanh_slope, 8},
    {"sigmoid_slope", nullptr, [](Real x) { return logistic(x) * logistic(-x); }, -700.0, 700.0,
     &Transcendental::sigmoid_slope, 4},
    {"sigmoid_moment", nullptr, [](Real x) { return times_x(x, logistic(x) * logistic(-x)); }, -700.0, 700.0,
     &Transcendental::sigmoid_moment, 10},
    {"silu_slope", nullptr, [](Real x) { return logistic(x) + times_x(x, logistic(x) * logistic(-x)); },
     -700.0, 700.0, &Transcendental::silu_slope, 10, 4e-16},
};

/// Number of doubles between a and b; 0 only for the same bits, up to NaN.
std::int64_t ulps(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : std::int64_t{1} << 62;
  const auto place = [](double x) {
    const auto bits = std::bit_cast<std::int64_t>(x);
    return bits >= 0 ? bits : std::numeric_limits<std::int64_t>::min() - bits - 1;
  };
  return std::abs(place(a) - place(b));
}

void expect_close(const kernel::Level& level, const Function& f, const std::vector<double>& x,
                  std::int64_t bound) {
  std::vector<double> y(x.size(), -7.0);
  f.run(*level.table, y.data(), x.data(), static_cast<std::int64_t>(x.size()));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto exact = static_cast<double>(f.exact(x[i]));
    // Results below the smallest normal number may be flushed to zero.
    if (std::fabs(exact) < std::numeric_limits<double>::min() && y[i] == 0.0) continue;
    if (std::fabs(y[i] - exact) <= f.absolute) continue;
    EXPECT_LE(ulps(y[i], exact), bound + f.more_ulps)
        << f.name << " " << level.name << " at " << x[i] << ", element " << i << " of " << x.size() << ": "
        << y[i] << ", should be " << exact;
  }
}

/// Across the whole range and, three times in four, near 0 or 1 where functions lose digits.
std::vector<double> arguments(const Function& f, std::size_t n, Rng& rng) {
  std::vector<double> x;
  for (std::size_t i = 0; i < n; ++i) {
    const double u = rng.uniform();
    const double small = (rng.uniform() - 0.5) * std::exp2(-40.0 * rng.uniform());
    switch (i % 4) {
      case 0:
        x.push_back(f.low + (f.high - f.low) * u);
        break;
      case 1:
        x.push_back(f.low < 0.0 ? small : std::fabs(small));
        break;
      case 2:
        x.push_back(1.0 + small);
        break;
      default:
        x.push_back(f.low < 0.0 ? 6.0 * (u - 0.5) : 6.0 * u);
    }
  }
  return x;
}

TEST(Transcendental, EveryLengthOnEveryLevel) {
  for (const kernel::Level& level : kernel::levels()) {
    for (const Function& f : kFunctions) {
      Rng rng = Rng(5).split(f.name);
      for (std::size_t n = 1; n <= 40; ++n) expect_close(level, f, arguments(f, n, rng), 4);
      expect_close(level, f, arguments(f, 1000, rng), 4);
    }
  }
}

TEST(Transcendental, SpecialValuesAtEveryPlace) {
  const double inf = INFINITY;
  const std::vector<double> specials{0.0,   -0.0,   inf,    -inf,     NAN, 1e-320, -1e-320, 710.0, -710.0,
                                     745.0, -745.0, 1e-310, 2.2e-308, 1e5, 1e15,   -1e22,   1e300};
  for (const kernel::Level& level : kernel::levels()) {
    for (const Function& f : kFunctions) {
      for (const double special : specials) {
        expect_close(level, f, {special}, 4);
        for (std::size_t n : {2u, 8u, 11u}) expect_close(level, f, std::vector<double>(n, special), 4);
        // One special value must not disturb its neighbours in the same register.
        for (std::size_t at = 0; at < 8; ++at) {
          std::vector<double> x{0.5, 0.25, 1.5, 2.0, 0.75, 3.0, 1.0, 0.125};
          x[at] = special;
          expect_close(level, f, x, 4);
        }
      }
    }
  }
}

TEST(Transcendental, Log1pBetweenMinusOneAndZero) {
  std::vector<double> x{-1.0, -1.5};
  for (int k = 1; k < 53; ++k) {
    x.push_back(-1.0 + std::exp2(-k));
    x.push_back(-std::exp2(-k));
  }
  Rng rng(8);
  for (int k = 0; k < 500; ++k) x.push_back(-rng.uniform());
  for (const kernel::Level& level : kernel::levels())
    for (const Function& f : kFunctions)
      if (f.name == "log1p") expect_close(level, f, x, 4);
}

TEST(Transcendental, MayWriteOverItsArgument) {
  for (const kernel::Level& level : kernel::levels()) {
    for (const Function& f : kFunctions) {
      for (const std::size_t n : {1u, 3u, 7u, 8u, 9u, 13u, 999u, 1000u, 1001u, 4096u}) {
        Rng rng(9);
        std::vector<double> x = arguments(f, n, rng), y(n);
        const auto size = static_cast<std::int64_t>(n);
        f.run(*level.table, y.data(), x.data(), size);
        f.run(*level.table, x.data(), x.data(), size);
        EXPECT_EQ(x, y) << f.name << " " << level.name;
      }
    }
  }
}

TEST(Transcendental, NothingIsWrittenForAnEmptyArray) {
  for (const kernel::Level& level : kernel::levels()) {
    for (const Function& f : kFunctions) {
      double y = -7.0;
      const double x = 0.5;
      f.run(*level.table, &y, &x, 0);
      EXPECT_EQ(y, -7.0);
    }
  }
}

TEST(Transcendental, DerivativesAreMultipliedByTheirG) {
  for (const kernel::Level& level : kernel::levels())
    for (const Function& f : kFunctions) {
      if (f.slope == nullptr) continue;
      for (const std::size_t n : {1u, 3u, 7u, 8u, 9u, 13u, 1000u}) {
        Rng rng(10);
        const std::vector<double> x = arguments(f, n, rng);
        std::vector<double> g, y(n), plain(n);
        for (std::size_t i = 0; i < n; ++i) g.push_back(rng.uniform() - 0.5);
        std::vector<double> over_g = g, over_x = x;
        const auto size = static_cast<std::int64_t>(n);
        f.run(*level.table, plain.data(), x.data(), size);
        (level.table->*f.slope)(y.data(), g.data(), x.data(), size);
        (level.table->*f.slope)(over_g.data(), over_g.data(), x.data(), size);
        (level.table->*f.slope)(over_x.data(), g.data(), over_x.data(), size);
        for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(y[i], g[i] * plain[i]) << f.name << " " << level.name;
        EXPECT_EQ(over_g, y) << f.name << " " << level.name;
        EXPECT_EQ(over_x, y) << f.name << " " << level.name;
      }
    }
}

// In a long array a number's result must not depend on where it stands, or batches would change results.
TEST(Transcendental, PlaceInALongArrayDoesNotMatter) {
  for (const kernel::Level& level : kernel::levels()) {
    for (const Function& f : kFunctions) {
      for (const double value : {0.3, 1.7, 2.9}) {
        std::vector<double> x(21, value), y(21);
        f.run(*level.table, y.data(), x.data(), 21);
        for (const double v : y) EXPECT_EQ(v, y[0]) << f.name << " " << level.name;
      }
    }
  }
}

/// At most so many units in the last place apart, or both NaN.
bool near(double a, double b, std::int64_t most) {
  if (std::isnan(a) || std::isinf(a) || std::isnan(b) || std::isinf(b)) return a == b || (a != a && b != b);
  const auto place = [](double x) {
    const auto bits = std::bit_cast<std::int64_t>(x);
    return bits < 0 ? std::numeric_limits<std::int64_t>::min() - bits : bits;
  };
  return std::signbit(a) == std::signbit(b) && std::llabs(place(a) - place(b)) <= most;
}

/// Numbers of every sign and exponent, subnormal ones among them, and what is none.
std::vector<double> sweep(Rng& rng) {
  std::vector<double> x{0.0, -0.0, INFINITY, -INFINITY, NAN, -NAN, 5e-324, -5e-324, 1.7976931348623157e308,
                        -1.0};
  for (int exponent = -1074; exponent <= 1023; ++exponent)
    for (int k = 0; k < 8; ++k) {
      const double size = std::ldexp(k == 0 ? 1.0 : 1.0 + rng.uniform(), exponent);
      x.insert(x.end(), {size, -size});
    }
  return x;
}

// v3, which fuses multiplications with additions, may be two units in the last place off, and more where the
// square of an exponential is taken.
TEST(Transcendental, LevelsGiveTheSameBitsButForWhatV3Fuses) {
  const auto levels = kernel::levels();
  for (const Function& f : kFunctions) {
    Rng rng = Rng(6).split(f.name);
    std::vector<double> all = sweep(rng);
    const std::vector<double> usual = arguments(f, 20000, rng);
    all.insert(all.end(), usual.begin(), usual.end());
    for (const kernel::Level& level : levels) {
      const auto run = [&](const kernel::Level& by, std::size_t from, std::size_t n) {
        std::vector<double> y(n);
        f.run(*by.table, y.data(), all.data() + from, static_cast<std::int64_t>(n));
        return y;
      };
      const auto same = [&](std::size_t from, std::size_t n) {
        const std::vector<double> found = run(level, from, n), wanted = run(levels.front(), from, n);
        for (std::size_t i = 0; i < n; ++i)
          ASSERT_TRUE(std::bit_cast<std::uint64_t>(found[i]) == std::bit_cast<std::uint64_t>(wanted[i]) ||
                      (level.name == std::string("v3") && (near(found[i], wanted[i], 2 + f.more_ulps) ||
                                                           std::fabs(found[i] - wanted[i]) <= f.absolute)))
              << f.name << ", " << level.name << ", at " << all[from + i] << ", number " << i << " of " << n
              << ": " << found[i] << ", not " << wanted[i];
      };
      same(0, all.size());
      // In parts of every short length, where some go by the math library and some by padded batches.
      for (std::size_t from = 0, n = 1; from + 20 < all.size(); from += n, n = n % 19 + 1) same(from, n);
    }
  }
}

// The program asks itself, in a new process for each wish.
std::string child_with(const std::string& wish) {
  char path[4096];
  const auto length = ::readlink("/proc/self/exe", path, sizeof path);
  const std::string program(path, static_cast<std::size_t>(length));
  std::FILE* pipe = ::popen(("COTANGENT_ISA=" + wish + " GTEST_OUTPUT= '" + program +
                             "' --gtest_filter=Transcendental.PrintsItsLevel")
                                .c_str(),
                            "r");
  std::string text;
  char line[512];
  while (pipe && std::fgets(line, sizeof line, pipe)) text += line;
  if (pipe) ::pclose(pipe);
  const std::size_t at = text.find("level=");
  return at == std::string::npos ? text : text.substr(at, text.find('\n', at) - at);
}

// By their addresses: a level that is right by name could still run another one's kernels.
TEST(Transcendental, PrintsItsLevel) {
  try {
    const char* name = kernel::isa_name();
    std::printf("level=%s", name);
  } catch (const DomainError& error) {
    std::printf("level=none: %s provenance: ", error.what());
    try {
      static_cast<void>(provenance());
    } catch (const DomainError& again) {
      std::printf("%s\n", again.what());
    }
    return;
  }
  for (const kernel::Level& own : kOwn)
    if (own.table == &kernel::transcendental() && own.loops == &kernel::loops() &&
        own.elements == &kernel::elements())
      std::printf(" runs %s", own.name);
  std::printf("\n");
}

TEST(Transcendental, TheEnvironmentChoosesALevelThisProcessorHas) {
  const auto runs = [](const kernel::Level& level) {
    return std::string("level=") + level.name + " runs " + level.name;
  };
  const auto list = kernel::levels();
  for (const kernel::Level& level : list) EXPECT_EQ(child_with(level.name), runs(level));
  EXPECT_EQ(child_with(""), runs(list.back()));
  EXPECT_STREQ(list.front().name, "v1");
}

TEST(Transcendental, ALevelThatThereIsNotIsAnError) {
  std::string names;
  for (const kernel::Level& level : kernel::levels())
    names += (names.empty() ? "" : ", ") + std::string(level.name);
  for (const std::string wish : {"nonsense", "V1", "v2", "v5"}) {
    const std::string error = "[kernels] COTANGENT_ISA is '" + wish + "'; this processor runs the levels " +
                              names + ": name one of them, or leave the variable unset for the highest";
    EXPECT_EQ(child_with(wish), "level=none: " + error + " provenance: " + error);
  }
#if defined(__x86_64__)
  if (kernel::levels().size() < 3) {
    EXPECT_THAT(child_with("v4"), testing::HasSubstr("COTANGENT_ISA is 'v4'; this"));
  }
#endif
}

}  // namespace
}  // namespace cotangent
