#include "worker/netcdf/plugin/functions.h"

namespace tradewind::netcdf {
namespace {

constexpr Functions table = {functions_version,
                             sizeof(Functions),
                             ::nc_strerror,
                             ::nc_create,
                             ::nc_open,
                             ::nc_close,
                             ::nc_sync,
                             ::nc_def_dim,
                             ::nc_def_var,
                             ::nc_def_var_chunking,
                             ::nc_set_var_chunk_cache,
                             ::nc_put_att_text,
                             ::nc_put_att_double,
                             ::nc_put_var_longlong,
                             ::nc_put_var1_longlong,
                             ::nc_put_var_double,
                             ::nc_put_vara_float,
                             ::nc_inq_ndims,
                             ::nc_inq_nvars,
                             ::nc_inq_dimid,
                             ::nc_inq_dim,
                             ::nc_inq_varid,
                             ::nc_inq_var,
                             ::nc_inq_att,
                             ::nc_inq_attname,
                             ::nc_get_att_text,
                             ::nc_get_att_double,
                             ::nc_get_var_longlong,
                             ::nc_get_vara_longlong,
                             ::nc_get_vara_double,
                             ::nc_get_vara_float};

}  // namespace
}  // namespace tradewind::netcdf

extern "C" __attribute__((visibility("default"))) const tradewind::netcdf::Functions* tradewind_netcdf_functions() {
  return &tradewind::netcdf::table;
}
