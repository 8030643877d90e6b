// What worker_netcdf.so gives the worker: netCDF-C's functions as a table, fetched by one symbol when the library is
// loaded. The worker itself links neither netCDF nor HDF5, whose start-up and memory every run would pay for. A table
// fits when its version is the worker's own. As netCDF-C says, none of them is thread-safe.
#pragma once

#include <netcdf.h>

#include <cstdint>

namespace tradewind::netcdf {

constexpr std::uint32_t functions_version = 1;

extern "C" {
struct Functions {
  std::uint32_t version;
  std::uint32_t bytes;  // sizeof(Functions)
  decltype(&::nc_strerror) strerror;
  decltype(&::nc_create) create;
  decltype(&::nc_open) open;
  decltype(&::nc_close) close;
  decltype(&::nc_sync) sync;
  decltype(&::nc_def_dim) def_dim;
  decltype(&::nc_def_var) def_var;
  decltype(&::nc_def_var_chunking) def_var_chunking;
  decltype(&::nc_set_var_chunk_cache) set_var_chunk_cache;
  decltype(&::nc_put_att_text) put_att_text;
  decltype(&::nc_put_att_double) put_att_double;
  decltype(&::nc_put_var_longlong) put_var_longlong;
  decltype(&::nc_put_var1_longlong) put_var1_longlong;
  decltype(&::nc_put_var_double) put_var_double;
  decltype(&::nc_put_vara_float) put_vara_float;
  decltype(&::nc_inq_ndims) inq_ndims;
  decltype(&::nc_inq_nvars) inq_nvars;
  decltype(&::nc_inq_dimid) inq_dimid;
  decltype(&::nc_inq_dim) inq_dim;
  decltype(&::nc_inq_varid) inq_varid;
  decltype(&::nc_inq_var) inq_var;
  decltype(&::nc_inq_att) inq_att;
  decltype(&::nc_inq_attname) inq_attname;
  decltype(&::nc_get_att_text) get_att_text;
  decltype(&::nc_get_att_double) get_att_double;
  decltype(&::nc_get_var_longlong) get_var_longlong;
  decltype(&::nc_get_vara_longlong) get_vara_longlong;
  decltype(&::nc_get_vara_double) get_vara_double;
  decltype(&::nc_get_vara_float) get_vara_float;
};
using GetFunctions = const Functions* (*)();
}
constexpr const char* functions_symbol = "tradewind_netcdf_functions";

}  // namespace tradewind::netcdf
