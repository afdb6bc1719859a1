// A look into networks: module by module, each recorded on a tape of its own.
#include "nn/introspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/files/files.hpp"
#include "autodiff/kinks.hpp"
#include "autodiff/npz.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::nn {
namespace {

/// The parameters of a module inside, as its own flat vector.
Tensor own_part(const Params& w, const Module::Inside& inside) {
  return detail::TensorAccess::view(w.flat(), inside.offset, Shape{inside.module->num_params()});
}

void check_params(const char* operation, const Sequential& net, const Params& w) {
  if (w.size() != net.num_params())
    throw ShapeError(
        fmt::format("[{}] w is {}, but the network has {} parameters; give the Params of its init", operation,
                    w.flat().shape().to_string(), net.num_params()));
}

ActivationPattern pattern_of(std::string path, std::string module, const Tensor& distance, Index samples) {
  const Index units = distance.size() / samples;
  ActivationPattern p;
  p.path = std::move(path);
  p.module = std::move(module);
  p.distance = distance.reshape(Shape{samples, units});
  p.active = detail::uninitialized(p.distance.shape());
  std::transform(p.distance.data().begin(), p.distance.data().end(), detail::mutable_data(p.active),
                 [](double d) { return d >= 0.0 ? 1.0 : 0.0; });
  p.active_share = mean(p.active, 0).value();  // [m]
  for (const double share : p.active_share.data()) {
    p.dead += share == 0.0;
    p.linear += share == 1.0;
  }
  return p;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::vector<LayerOutput> layer_outputs(const Sequential& net, const Params& w, const Tensor& x) {
  check_params("layer_outputs", net, w);
  std::vector<LayerOutput> outputs;
  Tensor y = x;
  for (const Module::Inside& inside : net.inside()) {
    y = (*inside.module)(own_part(w, inside), y).value();
    outputs.push_back({inside.name, inside.module->name(), y});
  }
  return outputs;
}

double ActivationPattern::share() const { return active.size() > 0 ? mean(active).item() : 0.0; }

std::vector<ActivationPattern> activation_patterns(const Sequential& net, const Params& w, const Tensor& x) {
  check_params("activation_patterns", net, w);
  if (x.rank() == 0 || x.size(0) == 0)
    throw DomainError(fmt::format("[activation_patterns] x is {}; give at least one sample, [n, ...]",
                                  x.shape().to_string()));
  std::vector<ActivationPattern> patterns;
  Tensor y = x;
  for (const Module::Inside& inside : net.inside()) {
    const Tensor own = own_part(w, inside);
    const KinkDistances kinks = kink_distances([&](const Var& z) { return (*inside.module)(own, z); }, y);
    for (const KinkDistances::Operation& at : kinks.operations)
      patterns.push_back(pattern_of(inside.name, inside.module->name(), at.distance, x.size(0)));
    y = kinks.value;
  }
  return patterns;
}

namespace {

/// As torch.save writes it: a zip archive with a pickle in it, or, formerly, the pickle alone.
bool is_torch_file(const std::string& path) {
  const detail::FileBytes file = detail::read_file("read_params", path, 4096);
  const std::string_view start(reinterpret_cast<const char*>(file.span().data()), file.span().size());
  return start.starts_with("\x80\x02") ||
         (start.starts_with("PK") && start.find("data.pkl") != std::string_view::npos);
}

}  // namespace

Params read_params(const Module& net, const std::string& path) {
  if (is_torch_file(path))
    throw DomainError(fmt::format(
        "[read_params] {} is a file of torch.save, not an .npz; in Python, save the model's weights by "
        "numpy.savez(\"{}\", **{{k: v.numpy() for k, v in model.state_dict().items()}})",
        path, std::filesystem::path(path).replace_extension(".npz").string()));
  const NpzContents file = load_npz(path);
  std::vector<std::string> expected, missing, unknown, misshapen;
  for (const ParamEntry& entry : net.table())
    expected.push_back(fmt::format("\"{}\" {}", entry.name, entry.shape.to_string()));
  const auto wanted = [&](const std::string& name) {
    return std::any_of(net.table().begin(), net.table().end(),
                       [&](const ParamEntry& entry) { return entry.name == name; });
  };
  for (const auto& [name, why] : file.others)
    if (wanted(name)) throw DomainError(why);
  std::vector<std::pair<std::string, Tensor>> blocks;
  for (const ParamEntry& entry : net.table()) {
    const auto found = std::find_if(file.arrays.begin(), file.arrays.end(),
                                    [&](const auto& array) { return array.first == entry.name; });
    if (found == file.arrays.end()) {
      missing.push_back(fmt::format("\"{}\" {}", entry.name, entry.shape.to_string()));
      continue;
    }
    const Shape& shape = found->second.shape();
    if (shape != entry.shape) {
      const bool turned = shape.rank() == 2 && entry.shape == Shape{shape[1], shape[0]};
      misshapen.push_back(fmt::format("\"{}\" is {} and must be {}{}", entry.name, shape.to_string(),
                                      entry.shape.to_string(), turned ? " (transpose it: [out, in])" : ""));
      continue;
    }
    blocks.emplace_back(entry.name, found->second);
  }
  for (const auto& [name, tensor] : file.arrays)
    if (!wanted(name)) unknown.push_back(fmt::format("\"{}\" {}", name, tensor.shape().to_string()));
  for (const auto& [name, labels] : file.labels) unknown.push_back(fmt::format("\"{}\" (text)", name));
  for (const auto& [name, why] : file.others) unknown.push_back(fmt::format("\"{}\" (not numbers)", name));

  if (!missing.empty() || !unknown.empty())
    throw DomainError(fmt::format("[read_params] {}: {}{}{}{}; the network's parameters are {}", path,
                                  missing.empty() ? "" : "missing " + listed(missing),
                                  missing.empty() || unknown.empty() ? "" : "; ",
                                  unknown.empty() ? "" : "unknown " + listed(unknown),
                                  misshapen.empty() ? "" : "; " + listed(misshapen), listed(expected)));
  if (!misshapen.empty())
    throw ShapeError(fmt::format("[read_params] {}: {}; the network's parameters are {}", path,
                                 listed(misshapen), listed(expected)));
  Params w(blocks);
  for (Index i = 0; i < w.size(); ++i)
    if (const double v = w.flat().data()[static_cast<std::size_t>(i)]; !std::isfinite(v))
      throw DomainError(fmt::format("[read_params] {}: {} is {}; save weights from before the run diverged",
                                    path, w.position_name(i), v));
  return w;
}

}  // namespace cotangent::nn
