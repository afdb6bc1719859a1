// Arb's headers, and a ball with its end. No other room sees them.
#pragma once
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <arb.h>
#include <arb_hypgeom.h>
#include <arb_mat.h>
#pragma GCC diagnostic pop

namespace cotangent::enclosing {

/// To be told of before a thread makes its first ball: gives back what Arb caches for a thread when it ends.
void mind_thread();

/// One ball.
class Ball {
 public:
  Ball() {
    mind_thread();
    arb_init(x_);
  }
  explicit Ball(double exact) : Ball() { arb_set_d(x_, exact); }
  Ball(const Ball&) = delete;
  Ball& operator=(const Ball&) = delete;
  ~Ball() { arb_clear(x_); }
  operator arb_ptr() noexcept { return x_; }           // NOLINT(google-explicit-constructor)
  operator arb_srcptr() const noexcept { return x_; }  // NOLINT(google-explicit-constructor)

 private:
  arb_t x_;
};

}  // namespace cotangent::enclosing
