# Language level, warnings, sanitizers, compiler cache, and the outside libraries.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -DLIMBER_DEBUG")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM AND NOT CMAKE_CROSSCOMPILING)
  add_link_options(-fuse-ld=mold)
endif()

if(NOT LIMBER_TRAINING)
  # Sections of their own let the linker of a small program drop the functions that it does not use.
  add_compile_options(-ffunction-sections -fdata-sections)
endif()
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wall>
                    $<$<COMPILE_LANGUAGE:CXX>:-Wextra> $<$<COMPILE_LANGUAGE:CXX>:-Wshadow>
                    $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
add_compile_definitions(LIMBER_VERSION="${PROJECT_VERSION}")
if(LIMBER_SANITIZE)
  # GCC warns of instrumented code what it knows better of the same code without.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-error>)
  add_compile_options(-fsanitize=${LIMBER_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LIMBER_SANITIZE})
endif()

find_package(Threads REQUIRED)
if(LIMBER_TESTS AND CMAKE_CROSSCOMPILING)
  find_package(nlohmann_json REQUIRED)
endif()
if(LIMBER_TRAINING)
  find_package(nlohmann_json REQUIRED)
  find_package(JPEG REQUIRED)
  find_package(PNG REQUIRED)
  find_package(fmt REQUIRED)
  find_package(CLI11 REQUIRED)
  # Videos; without it `limber predict` takes pictures alone.
  find_package(PkgConfig)
  if(PkgConfig_FOUND)
    pkg_check_modules(FFMPEG IMPORTED_TARGET libavformat libavcodec libavutil libswscale)
  endif()
  if(LIMBER_TESTS)
    find_package(GTest REQUIRED)
    # Only what limber_bench compares itself with.
    find_library(OPENBLAS_LIBRARY openblas)
    find_path(OPENBLAS_INCLUDE cblas.h PATH_SUFFIXES openblas openblas-pthread
              x86_64-linux-gnu/openblas-pthread x86_64-linux-gnu)
  endif()
endif()
