// COTANGENT_ASAN: defined where the address sanitizer watches the heap, which compilers tell differently.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define COTANGENT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COTANGENT_ASAN 1
#endif
#endif
