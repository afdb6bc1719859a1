// Module: an immutable description of a function of parameters and data, made
// of parameters and other modules.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/params.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/tape.hpp"
#include "nn/init.hpp"

namespace cotangent::nn {

class Module;
/// Any class derived from Module.
template <class M>
concept IsModule = std::is_base_of_v<Module, M>;

/// Names a parameter, or a module inside, of the module that declared it.
class ParamId {
  friend class Module;
  std::size_t position_ = static_cast<std::size_t>(-1);
};
class ChildId {
  friend class Module;
  std::size_t position_ = static_cast<std::size_t>(-1);
};

/// A layer or a network f(w, x): a value that declares its parameters in its constructor and
/// holds none of their numbers. w is the module's own flat slice, so the same module serves
/// any number of parameter vectors.
///
/// A layer of a script's own:
///
///   struct Scale : nn::Module {
///     explicit Scale(Index size) : factor(declare("factor", {size}, nn::ones())) {}
///     Var operator()(const Var& w, const Var& x) const override { return mul_rows(x, param(w, factor)); }
///     nn::ParamId factor;
///   };
class Module {
 public:
  virtual ~Module() = default;

  /// The outputs of all samples at once; Params and Tensors convert.
  ///
  /// Shapes: w [num_params()], x [n, ...] -> [n, ...].
  /// Throws: ShapeError with the module's path in front unless w and x fit.
  virtual Var operator()(const Var& w, const Var& x) const = 0;

  /// What tables and errors call it: "Linear(2 -> 64)". Unless overridden, the name of its class.
  virtual std::string name() const;

  /// P, the size of w, and the names, shapes and offsets of its blocks, those of modules inside included.
  Index num_params() const noexcept { return num_params_; }
  const std::vector<ParamEntry>& table() const noexcept { return table_; }

  /// Initial parameters.
  ///
  /// Takes one 64-bit draw from rng as the seed of a stream that is split by each parameter's full name: two
  /// calls differ, and a parameter's numbers do not depend on which other parameters there are.
  /// Throws: ShapeError if an Init returns another shape than it was asked for; what an Init throws.
  Params init(Rng& rng) const;

  /// A module inside, and where its parameters begin in w.
  struct Inside {
    std::string name;
    std::shared_ptr<const Module> module;
    Index offset = 0;
  };
  /// The modules declared inside, in order; those inside them not included.
  const std::vector<Inside>& inside() const noexcept { return children_; }

  /// A table of the modules inside: path, name, parameters and how many numbers they hold.
  std::string to_string() const;

 protected:
  Module() = default;
  Module(const Module&) = default;
  Module(Module&&) = default;
  Module& operator=(const Module&) = default;
  Module& operator=(Module&&) = default;

  /// Adds a parameter behind those declared so far.
  /// Throws: DomainError for a name that is taken, empty or has one of . * ? / [ ] in it, or an empty Init.
  ParamId declare(std::string_view name, const Shape& shape, Init init);
  /// Adds a module, whose parameters become "name.theirs". Throws: DomainError as above, or without a module.
  ChildId declare(std::string_view name, std::shared_ptr<const Module> child);
  template <IsModule M>
  ChildId declare(std::string_view name, M child) {
    return declare(name, std::make_shared<const M>(std::move(child)));
  }

  /// A parameter's numbers as part of w. Cost: O(1).
  /// Throws: ShapeError as check; DomainError for an id of another module.
  Var param(const Var& w, ParamId id) const;
  /// A module inside, at its own part of w. An error it throws gets its path put in
  /// front: "[1.0 Linear(64 -> 1)] ...".
  Var call(ChildId id, const Var& w, const Var& x) const;
  /// Throws: ShapeError unless w is [num_params()]. param and call do this; a
  /// module that uses neither calls it.
  void check(const Var& w) const;

 private:
  void check_name(std::string_view name, const char* what) const;
  std::string own_parameters(Index& count) const;

  std::vector<ParamEntry> table_;
  std::vector<Init> inits_;
  std::vector<Inside> children_;
  Index num_params_ = 0;
};

}  // namespace cotangent::nn
