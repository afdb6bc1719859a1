# cmake --install: static libraries, public headers with their folders, and a package for find_package(cotangent).
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cotangent)

install(TARGETS cotangent cotangent_autodiff cotangent_nn cotangent_report cotangent_optim
                cotangent_enclose cotangent_theory
        EXPORT cotangentTargets)
install(EXPORT cotangentTargets NAMESPACE cotangent:: DESTINATION ${package_dir})
# In a set of its own: only users of the bridge autodiff/xtensor.hpp need xtensor.
install(TARGETS cotangent_xtensor EXPORT cotangentXtensorTargets)
install(EXPORT cotangentXtensorTargets NAMESPACE cotangent:: DESTINATION ${package_dir})

configure_package_config_file(cmake/cotangentConfig.cmake.in ${PROJECT_BINARY_DIR}/cotangentConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cotangentConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cotangentConfig.cmake ${PROJECT_BINARY_DIR}/cotangentConfigVersion.cmake
              cmake/imported.cmake
        DESTINATION ${package_dir})

install(CODE "set(source \"${PROJECT_SOURCE_DIR}\")\nset(include_dir \"${CMAKE_INSTALL_INCLUDEDIR}/cotangent\")")
install(SCRIPT cmake/install_headers.cmake)
