# install(): the program, the libraries with their headers, and a CMake package so that another project can say
# find_package(rapt) and link rapt::nn (examples/CMakeLists.txt does; a test builds it against an install tree).

include(CMakePackageConfigHelpers)
set(RAPT_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/rapt)

get_property(libraries GLOBAL PROPERTY RAPT_LIBRARIES)
install(TARGETS ${libraries} EXPORT rapt-targets)
install(DIRECTORY src/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/rapt FILES_MATCHING PATTERN "*.h")
if(TARGET rapt)
  install(TARGETS rapt)
endif()

install(EXPORT rapt-targets NAMESPACE rapt:: DESTINATION ${RAPT_PACKAGE_DIR})
configure_package_config_file(cmake/raptConfig.cmake.in ${PROJECT_BINARY_DIR}/raptConfig.cmake
                              INSTALL_DESTINATION ${RAPT_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/raptConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/raptConfig.cmake ${PROJECT_BINARY_DIR}/raptConfigVersion.cmake
              cmake/RaptDependencies.cmake
        DESTINATION ${RAPT_PACKAGE_DIR})
