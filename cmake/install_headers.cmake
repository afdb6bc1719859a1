# Installs the public headers, <room>/<name>.hpp, and of the inner rooms' headers those that public ones reach; all
# other headers of inner rooms stay behind. cotangent.hpp reaches the rooms' umbrellas, each of which lists all of its
# room's public headers (tests/package/arrows_test.py looks), but for the bridge autodiff/xtensor.hpp. Runs at install
# time, so it always goes by the headers as they are.
cmake_policy(VERSION 3.25)
set(waiting cotangent.hpp autodiff/xtensor.hpp)
set(seen "")
while(waiting)
  list(POP_FRONT waiting header)
  if(header IN_LIST seen OR NOT EXISTS "${source}/${header}")
    continue()
  endif()
  list(APPEND seen ${header})
  file(STRINGS "${source}/${header}" lines REGEX "^[ \t]*#[ \t]*include[ \t]*\"")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE ".*include[ \t]*\"([^\"]+)\".*" "\\1" included "${line}")
    list(APPEND waiting "${included}")
  endforeach()
endwhile()
foreach(header IN LISTS seen)
  get_filename_component(folder "${header}" DIRECTORY)
  file(INSTALL DESTINATION "${CMAKE_INSTALL_PREFIX}/${include_dir}/${folder}" TYPE FILE FILES "${source}/${header}")
endforeach()
