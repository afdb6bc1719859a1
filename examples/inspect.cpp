// inspect: looks into a network with given weights and inputs: outputs, Jacobian, tangent kernel, spectra,
// dead units.
//
//   inspect --layers 3,16,16,2 --activation leaky_relu --slope 0.1 --params p.npz --inputs x.npy --out DIR
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <optional>

#include "cotangent.hpp"
#include "examples/support/options.hpp"

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

/// The samples of --inputs; without it, nothing yet.
std::optional<Tensor> inputs_of(const Settings& s, Index size) {
  if (s.inputs.empty()) return std::nullopt;
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
  for (Index k = 0; k < x.size(); ++k)
    if (const double v = x.data()[static_cast<std::size_t>(k)]; !std::isfinite(v))
      throw DomainError("--inputs: " + s.inputs + " holds " + to_string(v) + " at [" +
                        std::to_string(k / size) + ", " + std::to_string(k % size) +
                        "]; give finite numbers");
  return x;
}

/// Before the work: what the arrays take, in words. LAPACK counts in 32 bits.
std::string check_size(const nn::Sequential& net, const std::vector<std::string>& patterns, Index samples,
                       Index inputs, Index outputs) {
  const Index rows = samples * outputs;
  Index columns = 0, parameters = 0;
  for (const ParamEntry& entry : net.table()) {
    bool chosen = patterns.empty();
    for (const std::string& pattern : patterns) chosen = chosen || matches(pattern, entry.name);
    if (chosen) columns += entry.shape.size();
    parameters += entry.shape.size();
  }
  constexpr double kMost = 2147483647.0;
  const double n = static_cast<double>(rows);
  std::string sizes = std::to_string(parameters) + " parameters, inputs [" + std::to_string(samples) + ", " +
                      std::to_string(inputs) + "], a Jacobian [" + std::to_string(rows) + ", " +
                      std::to_string(columns) + "] and a kernel [" + std::to_string(rows) + ", " +
                      std::to_string(rows) + "]";
  if (n * static_cast<double>(columns) > kMost || n * n > kMost || static_cast<double>(parameters) > kMost ||
      static_cast<double>(samples) * static_cast<double>(inputs) > kMost)
    throw DomainError(
        "there would be " + sizes +
        ", one with more than 2^31 numbers; give smaller --layers, fewer samples, or choose columns by "
        "--params-pattern");
  return sizes;
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
                       {"never active"},
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
        units = {fmt::format("{:.3g} %", 100.0 * pattern.share()),
                 std::to_string(pattern.dead) + " of " + std::to_string(pattern.active.size(1)) +
                     (pattern.dead > 0 && inside.module->name() == "ReLU" ? ", dead" : ""),
                 pattern.linear};
    table.row({inside.name, inside.module->name(), shapes, inside.module->num_params(), norms[0], norms[1],
               units[0], units[1], units[2]});
  }
  print(table);
  print(net.num_params(), "parameters in all");
}

constexpr const char* kTapePage = "/inspect_tape.html";

/// Those of an earlier run would be taken for this one's.
void remove_figures(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    bool ours = "/" + name == kTapePage;
    for (const char* figure : {"jacobian", "kernel", "singular_values", "kernel_eigenvalues", "activations_"})
      ours = ours || (name.ends_with(".svg") && name.starts_with(std::string("inspect_") + figure));
    if (ours) std::filesystem::remove(entry.path());
  }
}

/// The columns of the Jacobian by layer: "0" for 0.weight[0, 0] .. 0.bias[9].
std::vector<report::ColumnGroup> layers_of(const std::vector<std::string>& columns) {
  std::vector<report::ColumnGroup> groups;
  for (const std::string& column : columns) {
    const std::string layer = column.substr(0, column.find('.'));
    if (groups.empty() || groups.back().name != layer) groups.push_back({layer, 0});
    ++groups.back().columns;
  }
  return groups;
}

void draw(const Settings& s, const nn::Sequential& net, const Params& w, const Tensor& x, const Jacobian& j,
          const std::vector<std::string>& columns, const Tensor& kernel,
          const theory::JacobianSummary& summary, const theory::Spectrum& spectrum,
          const std::vector<nn::ActivationPattern>& patterns) {
  const auto path = [&](const std::string& name) { return s.out + "/inspect_" + name + ".svg"; };
  std::vector<report::Drawn> drawn;
  drawn.push_back(report::heat_map(path("jacobian"), j.matrix(),
                                   {.title = "Jacobian",
                                    .x = "parameters of layer",
                                    .y = "sample, output",
                                    .around_zero = true,
                                    .column_groups = layers_of(columns)}));
  drawn.push_back(report::heat_map(
      path("kernel"), kernel, {.title = "Tangent kernel", .x = "sample, output", .y = "sample, output"}));
  drawn.push_back(report::plot_spectrum(path("singular_values"), summary.singular_values,
                                        {.title = "Singular values of the Jacobian", .y = "singular value"}));
  drawn.push_back(
      report::plot_spectrum(path("kernel_eigenvalues"), spectrum.values,
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
  report::save_tape_page(s.out + kTapePage, explore([&](const Var& u) { return net(u, x); }, w, {.runs = 1}),
                         {.title = "Tape of the outputs and of their sum's gradient"});
  print(s.out + kTapePage);
}

struct Work {
  nn::Sequential net;
  std::vector<std::string> columns;
  std::optional<Tensor> inputs;
  Index samples, size;
};

void look_into(const Settings& s, const Work& work) {
  const nn::Sequential& net = work.net;
  Rng rng(s.seed), input_rng = rng.split("inputs");
  const Params w = s.params.empty() ? net.init(rng) : nn::read_params(net, s.params);
  const Tensor x = work.inputs ? *work.inputs : input_rng.normal({work.samples, work.size});
  examples::make_directory(s.out);
  remove_figures(s.out);

  report::Progress progress(5, {.label = "inspect"});
  const Tensor y = net(w, x).value();
  for (const double v : y.data())
    if (!std::isfinite(v)) {
      const auto trace = trace_nonfinite([&](const Var& u) { return net(u, x); }, w);
      throw DomainError("the outputs are not finite: " + (trace ? trace->to_string() : to_string(v)) +
                        "\ngive weights from before the run diverged, or inputs of a smaller scale");
    }
  const std::vector<nn::ActivationPattern> patterns = nn::activation_patterns(net, w, x);
  print_layers(net, w, patterns);
  const Jacobian j = per_sample_jacobian(net, w, x, {.params = work.columns});
  progress.update(1);
  const theory::TangentKernel kernel = theory::tangent_kernel(net, w, x, {.params = work.columns});
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
  const auto short_text = [](double value) { return fmt::format("{:.6g}", value); };
  print("\nTangent kernel " + kernel.values().shape().to_string() + ": eigenvalues from " +
        short_text(spectrum.smallest()) + " to " + short_text(spectrum.largest()) +
        ", each known to within " + fmt::format("{:.3g}; ", spectrum.bound) +
        (spectrum.smallest() > spectrum.bound
             ? "positive definite, condition " + short_text(spectrum.condition())
             : "not shown to be positive definite: the smallest is within the bound"));
  print("\n" + s.out + "/inspect.npz");
  if (!s.no_figures) draw(s, net, w, x, j, names, kernel.matrix(), summary, spectrum, patterns);
  progress.finish();
}

void inspect(const Settings& s) {
  const std::vector<Index> widths = examples::sizes_in("--layers", s.layers);
  if (widths.size() < 2)
    throw DomainError("--layers: \"" + s.layers + "\" is one size; give inputs, …, outputs");
  Work work{.net = nn::mlp(widths, activation_of(s), {.bias = !s.no_bias}),
            .columns = examples::words_in("--params-pattern", s.pattern),
            .inputs = inputs_of(s, widths.front()),
            .samples = static_cast<Index>(s.samples),
            .size = widths.front()};
  if (s.samples > 2147483647)
    throw DomainError("--samples: " + std::to_string(s.samples) + " is more than 2^31 - 1; give fewer");
  if (work.inputs) work.samples = work.inputs->size(0);
  const std::string sizes = check_size(work.net, work.columns, work.samples, work.size, widths.back());
  try {
    look_into(s, work);
  } catch (const std::bad_alloc&) {
    throw DomainError("out of memory: there are " + sizes +
                      "; give smaller --layers, fewer samples, or choose columns by --params-pattern");
  }
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
      .text(
          "--out", s.out, "DIR",
          "Directory for inspect.npz, the figures and the tape's page; those of an earlier run are removed");
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
