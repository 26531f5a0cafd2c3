# How every target of the project is compiled, and how a folder of src becomes a library.

add_library(rapt_flags INTERFACE)
target_compile_options(rapt_flags INTERFACE -Wall -Wextra -Wconversion
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>)  # in g++'s -Wconversion it is not either
# g++ 12 sees overlapping copies in "text" + std::string that are not there (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(rapt_flags INTERFACE -Wno-restrict)
endif()
# Kernels never read errno or trap flags; NaN and infinity checks must keep working, so no -ffast-math.
target_compile_options(rapt_flags INTERFACE -fno-math-errno -fno-trapping-math -ffp-contract=fast)
if(RAPT_SANITIZE)
  # g++ 12 ends with an internal error where ThreadSanitizer meets the attention kernels for AVX-512. AVX2's show the same
  # errors, and one instruction set compiles in half the time of three.
  target_compile_definitions(rapt_flags INTERFACE "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4|HWY_AVX3|HWY_AVX3_DL)")
endif()
if(RAPT_SANITIZE)
  target_compile_options(rapt_flags INTERFACE -fsanitize=${RAPT_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(rapt_flags INTERFACE -fsanitize=${RAPT_SANITIZE})
  if(RAPT_SANITIZE MATCHES "undefined")
    target_compile_options(rapt_flags INTERFACE -fno-sanitize-recover=all)
  endif()
endif()

# rapt_unity(rapt_text): the files of a folder are compiled as one. A compiler spends most of its time here on headers and
# on what they instantiate, so that a build from scratch takes less than half the time. OFF is better while one file
# changes often, and shows a missing #include: the clang preset is built that way.
option(RAPT_UNITY "Compile the files of a folder as one" ON)
function(rapt_unity target)
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME name)
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${name})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${RAPT_UNITY} UNITY_BUILD_MODE GROUP)
endfunction()

# rapt_library(tensor PUBLIC ... PRIVATE ...): src/tensor and everything below it as rapt_tensor, alias rapt::tensor.
function(rapt_library name)
  set(folder ${PROJECT_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cpp ${folder}/*.h)
  add_library(rapt_${name} STATIC ${sources})
  add_library(rapt::${name} ALIAS rapt_${name})
  set_target_properties(rapt_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(rapt_${name} PUBLIC cxx_std_20)
  target_include_directories(rapt_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/rapt>)
  target_link_libraries(rapt_${name} PRIVATE $<BUILD_INTERFACE:rapt_flags> ${ARGN})
  if(NOT name STREQUAL "tensor")  # its files choose instruction sets, each for itself
    rapt_unity(rapt_${name})
  endif()
  set_property(GLOBAL APPEND PROPERTY RAPT_LIBRARIES rapt_${name})
endfunction()
