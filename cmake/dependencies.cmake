# The libraries the rooms keep behind their .cpp files. A program that links the static libraries needs those found in
# imported.cmake too, so that file is installed.
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(xsimd REQUIRED)
find_package(xtensor REQUIRED)
include(${CMAKE_CURRENT_LIST_DIR}/imported.cmake)

# xtensor with its cure: g++ in C++20 otherwise takes a template template parameter for another one, and immediate
# reducers get a wrong shape. Every target whose sources include xtensor links this.
add_library(cotangent_xtensor INTERFACE)
add_library(cotangent::xtensor ALIAS cotangent_xtensor)
set_target_properties(cotangent_xtensor PROPERTIES EXPORT_NAME xtensor)
target_link_libraries(cotangent_xtensor INTERFACE xtensor)
target_compile_options(cotangent_xtensor INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fno-new-ttp-matching>)
