// Callables in signatures without <functional>: FunctionRef looks at one, Function owns one.
#pragma once
#include <memory>
#include <type_traits>
#include <utility>

#include "autodiff/memory/recycled.hpp"

namespace cotangent {

template <class Signature>
class FunctionRef;

/// A view of a callable; must not outlive it. Takes lambdas, function objects and functions.
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F&, Args...>)
      FunctionRef(F&& f)  // NOLINT(google-explicit-constructor)
  noexcept {
    using Callable = std::remove_reference_t<F>;
    if constexpr (std::is_function_v<Callable>) {
      target_.function = reinterpret_cast<void (*)()>(&f);
      call_ = [](Target t, Args... args) -> R {
        return reinterpret_cast<Callable*>(t.function)(std::forward<Args>(args)...);
      };
    } else {
      target_.object = const_cast<void*>(static_cast<const void*>(std::addressof(f)));
      call_ = [](Target t, Args... args) -> R {
        return (*static_cast<Callable*>(t.object))(std::forward<Args>(args)...);
      };
    }
  }
  R operator()(Args... args) const { return call_(target_, std::forward<Args>(args)...); }

 private:
  union Target {
    void* object;
    void (*function)();
  };
  Target target_;
  R (*call_)(Target, Args...);
};

template <class Signature>
class Function;

/// An owned, shared, immutable callable.
template <class R, class... Args>
class Function<R(Args...)> {
 public:
  Function() = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Function> && std::is_invocable_r_v<R, const F&, Args...>)
      Function(F f)  // NOLINT(google-explicit-constructor)
      : target_(std::allocate_shared<const F>(detail::Recycled<F>(), std::move(f))),
        call_([](const void* t, Args... args) -> R {
          return (*static_cast<const F*>(t))(std::forward<Args>(args)...);
        }) {}
  explicit operator bool() const noexcept { return call_ != nullptr; }
  R operator()(Args... args) const { return call_(target_.get(), std::forward<Args>(args)...); }

 private:
  std::shared_ptr<const void> target_;
  R (*call_)(const void*, Args...) = nullptr;
};

}  // namespace cotangent
