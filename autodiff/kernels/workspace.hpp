// The memory in which OpenBLAS works.
#pragma once

namespace cotangent::kernel {

/// Looks, at a thread's first product or factor, whether the system would give OpenBLAS a buffer to work in.
/// Where it would not, under a limit of address space say, OpenBLAS asks again and again and never returns.
/// Throws: DomainError in `operation`'s name.
void check_workspace(const char* operation);

}  // namespace cotangent::kernel
