# tradewind::netcdf, netCDF-C of the system. Only the plugin of worker/netcdf links it.
find_path(TRADEWIND_NETCDF_INCLUDE netcdf.h)
find_library(TRADEWIND_NETCDF_LIBRARY netcdf)
if(NOT TRADEWIND_NETCDF_INCLUDE OR NOT TRADEWIND_NETCDF_LIBRARY)
  message(FATAL_ERROR "netCDF-C not found. Remedy: apt-get install libnetcdf-dev, or run cmake/setup.sh")
endif()
add_library(tradewind::netcdf UNKNOWN IMPORTED)
set_target_properties(tradewind::netcdf PROPERTIES
  IMPORTED_LOCATION "${TRADEWIND_NETCDF_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${TRADEWIND_NETCDF_INCLUDE}")
