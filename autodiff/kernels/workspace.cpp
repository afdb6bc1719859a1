// Asks the system for what OpenBLAS will ask for.
#include "autodiff/kernels/workspace.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "autodiff/error.hpp"

#if __has_include(<sys/mman.h>)
#include <cblas.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <chrono>
#include <thread>
#endif

namespace cotangent::kernel {
namespace {

#if __has_include(<sys/mman.h>)
// What OpenBLAS 0.3.21 maps for each of its threads, and for each thread that calls it.
constexpr std::size_t kBuffer = std::size_t{128} << 20;

bool limited() {
  const auto limits = [](auto what) {
    rlimit limit{};
    return ::getrlimit(what, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  };
  return limits(RLIMIT_AS) || limits(RLIMIT_DATA);
}

bool has_room(const char* operation) {
  // OpenBLAS's own threads, which began when it was loaded, come first: one without a buffer takes no work.
  if (limited() && openblas_get_num_threads() > 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  void* buffer = ::mmap(nullptr, kBuffer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (buffer == MAP_FAILED)
    throw DomainError(fmt::format(
        "[{}] OpenBLAS works in {} MiB for each thread, which the system does not give; raise the "
        "limit of address space (ulimit -v), or set OPENBLAS_NUM_THREADS=1",
        operation, kBuffer >> 20));
  ::munmap(buffer, kBuffer);
  return true;
}
#else
bool has_room(const char*) { return true; }
#endif

}  // namespace

void check_workspace(const char* operation) {
  [[maybe_unused]] thread_local const bool room = has_room(operation);  // asked again after an error
}

}  // namespace cotangent::kernel
