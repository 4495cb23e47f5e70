# Installs the inference library: archive, header, and what find_package(limber) and pkg-config need.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/limber)

target_include_directories(limber_infer INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(TARGETS limber_infer EXPORT limber ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT limber NAMESPACE limber:: FILE limber-targets.cmake DESTINATION ${package_dir})
install(FILES infer/limber.h infer/limber.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/limber-config.cmake @ONLY CONTENT [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/limber-targets.cmake)
]])
write_basic_package_version_file(${PROJECT_BINARY_DIR}/limber-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/limber-config.cmake
  ${PROJECT_BINARY_DIR}/limber-config-version.cmake DESTINATION ${package_dir})

file(RELATIVE_PATH prefix_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/limber.pc @ONLY CONTENT [[
prefix=${pcfiledir}/@prefix_from_pc@
Name: limber
Description: finds key points in pictures with .limber files
Version: @PROJECT_VERSION@
Cflags: -I${prefix}/@CMAKE_INSTALL_INCLUDEDIR@
Libs: -L${prefix}/@CMAKE_INSTALL_LIBDIR@ -llimber_infer -lstdc++ -lm -pthread
]])
install(FILES ${PROJECT_BINARY_DIR}/limber.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
