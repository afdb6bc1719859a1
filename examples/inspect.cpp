// inspect: looks into a network with given weights and inputs: outputs, Jacobian, tangent kernel, spectra, dead units.
//
//   inspect --layers 3,16,16,2 --activation leaky_relu --slope 0.1 --params p.npz --inputs x.npy --out DIR
#include <cmath>
#include <cstdio>
#include <exception>
#include <optional>

#include "cotangent.hpp"
#include "examples/support/options.hpp"
#include "report/text.hpp"

using namespace cotangent;

namespace {

struct Settings {
  std::string layers, activation = "relu", params, inputs, out = ".", pattern;
  std::optional<double> slope, alpha;
  std::uint64_t seed = 1, samples = 16, top = 8;
  bool no_bias = false, no_figures = false;
};

using Activation = std::shared_ptr<const nn::Module>;

template <class M, class... Options>
Activation made(Options... options) {
  return std::make_shared<const M>(options...);
}

Activation activation_of(const Settings& s) {
  const std::string& name = s.activation;
  if (s.slope && name != "leaky_relu")
    std::fprintf(stderr, "inspect: --slope has no effect on %s\n", name.c_str());
  if (s.alpha && name != "elu") std::fprintf(stderr, "inspect: --alpha has no effect on %s\n", name.c_str());
  if (name == "relu") return made<nn::ReLU>();
  if (name == "leaky_relu") return made<nn::LeakyReLU>(s.slope.value_or(0.01));
  if (name == "tanh") return made<nn::Tanh>();
  if (name == "sigmoid") return made<nn::Sigmoid>();
  if (name == "softplus") return made<nn::Softplus>();
  if (name == "gelu") return made<nn::GELU>();
  if (name == "silu") return made<nn::SiLU>();
  if (name == "elu") return made<nn::ELU>(s.alpha.value_or(1.0));
  if (name == "erf") return made<nn::Erf>();
  if (name == "sin") return made<nn::Sin>();
  return made<nn::Identity>();
}

Tensor inputs_of(const Settings& s, Index size) {
  if (s.inputs.empty()) {
    Rng rng = Rng(s.seed).split("inputs");
    return rng.normal({static_cast<Index>(s.samples), size});
  }
  Tensor x = load(s.inputs);
  if (x.rank() != 2 || x.size(1) != size || x.size(0) == 0) {
    std::string fix = "save one row for each sample";
    if (x.rank() == 1 && x.size() == size)
      fix = "reshape a single sample to [1, " + std::to_string(size) + "]";
    if (x.rank() == 1 && size == 1) fix = "reshape it to [n, 1]";
    if (x.rank() == 2 && x.size(0) == size) fix = "transpose it: one row for each sample";
    if (x.rank() > 2) fix = "flatten every sample to one row";
    throw ShapeError("--inputs: " + s.inputs + " is " + x.shape().to_string() + ", the layers want [n, " +
                     std::to_string(size) + "]; " + fix);
  }
  for (const double v : x.data())
    if (!std::isfinite(v))
      throw DomainError("--inputs: " + s.inputs + " holds " + to_string(v) + "; give finite numbers");
  return x;
}

/// Before the work: what the arrays take. LAPACK counts in 32 bits.
void check_size(const nn::Sequential& net, const std::vector<std::string>& patterns, Index rows) {
  Index columns = 0;
  for (const ParamEntry& entry : net.table()) {
    bool chosen = patterns.empty();
    for (const std::string& pattern : patterns) chosen = chosen || matches(pattern, entry.name);
    if (chosen) columns += entry.size();
  }
  constexpr double kMost = 2147483647.0;
  const double n = static_cast<double>(rows);
  if (n * static_cast<double>(columns) > kMost || n * n > kMost)
    throw DomainError("the Jacobian would be " + Shape{rows, columns}.to_string() + ", the kernel " +
                      Shape{rows, rows}.to_string() +
                      ", more than 2^31 numbers; give fewer samples, or choose columns by --params-pattern");
}

void print_layers(const nn::Sequential& net, const Params& w,
                  const std::vector<nn::ActivationPattern>& patterns) {
  report::Table table({{"layer"},
                       {"module"},
                       {"shapes"},
                       {"parameters"},
                       {"|weight|"},
                       {"|bias|"},
                       {"active"},
                       {"dead"},
                       {"always active"}});
  for (const nn::Module::Inside& inside : net.inside()) {
    std::string shapes;
    std::vector<report::Cell> norms = {"", ""}, units = {"", "", ""};
    for (const ParamEntry& entry : inside.module->table()) {
      shapes += (shapes.empty() ? "" : ", ") + entry.name + " " + entry.shape.to_string();
      const Tensor block = w[inside.name + "." + entry.name];
      norms[entry.name == "weight" ? 0 : 1] = norm(Params({{"block", block.reshape({block.size()})}}));
    }
    for (const nn::ActivationPattern& pattern : patterns)
      if (pattern.path == inside.name)
        units = {report::number_text(100.0 * pattern.share(), 3) + " %",
                 std::to_string(pattern.dead) + " of " + std::to_string(pattern.active.size(1)),
                 pattern.linear};
    table.row({inside.name, inside.module->name(), shapes, inside.module->num_params(), norms[0], norms[1],
               units[0], units[1], units[2]});
  }
  print(table);
  print(net.num_params(), "parameters in all");
}

void draw(const Settings& s, const nn::Sequential& net, const Params& w, const Tensor& x, const Jacobian& j,
          const Tensor& kernel, const theory::JacobianSummary& summary, const theory::Spectrum& spectrum,
          const std::vector<nn::ActivationPattern>& patterns) {
  const auto path = [&](const std::string& name) { return s.out + "/inspect_" + name + ".svg"; };
  std::vector<report::Drawn> drawn;
  drawn.push_back(report::heat_map(path("jacobian"), j.matrix(),
                                   {.title = "Jacobian", .x = "parameter", .y = "sample, output"}));
  drawn.push_back(report::heat_map(
      path("kernel"), kernel, {.title = "Tangent kernel", .x = "sample, output", .y = "sample, output"}));
  drawn.push_back(report::spectrum(path("singular_values"), summary.singular_values,
                                   {.title = "Singular values of the Jacobian", .y = "singular value"}));
  drawn.push_back(report::spectrum(path("kernel_eigenvalues"), spectrum.values,
                                   {.title = "Eigenvalues of the tangent kernel", .bound = spectrum.bound}));
  std::size_t kinked = 0;
  for (const nn::LayerOutput& layer : nn::layer_outputs(net, w, x)) {
    const bool has_kink = kinked < patterns.size() && patterns[kinked].path == layer.path;
    const bool activation = layer.module.rfind("Linear", 0) != 0;
    if (has_kink)
      drawn.push_back(report::heat_map(path("activations_" + layer.path), patterns[kinked++].active,
                                       {.title = layer.path + " " + layer.module + ": active units",
                                        .x = "unit",
                                        .y = "sample",
                                        .range = report::Range{0.0, 1.0}}));
    else if (activation)
      drawn.push_back(
          report::heat_map(path("activations_" + layer.path), layer.value,
                           {.title = layer.path + " " + layer.module, .x = "unit", .y = "sample"}));
  }
  for (const report::Drawn& figure : drawn)
    if (figure.drawn) print(figure.path + (figure.note.empty() ? "" : " (" + figure.note + ")"));
}

void inspect(const Settings& s) {
  const std::vector<Index> widths = examples::sizes_in("--layers", s.layers);
  if (widths.size() < 2)
    throw DomainError("--layers: \"" + s.layers + "\" is one size; give inputs, …, outputs");
  const nn::Sequential net = nn::mlp(widths, activation_of(s), {.bias = !s.no_bias});
  Rng rng(s.seed);
  const Params w = s.params.empty() ? net.init(rng) : nn::read_params(net, s.params);
  const Tensor x = inputs_of(s, widths.front());
  const Index n = x.size(0), outputs = widths.back();
  const std::vector<std::string> columns = examples::words_in("--params-pattern", s.pattern);
  check_size(net, columns, n * outputs);
  examples::make_directory(s.out);

  report::Progress progress(5, {.label = "inspect"});
  const Tensor y = net(w, x).value();
  for (const double v : y.data())
    if (!std::isfinite(v)) {
      const auto trace = trace_nonfinite([&](const Var& u) { return net(u, x); }, w);
      throw DomainError("the outputs are not finite: " + (trace ? trace->to_string() : to_string(v)));
    }
  const std::vector<nn::ActivationPattern> patterns = nn::activation_patterns(net, w, x);
  print_layers(net, w, patterns);
  const Jacobian j = per_sample_jacobian(net, w, x, {.params = columns});
  progress.update(1);
  const theory::TangentKernel kernel = theory::tangent_kernel(net, w, x, {.params = columns});
  progress.update(2);
  const theory::JacobianSummary summary = theory::jacobian_summary(j, {.top = static_cast<Index>(s.top)});
  progress.update(3);
  const theory::Spectrum spectrum = theory::spectrum(kernel.matrix());
  progress.update(4);

  std::vector<std::string> names;
  for (Index column = 0; column < j.matrix().size(1); ++column) names.push_back(j.column_name(column));
  save_npz(s.out + "/inspect.npz", {.arrays = {{"outputs", y},
                                               {"jacobian", j.matrix()},
                                               {"kernel", kernel.values()},
                                               {"singular_values", summary.singular_values},
                                               {"kernel_eigenvalues", spectrum.values}},
                                    .labels = {{"columns", names}}});
  print("\nJacobian " + j.matrix().shape().to_string() + ": " + summary.to_string());
  const auto short_text = [](double value) { return report::number_text(value, 6); };
  print("\nTangent kernel " + kernel.values().shape().to_string() + ": eigenvalues from " +
        short_text(spectrum.smallest()) + " to " + short_text(spectrum.largest()) +
        ", each known to within " + report::number_text(spectrum.bound, 3) + "; " +
        (spectrum.smallest() > spectrum.bound
             ? "positive definite, condition " + short_text(spectrum.condition())
             : "not shown to be positive definite: the smallest is within the bound"));
  print("\n" + s.out + "/inspect.npz");
  if (!s.no_figures) draw(s, net, w, x, j, kernel.matrix(), summary, spectrum, patterns);
  progress.finish();
}

}  // namespace

int main(int argc, char** argv) {
  Settings s;
  examples::Options options("inspect",
                            "Looks into a network of linear layers with an activation between them.");
  options
      .required_text("--layers", s.layers, "SIZES", "Sizes of inputs, hidden layers and outputs: 3,16,16,2")
      .choice("--activation", s.activation,
              {"relu", "leaky_relu", "tanh", "sigmoid", "softplus", "gelu", "silu", "elu", "erf", "sin",
               "identity"},
              "Between the layers")
      .number("--slope", s.slope, "Of leaky_relu below 0 (0.01 unless given)")
      .number("--alpha", s.alpha, "Of elu below 0 (1 unless given)")
      .text("--params", s.params, "FILE",
            "Weights, an .npz with 0.weight [out, in], 0.bias [out], 2.weight, … as this library, "
            "numpy.savez or a "
            "state_dict of torch.nn.Sequential has them; without it, drawn")
      .text("--inputs", s.inputs, "FILE", "Samples, an .npy [n, inputs]; without it, drawn from N(0, 1)")
      .whole("--samples", s.samples, "How many samples are drawn", 1)
      .whole("--seed", s.seed, "Of what is drawn")
      .text("--params-pattern", s.pattern, "NAMES",
            "Only these parameters are columns of the Jacobian and count in the kernel: \"0.*,*.bias\"")
      .whole("--top", s.top, "How many of the Jacobian's largest entries are named")
      .flag("--no-bias", s.no_bias, "Layers without a bias")
      .flag("--no-figures", s.no_figures, "Only numbers")
      .text("--out", s.out, "DIR", "Directory for inspect.npz and the figures");
  if (const std::optional<int> code = options.parse(argc, argv)) return *code;
  try {
    inspect(s);
    return 0;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "inspect: %s\n", error.what());
    return examples::kBadUsage;
  }
}
