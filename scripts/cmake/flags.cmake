# One interface target carries every flag; nothing touches CMAKE_C_FLAGS.
option(TRP_WERROR "Warnings are errors" OFF)
option(TRP_FUZZ "Build the libFuzzer targets" OFF)
option(TRP_COVERAGE "Instrument for gcov" OFF)
option(TRP_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
set(TRP_SANITIZE "" CACHE STRING "Value for -fsanitize=")

# Assertions stay on in every build type.
foreach(type RELEASE RELWITHDEBINFO MINSIZEREL)
  string(REGEX REPLACE "[-/]DNDEBUG" "" CMAKE_C_FLAGS_${type} "${CMAKE_C_FLAGS_${type}}")
endforeach()
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(trp_flags INTERFACE)
target_compile_options(trp_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wvla
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wcast-qual -Wcast-align -Wwrite-strings -Wpointer-arith -Wformat=2
  -Wimplicit-fallthrough -Wswitch-enum -Wdouble-promotion
  # Beyond -O1, gcc takes the front of a list known to be filled for a possible NULL.
  $<$<CONFIG:Debug>:-Wnull-dereference>
  -fno-common -fno-strict-aliasing -fstack-protector-strong -ffp-contract=off
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=
  $<$<BOOL:${TRP_WERROR}>:-Werror>
  $<$<C_COMPILER_ID:GNU>:-Wduplicated-cond;-Wduplicated-branches;-Wlogical-op;-Wjump-misses-init>
  $<$<C_COMPILER_ID:Clang>:-Wcomma;-Wextra-semi-stmt;-Wunreachable-code>
  $<$<BOOL:${TRP_FUZZ}>:-fsanitize=fuzzer-no-link>
  $<$<BOOL:${TRP_COVERAGE}>:--coverage>)
target_link_options(trp_flags INTERFACE $<$<BOOL:${TRP_COVERAGE}>:--coverage>)
if(TRP_SANITIZE) # not a generator expression: $<BOOL:address,undefined> is an error
  target_compile_options(trp_flags INTERFACE
    -fsanitize=${TRP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(trp_flags INTERFACE -fsanitize=${TRP_SANITIZE})
endif()

# trp_layer(<name> SOURCES … USES <lower layers>… LIBS <external>…): one static library per
# directory, trp_<name>. USES states the link order; scripts/check-layers enforces the includes.
function(trp_layer name)
  cmake_parse_arguments(L "" "" "SOURCES;USES;LIBS" ${ARGN})
  add_library(trp_${name} STATIC ${L_SOURCES})
  target_include_directories(trp_${name} PUBLIC
    ${PROJECT_SOURCE_DIR}/runtime/include ${PROJECT_SOURCE_DIR}/runtime PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(trp_${name} PRIVATE trp_flags PUBLIC ${L_LIBS})
  foreach(lower ${L_USES})
    target_link_libraries(trp_${name} PUBLIC trp_${lower})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY TRP_LAYERS trp_${name})
endfunction()
