# eccodes::eccodes, from the pinned wheel in TRADEWIND_DEPS_DIR or, by option, from the system.
if(TRADEWIND_SYSTEM_ECCODES)
  find_package(eccodes ${TRADEWIND_ECCODES_MINIMUM} QUIET)
  if(NOT eccodes_FOUND)
    message(FATAL_ERROR "ecCodes >= ${TRADEWIND_ECCODES_MINIMUM} not found on the system. "
                        "Remedy: configure without TRADEWIND_SYSTEM_ECCODES, or give eccodes_DIR")
  endif()
  add_library(eccodes::eccodes ALIAS eccodes)
  return()
endif()
set(_eccodes "${TRADEWIND_DEPS_DIR}/eccodeslib")
set(_eckit "${TRADEWIND_DEPS_DIR}/eckitlib")
if(NOT EXISTS "${_eccodes}/lib64/libeccodes.so")
  message(FATAL_ERROR "ecCodes ${TRADEWIND_ECCODES_VERSION} not found in ${TRADEWIND_DEPS_DIR}. Remedy: run cmake/setup.sh")
endif()
add_library(eccodes::eccodes SHARED IMPORTED GLOBAL)
# The wheel's run path points at its build machine, so eckit is found through ours.
set_target_properties(eccodes::eccodes PROPERTIES
  IMPORTED_LOCATION "${_eccodes}/lib64/libeccodes.so"
  INTERFACE_INCLUDE_DIRECTORIES "${_eccodes}/include"
  INTERFACE_LINK_OPTIONS "LINKER:-rpath-link,${_eckit}/lib64")
list(APPEND CMAKE_BUILD_RPATH "${_eckit}/lib64")
set(TRADEWIND_ECCODES_LIBRARIES "${_eccodes}/lib64" "${_eckit}/lib64" "${TRADEWIND_DEPS_DIR}/eckitlib.libs")
