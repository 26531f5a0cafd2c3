# Debian 12's packages as imported targets (docs/decisions says why). The installed package includes this same file,
# so that a project that links rapt finds the libraries of its own machine, and no path of the build machine is stored.

if(NOT DEFINED RAPT_THREADS)
  set(RAPT_THREADS "openmp")
endif()

find_package(PkgConfig REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(hwy CONFIG QUIET)

# rapt_pkg(rapt_xxhash libxxhash): an imported target for the package that pkg-config finds under one of the names.
macro(rapt_pkg target)
  if(NOT TARGET ${target})
    pkg_search_module(${target}_pkg REQUIRED IMPORTED_TARGET ${ARGN})
    add_library(${target} INTERFACE IMPORTED)
    target_link_libraries(${target} INTERFACE PkgConfig::${target}_pkg)
  endif()
endmacro()

if(NOT TARGET hwy::hwy)
  rapt_pkg(hwy::hwy libhwy)
endif()
rapt_pkg(rapt_hdf5 hdf5-serial hdf5)
rapt_pkg(rapt_json nlohmann_json)
rapt_pkg(rapt_utf8proc libutf8proc)
rapt_pkg(rapt_xxhash libxxhash)

# The openmp build, found by its own folder, whatever the system's default libopenblas is: numpy, for example, installs
# the pthread build and makes it the default. Linking by full path also records that folder in the program (RUNPATH).
find_library(RAPT_OPENBLAS_LIBRARY NAMES openblaso openblas PATH_SUFFIXES openblas-openmp REQUIRED)
find_path(RAPT_OPENBLAS_INCLUDE cblas.h PATH_SUFFIXES openblas-openmp openblas REQUIRED)
mark_as_advanced(RAPT_OPENBLAS_LIBRARY RAPT_OPENBLAS_INCLUDE)
if(NOT TARGET rapt_openblas)
  add_library(rapt_openblas INTERFACE IMPORTED)
  target_link_libraries(rapt_openblas INTERFACE ${RAPT_OPENBLAS_LIBRARY})
  target_include_directories(rapt_openblas INTERFACE ${RAPT_OPENBLAS_INCLUDE})
endif()

find_library(RAPT_ONEDNN_LIBRARY NAMES dnnl REQUIRED)
find_path(RAPT_ONEDNN_INCLUDE dnnl.hpp REQUIRED)
mark_as_advanced(RAPT_ONEDNN_LIBRARY RAPT_ONEDNN_INCLUDE)
if(NOT TARGET rapt_onednn)
  add_library(rapt_onednn INTERFACE IMPORTED)
  target_link_libraries(rapt_onednn INTERFACE ${RAPT_ONEDNN_LIBRARY})
  target_include_directories(rapt_onednn INTERFACE ${RAPT_ONEDNN_INCLUDE})
endif()

# Optional: runs on several processes (docs/several-machines.md).
set(MPI_CXX_SKIP_MPICXX ON)  # MPI's own C++ interface, which MPI 3 removed
find_package(MPI QUIET COMPONENTS CXX)

if(RAPT_THREADS STREQUAL "openmp")
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  set(RAPT_THREADS_TARGET OpenMP::OpenMP_CXX)
elseif(RAPT_THREADS STREQUAL "std")
  find_package(Threads REQUIRED)
  set(RAPT_THREADS_TARGET Threads::Threads)
else()
  message(FATAL_ERROR "RAPT_THREADS must be openmp or std, got ${RAPT_THREADS}")
endif()
