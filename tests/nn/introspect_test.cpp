// A look into networks: activation patterns, outputs of layers, weights from files; summaries of Jacobians.
#include "nn/introspect.hpp"

#include <sys/stat.h>

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/npz.hpp"
#include "autodiff/ops.hpp"
#include "tests/support/expect.hpp"
#include "theory/jacobian_summary.hpp"
#include "theory/tangent_kernel.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using test::TemporaryDirectory;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ActivationPatterns, ByHand) {
  const nn::Sequential net{nn::Linear(1, 4), nn::ReLU(), nn::Linear(4, 1)};
  const Params w({{"0.weight", Tensor{{1.0}, {-1.0}, {0.0}, {2.0}}},
                  {"0.bias", Tensor{0.0, -9.0, 0.5, 0.0}},
                  {"2.weight", Tensor{{1.0, 1.0, 1.0, 1.0}}},
                  {"2.bias", Tensor{0.0}}});
  const auto patterns = nn::activation_patterns(net, w, Tensor{{1.0}, {-2.0}, {0.0}, {3.0}});
  ASSERT_EQ(patterns.size(), 1u);
  const nn::ActivationPattern& p = patterns[0];
  EXPECT_EQ(p.path, "1");
  EXPECT_EQ(p.module, "ReLU");
  expect_close(p.active, Tensor{{1, 0, 1, 1}, {0, 0, 1, 0}, {1, 0, 1, 1}, {1, 0, 1, 1}}, 0.0);
  expect_close(p.distance, Tensor{{1, -10, 0.5, 2}, {-2, -7, 0.5, -4}, {0, -9, 0.5, 0}, {3, -12, 0.5, 6}},
               0.0);
  expect_close(p.active_share, Tensor{0.75, 0.0, 1.0, 0.75}, 0.0);
  EXPECT_EQ(p.dead, 1);
  EXPECT_EQ(p.linear, 1);
  EXPECT_EQ(p.share(), 10.0 / 16.0);
}

TEST(ActivationPatterns, OfNestedAndSmoothModules) {
  Rng rng(3);
  const nn::Sequential block{nn::Linear(3, 5), nn::ReLU(), nn::Linear(5, 3), nn::ELU(0.5)};
  const nn::Sequential net{block, nn::Tanh(), nn::Linear(3, 2), nn::LeakyReLU(0.2)};
  const nn::Sequential held = nn::Sequential().append(block).append(nn::Tanh()).append(nn::Linear(3, 2));
  const Params w = held.init(rng);
  const Tensor x = rng.normal({7, 3});
  const auto patterns = nn::activation_patterns(held, w, x);
  ASSERT_EQ(patterns.size(), 2u);
  for (const auto& p : patterns) EXPECT_EQ(p.path, "0");
  EXPECT_EQ(patterns[0].active.shape(), (Shape{7, 5}));
  EXPECT_EQ(patterns[1].active.shape(), (Shape{7, 3}));
  const auto outputs = nn::layer_outputs(held, w, x);
  ASSERT_EQ(outputs.size(), 3u);
  EXPECT_EQ(outputs[1].module, "Tanh");
  EXPECT_TRUE(equal(outputs.back().value, held(w, x).value()));
  EXPECT_TRUE(
      nn::activation_patterns(nn::mlp({3, 4, 1}, nn::Tanh()), nn::mlp({3, 4, 1}, nn::Tanh()).init(rng), x)
          .empty());
  EXPECT_EQ(net.size(), 4);
}

TEST(ActivationPatterns, Errors) {
  Rng rng(3);
  const nn::Sequential net = nn::mlp({3, 4, 1}, nn::ReLU());
  const Params w = net.init(rng), other = nn::mlp({2, 4, 1}, nn::ReLU()).init(rng);
  EXPECT_THAT(error_of<ShapeError>([&] {
                nn::activation_patterns(net, other, Tensor::ones({2, 3}));
              }),
              AllOf(HasSubstr("[activation_patterns]"), HasSubstr("[17]"), HasSubstr("21 parameters")));
  EXPECT_THAT(error_of<ShapeError>([&] {
                nn::layer_outputs(net, other, Tensor::ones({2, 3}));
              }),
              HasSubstr("[layer_outputs]"));
  EXPECT_THAT(error_of<DomainError>([&] {
                nn::activation_patterns(net, w, Tensor::zeros({0, 3}));
              }),
              AllOf(HasSubstr("[0, 3]"), HasSubstr("at least one sample")));
}

TEST(ReadParams, InAnyOrder) {
  const TemporaryDirectory folder;
  Rng rng(8);
  const nn::Sequential net = nn::mlp({2, 3, 1}, nn::Tanh());
  const Params w = net.init(rng);
  save(folder / "w.npz", w);
  EXPECT_TRUE(equal(nn::read_params(net, folder / "w.npz").flat(), w.flat()));
  NpzContents turned;
  for (auto entry = w.table().rbegin(); entry != w.table().rend(); ++entry)
    turned.arrays.emplace_back(entry->name, w[entry->name]);
  save_npz(folder / "turned.npz", turned);
  const Params read = nn::read_params(net, folder / "turned.npz");
  EXPECT_TRUE(equal(read.flat(), w.flat()));
  EXPECT_EQ(read.table()[0].name, "0.weight");
}

TEST(ReadParams, ErrorsNameWhatIsWrongAndWhatIsExpected) {
  const TemporaryDirectory folder;
  const nn::Sequential net = nn::mlp({2, 3, 1}, nn::Tanh());
  const auto error = [&](const NpzContents& contents) {
    save_npz(folder / "w.npz", contents);
    try {
      nn::read_params(net, folder / "w.npz");
    } catch (const std::exception& e) {
      return std::string(e.what());
    }
    return std::string("nothing thrown");
  };
  const Tensor first = Tensor::ones({3, 2}), bias = Tensor::ones({3}), last = Tensor::ones({1, 3}),
               end = Tensor::ones({1});
  EXPECT_THAT(error({.arrays = {{"0.weight", first}, {"0.bias", bias}, {"2.weight", last}}, .labels = {}}),
              AllOf(HasSubstr("[read_params]"), HasSubstr("w.npz: missing \"2.bias\" [1];"),
                    Not(HasSubstr("unknown")),
                    HasSubstr("the network's parameters are \"0.weight\" [3, 2], \"0.bias\" [3]")));
  EXPECT_THAT(error({.arrays = {{"0.weight", first}, {"0.bias", bias}, {"1.weight", last}, {"2.bias", end}},
                     .labels = {{"notes", {"a"}}}}),
              AllOf(HasSubstr("missing \"2.weight\" [1, 3]"),
                    HasSubstr("unknown \"1.weight\" [1, 3], \"notes\" (text)")));
  EXPECT_THAT(
      error({.arrays =
                 {{"0.weight", Tensor::ones({2, 3})}, {"0.bias", bias}, {"2.weight", last}, {"2.bias", end}},
             .labels = {}}),
      AllOf(HasSubstr("\"0.weight\" is [2, 3] and must be [3, 2] (transpose it")));
  EXPECT_THAT(
      error({.arrays = {{"0.weight", first}, {"0.bias", bias}, {"2.weight", last}, {"2.bias", Tensor{NAN}}},
             .labels = {}}),
      AllOf(HasSubstr("2.bias[0] is nan")));
  EXPECT_THAT(error_of<DomainError>([&] { nn::read_params(net, folder / "none.npz"); }),
              HasSubstr("none.npz"));
}

TEST(ReadParams, WaitsForNoPipeAndReadsPastNoArrayOfOtherKinds) {
  const TemporaryDirectory folder;
  const nn::Sequential net = nn::mlp({2, 3, 1}, nn::Tanh());
  const std::string pipe = folder / "pipe.npz";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {pipe, folder.path(), std::string("/dev/zero")})
    EXPECT_EQ(error_of<DomainError>([&] { nn::read_params(net, path); }),
              "[read_params] " + path + ": is not a regular file; give the name of a file");

  COTANGENT_NEEDS_NUMPY();
  const auto numpy = test::run_python(R"(
import sys, numpy as np
w = {'0.weight': np.ones((3, 2)), '0.bias': np.ones(3), '2.weight': np.ones((1, 3)), '2.bias': np.ones(1)}
np.savez(sys.argv[1] + '/more.npz', notes=np.array([None]), **w)
w['0.bias'] = w['0.bias'] * 1j
np.savez(sys.argv[1] + '/complex.npz', **w)
)",
                                      {folder.path()});
  ASSERT_EQ(numpy.status, 0) << numpy.output;
  EXPECT_THAT(error_of<DomainError>([&] { nn::read_params(net, folder / "more.npz"); }),
              HasSubstr("unknown \"notes\" (not numbers)"));
  EXPECT_THAT(
      error_of<DomainError>([&] { nn::read_params(net, folder / "complex.npz"); }),
      HasSubstr("array \"0.bias\": holds dtype '<c16', which is none of f4, f8, i1 to i8, u1 to u8, b1 and "
                "U; save its .real and its .imag as two arrays"));
}

TEST(SingularValues, OfMatricesThatKnowThem) {
  // diag(3, 4) turned by two rotations; and a matrix of rank 1.
  const double c = 0.6, s = 0.8;
  const Tensor q{{c, -s}, {s, c}};
  const Tensor a = matmul(matmul(q, Tensor{{3.0, 0.0}, {0.0, 4.0}}), q).value();
  expect_close(theory::singular_values(a), Tensor{4.0, 3.0}, 1e-14);
  const Tensor one = matmul(Tensor{{1.0}, {2.0}, {2.0}}, Tensor{{3.0, 4.0}}).value();
  expect_close(theory::singular_values(one), Tensor{15.0, 0.0}, 1e-14);
  EXPECT_EQ(theory::singular_values(Tensor::ones({2, 5})).shape(), (Shape{2}));
  expect_close(theory::singular_values(Tensor::zeros({2, 3})), Tensor{0.0, 0.0}, 0.0);
}

TEST(SingularValues, Errors) {
  EXPECT_THAT(error_of<ShapeError>([] { theory::singular_values(Tensor{1.0}); }),
              AllOf(HasSubstr("[singular_values]"), HasSubstr("[1]")));
  EXPECT_THAT(error_of<ShapeError>([] {
                theory::singular_values(Tensor::zeros({0, 3}));
              }),
              HasSubstr("[0, 3]"));
  EXPECT_THAT(error_of<DomainError>([] { theory::singular_values(Tensor{{1.0, NAN}}); }), HasSubstr("nan"));
}

TEST(JacobianSummary, SquaresAreTheKernelsEigenvalues) {
  Rng rng(9);
  const nn::Sequential net = nn::mlp({3, 10, 2}, nn::Tanh());
  const Params w = net.init(rng);
  const Tensor x = rng.normal({6, 3});
  const theory::JacobianSummary s = theory::jacobian_summary(per_sample_jacobian(net, w, x));
  EXPECT_EQ(s.rank, 12);
  EXPECT_TRUE(s.full_rank);
  const Tensor k = theory::tangent_kernel(net, w, x).matrix();
  double trace = 0.0;
  for (Index i = 0; i < 12; ++i) trace += k(i, i);
  EXPECT_NEAR(sum(square(s.singular_values)).item(), trace, 1e-12 * trace);
  EXPECT_NEAR(s.stable_rank, trace / (s.singular_values(0) * s.singular_values(0)), 1e-12);
  EXPECT_NEAR(s.condition, s.singular_values(0) / s.singular_values(11), 1e-9);
  double blocks = 0.0;
  for (const auto& block : s.blocks) blocks += block.norm * block.norm;
  EXPECT_NEAR(blocks, trace, 1e-12 * trace);
  ASSERT_EQ(s.top.size(), 8u);
  for (std::size_t i = 1; i < s.top.size(); ++i)
    EXPECT_GE(std::fabs(s.top[i - 1].value), std::fabs(s.top[i].value));
  EXPECT_THAT(s.to_string(), AllOf(HasSubstr("rank 12 of 12 (full)"), HasSubstr(s.top[0].column)));
}

TEST(JacobianSummary, SeesLostRankAndDeadColumns) {
  // Two equal samples, and a unit that is never active.
  const nn::Sequential net{nn::Linear(2, 2), nn::ReLU(), nn::Linear(2, 1)};
  const Params w({{"0.weight", Tensor{{1.0, 0.5}, {0.0, 0.0}}},
                  {"0.bias", Tensor{0.0, -1.0}},
                  {"2.weight", Tensor{{2.0, 1.0}}},
                  {"2.bias", Tensor{0.0}}});
  const Jacobian j = per_sample_jacobian(net, w, Tensor{{1.0, 2.0}, {1.0, 2.0}, {3.0, 1.0}});
  const theory::JacobianSummary s = theory::jacobian_summary(j, {.top = 2});
  EXPECT_EQ(s.rank, 2);
  EXPECT_FALSE(s.full_rank);
  EXPECT_EQ(s.condition, INFINITY);
  EXPECT_NEAR(s.condition_on_rank, s.singular_values(0) / s.singular_values(1), 1e-12);
  EXPECT_EQ(s.blocks[0].zero_columns, 2);
  EXPECT_EQ(s.blocks[1].zero_columns, 1);
  EXPECT_EQ(s.blocks[3].zero_columns, 0);
  EXPECT_EQ(s.top.size(), 2u);
  EXPECT_THAT(s.to_string(),
              AllOf(HasSubstr("rank 2 of 3;"), HasSubstr("columns of zeros: 2"), HasSubstr("on the rank")));
  EXPECT_EQ(theory::jacobian_summary(j, {.threshold = 1e9}).rank, 0);
  EXPECT_TRUE(std::isnan(theory::jacobian_summary(j, {.threshold = 1e9}).condition_on_rank));
  EXPECT_THAT(error_of<DomainError>([&] { theory::jacobian_summary(j, {.top = -1}); }),
              AllOf(HasSubstr("[jacobian_summary]"), HasSubstr("-1")));
}

}  // namespace
}  // namespace cotangent
