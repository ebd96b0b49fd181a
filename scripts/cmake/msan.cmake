# Included for TRP_SANITIZE=memory: every program is linked with what tests/lib/msan_libraries.c tells
# of the libraries that are not instrumented. Whatever it wraps is listed for the linker.
set(wrappers ${PROJECT_SOURCE_DIR}/tests/lib/msan_libraries.c)
file(STRINGS ${wrappers} lines REGEX "^WRAPPED")
set(wraps "")
foreach(line ${lines}) # WRAPPED(type, name, …) or WRAPPED_ENCODER(name, …)
  if(line MATCHES "^WRAPPED(_ENCODER\\(|\\([^,]+, )([a-z0-9_]+),")
    list(APPEND wraps -Wl,--wrap=${CMAKE_MATCH_2})
  endif()
endforeach()
add_library(trp_msan OBJECT ${wrappers})
target_compile_options(trp_msan PRIVATE -fsanitize=memory -g -O1)
target_link_libraries(trp_msan PRIVATE PkgConfig::SODIUM PkgConfig::NETTLE PkgConfig::GNUTLS PkgConfig::SECP256K1
  PkgConfig::PROTOBUF_C PkgConfig::CBOR PkgConfig::YAML)
target_link_options(trp_msan INTERFACE ${wraps})
target_link_libraries(trp_flags INTERFACE trp_msan $<TARGET_OBJECTS:trp_msan>)
