# Imported targets for the libraries that are found by name: their own CMake files, where there are any, are not
# reliable (Debian's libzip demands programs of another package).
function(cotangent_import target header library)
  cmake_parse_arguments(PARSE_ARGV 3 arg "AS_NEEDED" "" "SUFFIXES")
  if(TARGET ${target})
    return()
  endif()
  string(MAKE_C_IDENTIFIER "${target}" id)
  find_path(${id}_INCLUDE_DIR ${header} PATH_SUFFIXES ${arg_SUFFIXES})
  find_library(${id}_LIBRARY ${library} PATH_SUFFIXES ${arg_SUFFIXES})
  mark_as_advanced(${id}_INCLUDE_DIR ${id}_LIBRARY)
  if(NOT ${id}_INCLUDE_DIR OR NOT ${id}_LIBRARY)
    message(FATAL_ERROR "cotangent needs ${library} and its header ${header}; not found. "
                        "On Debian: apt-get install libopenblas-dev libzip-dev coinor-libclp-dev libflint-arb-dev")
  endif()
  if(arg_AS_NEEDED)
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES
      INTERFACE_LINK_LIBRARIES "-Wl,--push-state,--as-needed,${${id}_LIBRARY},--pop-state")
  else()
    add_library(${target} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${${id}_LIBRARY}")
  endif()
  set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${${id}_INCLUDE_DIR}")
endfunction()

cotangent_import(cotangent::openblas cblas.h openblas SUFFIXES openblas-pthread openblas-openmp openblas)
cotangent_import(cotangent::libzip zip.h zip)
# Only programs that enclose something load Arb when they start, and only those that solve a linear program Clp and the
# libraries it brings.
cotangent_import(cotangent::flint flint.h flint SUFFIXES flint AS_NEEDED)
cotangent_import(cotangent::arb arb.h flint-arb AS_NEEDED)
cotangent_import(cotangent::clp Clp_C_Interface.h Clp SUFFIXES coin AS_NEEDED)
