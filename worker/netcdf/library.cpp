#include "worker/netcdf/library.h"

#include <dlfcn.h>

#include <cstdint>
#include <string>

#include "common/errors.h"
#include "common/own_library.h"

namespace tradewind::netcdf {
namespace {

constexpr const char* name = "worker_netcdf.so";
// H5Eset_auto2(hid_t, H5E_auto2_t, void*) of HDF5 1.10 and later, whose hid_t has 64 bits. netCDF's headers do not have
// it, and HDF5's own need not be there.
using SetPrinting = int (*)(std::int64_t stack, void* function, void* data);
constexpr std::int64_t default_stack = 0;  // H5E_DEFAULT
using NoFarewell = int (*)();              // H5dont_atexit(void)

struct Loaded {
  const Functions* functions = nullptr;
  SetPrinting set_printing = nullptr;  // null: HDF5 is not there, or not by this name
};

std::string& netcdf_path() {
  static std::string path;
  return path;
}

constexpr const char* remedy = "install netCDF-C (Debian: libnetcdf19, pip: netCDF4), or use another format";

// Whose symbols the plugin finds; null: those that it names itself.
void* open_netcdf() {
  if (netcdf_path().empty()) return nullptr;
  void* const opened = ::dlopen(netcdf_path().c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (opened == nullptr)
    throw EnvironmentFault(std::string("netCDF does not load: ") + ::dlerror(), netcdf_path(), remedy);
  return opened;
}

Loaded load() {
  const std::string path = own_library_path(name);
  if (path.empty())
    throw EnvironmentFault(
        "the part of Tradewind for NetCDF files is not there", name,
        "install Tradewind anew, with it beside the worker or in lib/tradewind, or use another format");
  void* const netcdf = open_netcdf();
  void* const opened = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed
  if (opened == nullptr)
    throw EnvironmentFault(std::string("the part of Tradewind for NetCDF files does not load: ") + ::dlerror(), path,
                           remedy);
  const auto function = reinterpret_cast<GetFunctions>(::dlsym(opened, functions_symbol));
  const Functions* const table = function != nullptr ? function() : nullptr;
  if (table == nullptr)
    throw EnvironmentFault("this is not Tradewind's part for NetCDF", path, "install Tradewind anew");
  if (table->version != functions_version || table->bytes != sizeof(Functions))
    throw EnvironmentFault("the part for NetCDF has version " + std::to_string(table->version) +
                               ", this worker needs " + std::to_string(functions_version),
                           path, "build or install both together");
  // At the process's end HDF5 would try again to close a file that it could not write, and fall over it.
  void* const hdf5 = netcdf != nullptr ? netcdf : opened;
  if (const auto no_farewell = reinterpret_cast<NoFarewell>(::dlsym(hdf5, "H5dont_atexit")); no_farewell != nullptr)
    no_farewell();
  return {table, reinterpret_cast<SetPrinting>(::dlsym(hdf5, "H5Eset_auto2"))};
}

const Loaded& loaded() {
  static const Loaded once = load();
  return once;
}

std::mutex& turns() {
  static std::mutex one_at_a_time;
  return one_at_a_time;
}

}  // namespace

void use_netcdf(std::string path) { netcdf_path() = std::move(path); }

const Functions& library() { return *loaded().functions; }

Turn::Turn() : lock_(turns()) {
  // HDF5 keeps it for each thread.
  thread_local bool silent = false;
  if (silent) return;
  if (const SetPrinting set = loaded().set_printing; set != nullptr) set(default_stack, nullptr, nullptr);
  silent = true;
}

}  // namespace tradewind::netcdf
