// Module: the table of parameters, initial numbers, the text table, and paths in front of errors.
#include "nn/module.hpp"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <typeinfo>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::nn {
namespace {

/// An error on its way out of nested modules, in parts, so that each of them can put its name in front.
template <class Error>
class Located : public Error {
 public:
  Located(const std::string& path, const std::string& module, const std::string& text)
      : Error(fmt::format("[{} {}] {}", path, module, text)), path_(path), module_(module), text_(text) {}
  Located inside(const std::string& outer) const { return Located(outer + "." + path_, module_, text_); }

 private:
  std::string path_;
  std::string module_;
  std::string text_;
};

template <class Error>
Located<Error> locate(const Error& error, const std::string& path, const Module& module) {
  if (const auto* inner = dynamic_cast<const Located<Error>*>(&error)) return inner->inside(path);
  const std::string name = module.name();
  std::string text = error.what();
  // The module's own errors already start with its name.
  if (text.starts_with("[" + name + "] ")) text.erase(0, name.size() + 3);
  return Located<Error>(path, name, text);
}

}  // namespace

std::string Module::name() const {
  const char* mangled = typeid(*this).name();
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
  std::string name = status == 0 ? text.get() : mangled;
  const std::size_t colons = name.substr(0, name.find('<')).rfind("::");
  return colons == std::string::npos ? name : name.substr(colons + 2);
}

void Module::check_name(std::string_view name, const char* what) const {
  if (name.empty() || name.find_first_of(".*?/[]") != std::string_view::npos)
    throw DomainError(fmt::format(
        "[declare] a {} called \"{}\"; give a name without . * ? / [ ], which have meanings of their own",
        what, name));
  const bool taken =
      std::any_of(table_.begin(), table_.end(), [name](const ParamEntry& e) { return e.name == name; }) ||
      std::any_of(children_.begin(), children_.end(), [name](const Inside& c) { return c.name == name; });
  if (taken)
    throw DomainError(fmt::format("[declare] a second {} called \"{}\"; give each its own name", what, name));
}

ParamId Module::declare(std::string_view name, const Shape& shape, Init init) {
  check_name(name, "parameter");
  if (!init)
    throw DomainError(
        fmt::format("[declare] \"{}\" {} has no Init; say how its numbers are drawn, for example nn::zeros()",
                    name, shape.to_string()));
  ParamId id;
  id.position_ = table_.size();
  table_.push_back({.name = std::string(name), .shape = shape, .offset = num_params_});
  inits_.push_back(std::move(init));
  num_params_ += shape.size();
  return id;
}

ChildId Module::declare(std::string_view name, std::shared_ptr<const Module> child) {
  check_name(name, "module");
  if (!child) throw DomainError(fmt::format("[declare] \"{}\" is a null pointer; give a module", name));
  for (std::size_t k = 0; k < child->table_.size(); ++k) {
    const ParamEntry& entry = child->table_[k];
    table_.push_back({.name = fmt::format("{}.{}", name, entry.name),
                      .shape = entry.shape,
                      .offset = num_params_ + entry.offset});
    inits_.push_back(child->inits_[k]);
  }
  ChildId id;
  id.position_ = children_.size();
  const Index offset = num_params_;
  num_params_ += child->num_params();
  children_.push_back({.name = std::string(name), .module = std::move(child), .offset = offset});
  return id;
}

void Module::check(const Var& w) const {
  if (w.rank() != 1 || w.size() != num_params_)
    throw ShapeError(fmt::format(
        "[{}] w is {}, but the module has {} parameters; give the Params of init, or a flat vector [{}]",
        name(), w.shape().to_string(), num_params_, num_params_));
}

Var Module::param(const Var& w, ParamId id) const {
  check(w);
  if (id.position_ >= table_.size())
    throw DomainError(fmt::format(
        "[{}] this ParamId names none of the module's {} parameters; use the one that declare returned",
        name(), table_.size()));
  const ParamEntry& entry = table_[id.position_];
  return view(w, entry.offset, entry.shape);
}

Var Module::call(ChildId id, const Var& w, const Var& x) const {
  check(w);
  if (id.position_ >= children_.size())
    throw DomainError(fmt::format(
        "[{}] this ChildId names none of the {} modules inside; use the one that declare returned", name(),
        children_.size()));
  const Inside& child = children_[id.position_];
  const Index size = child.module->num_params();
  // Nothing is recorded for a module without parameters.
  const Var own = size == 0 ? Var(Tensor()) : view(w, child.offset, Shape{size});
  try {
    return (*child.module)(own, x);
  } catch (const ShapeError& error) {
    throw locate(error, child.name, *child.module);
  } catch (const DomainError& error) {
    throw locate(error, child.name, *child.module);
  } catch (const TapeError& error) {
    throw locate(error, child.name, *child.module);
  }
}

Params Module::init(Rng& rng) const {
  const Rng stream(rng.bits());
  Tensor flat = detail::uninitialized(Shape{num_params_});
  for (std::size_t k = 0; k < table_.size(); ++k) {
    const ParamEntry& entry = table_[k];
    Rng own = stream.split(entry.name);
    const Tensor block = inits_[k](own, entry.shape);
    if (block.shape() != entry.shape)
      throw ShapeError(fmt::format(
          "[init] \"{}\" of {} is declared {}, but its Init gave {}; return the shape it is asked for",
          entry.name, name(), entry.shape.to_string(), block.shape().to_string()));
    std::copy(block.data().begin(), block.data().end(), detail::mutable_data(flat) + entry.offset);
  }
  return Params(std::move(flat), table_);
}

std::string Module::own_parameters(Index& count) const {
  std::string text;
  count = 0;
  for (const ParamEntry& entry : table_) {
    if (entry.name.find('.') != std::string::npos) continue;  // of a module inside
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", entry.name, entry.shape.to_string());
    count += entry.size();
  }
  return text;
}

std::string Module::to_string() const {
  struct Line {
    std::string path, name, parameters, count;
  };
  std::vector<Line> rows;
  // A stack of modules still to be listed, last first, so that the rows come in order of the paths.
  std::vector<std::pair<std::string, const Module*>> waiting;
  const auto add_children = [&waiting](const std::string& prefix, const Module& of) {
    for (auto child = of.children_.rbegin(); child != of.children_.rend(); ++child)
      waiting.emplace_back(prefix + child->name, child->module.get());
  };
  add_children("", *this);
  while (!waiting.empty()) {
    const auto [path, module] = waiting.back();
    waiting.pop_back();
    Index count = 0;
    std::string parameters = module->own_parameters(count);
    const bool only_holds = count == 0 && !module->children_.empty();
    rows.push_back({path, module->name(), parameters, only_holds ? "" : fmt::format("{}", count)});
    add_children(path + ".", *module);
  }

  std::size_t widths[4] = {};
  for (const Line& row : rows) {
    widths[0] = std::max(widths[0], row.path.size());
    widths[1] = std::max(widths[1], row.name.size());
    widths[2] = std::max(widths[2], row.parameters.size());
    widths[3] = std::max(widths[3], row.count.size());
  }
  std::string text = fmt::format("{}, {} parameter{}", name(), num_params_, num_params_ == 1 ? "" : "s");
  Index count = 0;
  if (const std::string own = own_parameters(count); !own.empty()) text += "\n" + own;
  for (const Line& row : rows) {
    std::string line = fmt::format("\n{:<{}}  {:<{}}  {:<{}}  {:>{}}", row.path, widths[0], row.name,
                                   widths[1], row.parameters, widths[2], row.count, widths[3]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line;
  }
  return text;
}

}  // namespace cotangent::nn
