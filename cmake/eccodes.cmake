# eccodes::eccodes, from the pinned wheel in TRADEWIND_DEPS_DIR or, by option, from the system.
if(TRADEWIND_SYSTEM_ECCODES)
  find_package(eccodes ${TRADEWIND_ECCODES_MINIMUM} QUIET)
  if(NOT eccodes_FOUND)
    set(_seen "")
    if(eccodes_CONSIDERED_VERSIONS)
      set(_seen ", only ${eccodes_CONSIDERED_VERSIONS} (${eccodes_CONSIDERED_CONFIGS})")
    endif()
    message(FATAL_ERROR "ecCodes >= ${TRADEWIND_ECCODES_MINIMUM} not found on the system${_seen}. "
                        "Remedy: configure without TRADEWIND_SYSTEM_ECCODES, or give eccodes_DIR")
  endif()
  add_library(eccodes::eccodes ALIAS eccodes)
  # Where the worker looks for it when it is in no folder of the system's; ecCodes' own wheel needs its sibling too.
  get_target_property(_library eccodes LOCATION)
  get_filename_component(_folder "${_library}" DIRECTORY)
  set(TRADEWIND_SYSTEM_ECCODES_DIRS "")
  foreach(_folder IN ITEMS "${_folder}" "${_folder}/../../eckitlib/lib64")
    get_filename_component(_folder "${_folder}" ABSOLUTE)
    if(IS_DIRECTORY "${_folder}" AND NOT _folder IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
      list(APPEND TRADEWIND_SYSTEM_ECCODES_DIRS "${_folder}")
      add_link_options("LINKER:-rpath-link,${_folder}")
    endif()
  endforeach()
  list(APPEND CMAKE_BUILD_RPATH ${TRADEWIND_SYSTEM_ECCODES_DIRS})
  return()
endif()
set(_eccodes "${TRADEWIND_DEPS_DIR}/eccodeslib")
set(_eckit "${TRADEWIND_DEPS_DIR}/eckitlib")
if(NOT EXISTS "${_eccodes}/lib64/libeccodes.so")
  message(FATAL_ERROR "ecCodes ${TRADEWIND_ECCODES_VERSION} not found in ${TRADEWIND_DEPS_DIR}. Remedy: run cmake/setup.sh")
endif()
add_library(eccodes::eccodes SHARED IMPORTED GLOBAL)
# The wheel's own run path points at folders of its build machine, some of them in /tmp, where anybody could leave a
# library to be loaded before ours. It is cut down to the folders of the wheels; a run path in place already stays.
file(READ_ELF "${_eccodes}/lib64/libeccodes.so" RPATH _run_path CAPTURE_ERROR _error)
if(_run_path MATCHES "(^|;|:)/")
  string(REPLACE ";" ":" _run_path "${_run_path}")
  file(RPATH_CHANGE FILE "${_eccodes}/lib64/libeccodes.so" OLD_RPATH "${_run_path}"
       NEW_RPATH "$ORIGIN/../lib64:$ORIGIN/../../eckitlib/lib64")
  message(STATUS "ecCodes: run path cut down to the wheels' folders")
endif()
set_target_properties(eccodes::eccodes PROPERTIES
  IMPORTED_LOCATION "${_eccodes}/lib64/libeccodes.so"
  INTERFACE_INCLUDE_DIRECTORIES "${_eccodes}/include"
  INTERFACE_LINK_OPTIONS "LINKER:-rpath-link,${_eckit}/lib64")
list(APPEND CMAKE_BUILD_RPATH "${_eckit}/lib64")
