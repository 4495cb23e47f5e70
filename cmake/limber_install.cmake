# Installs the inference library: archive, headers, and what find_package(limber) needs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/limber)

target_include_directories(limber_infer PUBLIC
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/limber>)
install(TARGETS limber_infer EXPORT limber ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT limber NAMESPACE limber:: FILE limber-targets.cmake DESTINATION ${package_dir})

# Headers keep their paths from the root, so that `#include "tensor/tensor.h"` works outside too.
foreach(folder kernels tensor nn pose)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/limber
    FILES_MATCHING PATTERN "*.h" PATTERN "*.def"
    PATTERN kernels/cpu/*.h EXCLUDE
    PATTERN optim EXCLUDE PATTERN metrics EXCLUDE PATTERN engine EXCLUDE PATTERN report EXCLUDE)
endforeach()

file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/limber-config.cmake @ONLY CONTENT [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/limber-targets.cmake)
]])
write_basic_package_version_file(${PROJECT_BINARY_DIR}/limber-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/limber-config.cmake
  ${PROJECT_BINARY_DIR}/limber-config-version.cmake DESTINATION ${package_dir})
