#include "tests/support/parts.hpp"

#include <algorithm>
#include <limits>

namespace cotangent::test {
namespace {

class Reader final : public optim::State {
 public:
  Reader(const std::string& name, const Params& like) : State(like), name_(name) {}
  double number = std::numeric_limits<double>::quiet_NaN();

 private:
  void visit(const std::string& name, Tensor& tensor, bool) override {
    if (name == name_) number = tensor.item();
  }
  std::string name_;
};

}  // namespace

optim::At Bench::at(const Tensor& w, double value, double gradient_norm) {
  here_ = params(w);
  return {.iteration = 1,
          .w = here_,
          .value = value,
          .gradient_norm = gradient_norm,
          .batch = all_,
          .exact = true,
          .f = f,
          .stalled = stalled};
}

optim::Line::Found MadeLine::look(double step) {
  asked.push_back(step);
  return answers_.at(std::min(asked.size(), answers_.size()) - 1);
}

double held(optim::Rule& rule, const std::string& name, const Params& like) {
  Reader reader(name, like);
  rule.visit(reader);
  return reader.number;
}

}  // namespace cotangent::test
