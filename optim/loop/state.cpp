// Everything a part can hold, as tensors.
#include "optim/state.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"

namespace cotangent::optim {
namespace {

template <class Number>
Tensor tensor_of(const std::vector<Number>& list) {
  const std::vector<double> numbers(list.begin(), list.end());
  return Tensor::from(numbers, {static_cast<Index>(numbers.size())});
}

}  // namespace

std::string State::path(std::string_view name) const {
  return looks_ ? std::string() : prefix_ + std::string(name);
}

std::size_t State::enter(std::string_view name) {
  const std::size_t before = prefix_.size();
  if (!looks_) prefix_ += std::string(name) + ".";
  return before;
}

void State::leave(std::size_t before) { prefix_.resize(before); }

void State::operator()(std::string_view name, Tensor& tensor) { visit(path(name), tensor, true); }

void State::operator()(std::string_view name, Params& params) {
  Tensor flat = params.flat();
  visit(path(name), flat, true);
  if (looks_) return;
  params = flat.size() > 0 ? like_.with(flat) : Params();
}

void State::operator()(std::string_view name, std::vector<Params>& list) {
  if (looks_) {
    for (Params& params : list) (*this)(name, params);
    return;
  }
  auto count = static_cast<Index>(list.size());
  (*this)(std::string(name) + ".count", count);
  list.resize(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < list.size(); ++k) (*this)(std::string(name) + "." + std::to_string(k), list[k]);
}

void State::operator()(std::string_view name, double& number) {
  if (looks_) return;
  Tensor tensor = Tensor::scalar(number);
  visit(path(name), tensor, false);
  number = tensor.item();
}

void State::operator()(std::string_view name, Index& whole) {
  auto number = static_cast<double>(whole);
  (*this)(name, number);
  whole = static_cast<Index>(number);
}

void State::same(std::string_view name, Index here) {
  Index there = here;
  (*this)(name, there);
  if (there != here)
    throw DomainError(
        fmt::format("[resume] {} is {} there, {} here; resume with the options it was saved with", path(name),
                    there, here));
}

void State::operator()(std::string_view name, bool& yes) {
  double number = yes ? 1.0 : 0.0;
  (*this)(name, number);
  yes = number != 0.0;
}

void State::operator()(std::string_view name, std::vector<Index>& list) {
  if (looks_) return;
  Tensor tensor = tensor_of(list);
  visit(path(name), tensor, false);
  list.assign(tensor.data().begin(), tensor.data().end());
}

void State::operator()(std::string_view name, std::vector<double>& list) {
  if (looks_) return;
  Tensor tensor = tensor_of(list);
  visit(path(name), tensor, false);
  list.assign(tensor.data().begin(), tensor.data().end());
}

}  // namespace cotangent::optim
