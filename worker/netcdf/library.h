// netCDF-C, loaded when the first file wants it: worker_netcdf.so, which is beside this executable or in the lib folder
// of its installation. Thread-safe, unlike what it gives: netCDF and HDF5 take one call of the process at a time.
#pragma once

#include <mutex>
#include <string>

#include "worker/netcdf/plugin/functions.h"

namespace tradewind::netcdf {

// The libnetcdf to load before it, for one that names none (a package that finds it elsewhere). Before library(), once.
void use_netcdf(std::string path);

// Loads it, once, for good. Throws EnvironmentFault when it is not there, does not load or is of another version.
const Functions& library();

// To be held over every call of a function of the table. While the calling thread has one, HDF5 prints nothing: what
// went wrong is told by the function's result.
class Turn {
 public:
  Turn();

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace tradewind::netcdf
