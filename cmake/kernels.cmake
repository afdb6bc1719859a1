# How autodiff's kernels are compiled. Never -march=native and never -ffast-math, and multiplications are not fused with
# additions, so the loops' numbers are the same at every level; but for transcendental functions at v3, which xsimd fuses,
# and OpenBLAS's products, which are its own for each core.
# Neither option below changes a number; both let the compiler use vector code for comparisons and roots.
set(kernel_options -fno-trapping-math -fno-math-errno)
target_compile_options(cotangent_autodiff PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O3> ${kernel_options})

# Sources *_isa.cpp are built once per instruction set, each with its own COTANGENT_ISA_NAME (v1, v3, v4); the library
# picks one by cpuid when it starts. No inline function may be shared between them, for the linker would keep one copy
# for every processor: hence the renamed namespace and -O3 in Debug too. isa_test.py looks at the symbols.
file(GLOB isa_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/autodiff/kernels/*_isa.cpp)
set(levels v1)
set(march_v1 "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  list(APPEND levels v3 v4)
  set(march_v1 -march=x86-64)
  set(march_v3 -march=x86-64-v3 -mtune=haswell)  # exp, tanh and sigmoid take twice as long by g++'s generic tuning
  set(march_v4 -march=x86-64-v4)
endif()
foreach(level IN LISTS levels)
  set(target cotangent_isa_${level})
  add_library(${target} OBJECT ${isa_sources})
  cotangent_compile_options(${target})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${target} PRIVATE xsimd)
  target_compile_definitions(${target} PRIVATE COTANGENT_ISA_NAME=${level} xsimd=xsimd_${level})
  target_compile_options(${target} PRIVATE -O3 ${kernel_options} ${march_${level}}
    $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized -Wno-maybe-uninitialized>)  # g++ 12's own AVX-512 header
  target_sources(cotangent_autodiff PRIVATE $<TARGET_OBJECTS:${target}>)
endforeach()
