# What chunks of zarr stores are packed with: tradewind::blosc and tradewind::zstd, of the system.
foreach(_library IN ITEMS blosc zstd)
  string(TOUPPER ${_library} _name)
  find_path(${_name}_INCLUDE_DIR ${_library}.h)
  find_library(${_name}_LIBRARY ${_library})
  mark_as_advanced(${_name}_INCLUDE_DIR ${_name}_LIBRARY)
  if(NOT ${_name}_INCLUDE_DIR OR NOT ${_name}_LIBRARY)
    message(FATAL_ERROR "lib${_library} not found. Remedy: apt-get install lib${_library}-dev, or run cmake/setup.sh")
  endif()
  add_library(tradewind::${_library} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(tradewind::${_library} PROPERTIES
    IMPORTED_LOCATION "${${_name}_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${${_name}_INCLUDE_DIR}")
endforeach()
