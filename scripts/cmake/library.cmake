# libtroupe: the runtime's layers and the simulator as one library, shared and static, and what it
# takes to be found by pkg-config and find_package. The tool is linked from the layers themselves.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(layers base trace crypto wire_pb wire proto actor net behaviour remote node uv simnet)
list(TRANSFORM layers PREPEND trp_)

# The objects of every layer, and the external libraries that the layers say they use.
set(objects "")
set(externals "")
foreach(layer ${layers})
  list(APPEND objects $<TARGET_OBJECTS:${layer}>)
  get_target_property(uses ${layer} INTERFACE_LINK_LIBRARIES)
  list(APPEND externals ${uses})
endforeach()
list(FILTER externals INCLUDE REGEX "^PkgConfig::")
list(REMOVE_DUPLICATES externals)

add_library(troupe_shared SHARED ${objects})
add_library(troupe_static STATIC ${objects})
# The instrumentation of a preset is linked too; clang leaves a sanitizer's run time to the program.
target_link_options(troupe_shared PRIVATE $<TARGET_PROPERTY:trp_flags,INTERFACE_LINK_OPTIONS>)
if(NOT TRP_SANITIZE)
  target_link_options(troupe_shared PRIVATE -Wl,--no-undefined)
endif()
set_target_properties(troupe_shared PROPERTIES EXPORT_NAME troupe)
# Before 1.0 a minor version may break the ABI, so it is part of the soname.
set_target_properties(troupe_shared PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(headers ${PROJECT_SOURCE_DIR}/runtime/include ${PROJECT_SOURCE_DIR}/simnet/include)
foreach(library troupe_shared troupe_static)
  target_link_libraries(${library} PRIVATE ${externals})
  target_include_directories(${library} PUBLIC
    "$<BUILD_INTERFACE:${headers}>" $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_target_properties(${library} PROPERTIES
    OUTPUT_NAME troupe LINKER_LANGUAGE C LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
    ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
endforeach()
add_library(troupe::troupe ALIAS troupe_shared)
add_library(troupe::troupe_static ALIAS troupe_static)

# What static linking needs, in the words of pkg-config.
set(TROUPE_REQUIRES "")
set(TROUPE_PKG_CONFIG_CALLS "")
foreach(external ${externals})
  string(REPLACE "PkgConfig::" "" prefix ${external})
  list(APPEND TROUPE_REQUIRES ${${prefix}_MODULE_NAME})
  string(APPEND TROUPE_PKG_CONFIG_CALLS
    "  pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${${prefix}_MODULE_NAME})\n"
    "  if(NOT TARGET ${external})\n"
    "    list(APPEND troupe_missing ${${prefix}_MODULE_NAME})\n"
    "  endif()\n")
endforeach()
list(JOIN TROUPE_REQUIRES ", " TROUPE_REQUIRES)

# Relocatable: the prefix is found from where troupe.pc lies.
file(RELATIVE_PATH TROUPE_PREFIX_FROM_PC
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" TROUPE_PREFIX_FROM_PC ${TROUPE_PREFIX_FROM_PC})
configure_file(${CMAKE_CURRENT_LIST_DIR}/troupe.pc.in ${PROJECT_BINARY_DIR}/troupe.pc @ONLY)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/troupe-config.cmake.in
  ${PROJECT_BINARY_DIR}/troupe-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/troupe-config-version.cmake
  COMPATIBILITY SameMinorVersion)

install(TARGETS troupe RUNTIME)
install(TARGETS troupe_shared EXPORT troupe-shared)
install(TARGETS troupe_static EXPORT troupe-static)
foreach(kind shared static)
  install(EXPORT troupe-${kind}
    NAMESPACE troupe:: FILE troupe-${kind}-targets.cmake DESTINATION ${package})
endforeach()
foreach(directory ${headers})
  install(DIRECTORY ${directory}/troupe DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/troupe.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES
  ${PROJECT_BINARY_DIR}/troupe-config.cmake ${PROJECT_BINARY_DIR}/troupe-config-version.cmake
  DESTINATION ${package})
