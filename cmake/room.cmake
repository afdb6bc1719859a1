# cotangent_room(name ROOMS r... LIBRARIES l... HEADER_ONLY h...): the static library of one folder.
# ROOMS are its arrows and public; the rest stays behind its .cpp files, and HEADER_ONLY is not even linked.
function(cotangent_room name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "ROOMS;LIBRARIES;HEADER_ONLY")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_isa\\.cpp$")  # built once per instruction set: kernels.cmake

  set(target cotangent_${name})
  add_library(${target} STATIC ${sources})
  add_library(cotangent::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/cotangent>)
  cotangent_compile_options(${target})
  list(TRANSFORM arg_ROOMS PREPEND cotangent_)
  set(behind cotangent::xtensor ${arg_HEADER_ONLY})
  list(TRANSFORM behind REPLACE "(.+)" "$<BUILD_INTERFACE:\\1>")
  target_link_libraries(${target} PUBLIC ${arg_ROOMS} PRIVATE ${arg_LIBRARIES} ${behind})
endfunction()
