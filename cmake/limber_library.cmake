# Targets are made of folders: a source file put in a folder is built.

function(limber_glob out)
  set(files)
  foreach(folder ${ARGN})
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
    list(APPEND files ${found})
  endforeach()
  set(${out} ${files} PARENT_SCOPE)
endfunction()

# limber_library(name FOLDERS ... [FILES ...] [EXCEPT ...] [OBJECTS ...] LINK ...): a static library
# of these folders, with some files more and some less.
function(limber_library name)
  cmake_parse_arguments(ARG "" "" "FOLDERS;FILES;EXCEPT;OBJECTS;LINK" ${ARGN})
  limber_glob(sources ${ARG_FOLDERS})
  list(TRANSFORM ARG_FILES PREPEND ${PROJECT_SOURCE_DIR}/)
  list(TRANSFORM ARG_EXCEPT PREPEND ${PROJECT_SOURCE_DIR}/)
  list(REMOVE_ITEM sources ${ARG_EXCEPT})
  add_library(${name} STATIC ${sources} ${ARG_FILES} ${ARG_OBJECTS})
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

function(limber_program name)
  cmake_parse_arguments(ARG "" "" "FOLDERS;LINK" ${ARGN})
  limber_glob(sources ${ARG_FOLDERS})
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
endfunction()

# Every kernels/cpu/*.cpp is compiled once per instruction set from the same text; the set's
# name is the namespace its functions live in. -fno-math-errno lets the compiler vectorise sqrt;
# contraction to fused multiply-add is on where the hardware has it.
function(limber_cpu_kernels name)
  limber_glob(sources kernels/cpu)
  set(isas base)
  set(base_flags)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND isas avx2 avx512)
    set(base_flags -march=x86-64)
    set(avx2_flags -march=x86-64-v3 -mprefer-vector-width=256)
    set(avx512_flags -march=x86-64-v4 -mprefer-vector-width=512)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    list(APPEND isas neon)
    set(neon_flags -march=armv8-a)
  endif()
  # Its bytes are those of data/warp.cpp and data/color.cpp, which no fused product changes.
  set_source_files_properties(${PROJECT_SOURCE_DIR}/kernels/cpu/crop.cpp PROPERTIES
    COMPILE_OPTIONS -ffp-contract=off)
  set(objects)
  foreach(isa ${isas})
    add_library(${name}_${isa} OBJECT ${sources})
    target_include_directories(${name}_${isa} PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_definitions(${name}_${isa} PRIVATE LIMBER_ISA=${isa} LIMBER_ISA_${isa}=1)
    target_compile_options(${name}_${isa} PRIVATE ${${isa}_flags} -O3 -fno-math-errno
      -fno-trapping-math -ffp-contract=fast -Wno-psabi)
    if(NOT LIMBER_TRAINING)
      # Kernels throw nothing: the tables for unwinding them are a tenth of a small program.
      target_compile_options(${name}_${isa} PRIVATE -fno-exceptions -fno-unwind-tables
        -fno-asynchronous-unwind-tables)
    endif()
    list(APPEND objects $<TARGET_OBJECTS:${name}_${isa}>)
  endforeach()
  set(${name}_objects ${objects} PARENT_SCOPE)
endfunction()

# Target limber_headers compiles every header alone, twice over: what it uses it includes, and
# including it again is harmless. Not part of the default build.
function(limber_header_check)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
    autograd/*.h bench/*.h data/*.h graph/*.h infer/*.h kernels/*.h nn/*.h pose/*.h tensor/*.h tests/*.h tools/*.h)
  # Those of the GPU's kernels want a CUDA build, whose compilation is their check.
  list(FILTER headers EXCLUDE REGEX "^kernels/cuda/")
  set(sources)
  foreach(header ${headers})
    set(source ${PROJECT_BINARY_DIR}/headers/${header}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
    if(header MATCHES "^kernels/cpu/[^/]*$")
      set_source_files_properties(${source} PROPERTIES
        COMPILE_DEFINITIONS "LIMBER_ISA=base;LIMBER_ISA_base=1")
    endif()
    list(APPEND sources ${source})
  endforeach()
  add_library(limber_headers OBJECT EXCLUDE_FROM_ALL ${sources})
  target_compile_options(limber_headers PRIVATE -O0 -Wno-psabi)
  target_link_libraries(limber_headers PRIVATE ${ARG_LINK})
endfunction()

# limber_embed(target TABLE files): the texts of these files as a C++ table of {stem, text} named
# TABLE, and its length, built into the target.
function(limber_embed target table count)
  set(rows)
  foreach(file ${ARGN})
    file(READ ${file} text)
    get_filename_component(stem ${file} NAME_WE)
    string(APPEND rows "    {\"${stem}\", R\"text(${text})text\"},\n")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}_${table}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include <cstddef>
namespace limber {
struct EmbeddedText {
  const char *stem, *text;
};
extern const EmbeddedText ${table}[];
extern const size_t ${count};
const EmbeddedText ${table}[] = {
${rows}};
const size_t ${count} = sizeof(${table}) / sizeof(${table}[0]);
}  // namespace limber
" @ONLY)
  target_sources(${target} PRIVATE ${source})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN})
endfunction()
