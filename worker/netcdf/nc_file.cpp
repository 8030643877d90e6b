#include "worker/netcdf/nc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/errors.h"
#include "worker/netcdf/library.h"

namespace tradewind::netcdf {
namespace {

nc_type type_of(Type type) {
  switch (type) {
    case Type::int64:
      return NC_INT64;
    case Type::float32:
      return NC_FLOAT;
    case Type::float64:
      return NC_DOUBLE;
  }
  throw InternalFault("a NetCDF type that nobody knows");
}

}  // namespace

void NcFile::check(int status, const std::string& doing) const {
  if (status == NC_NOERR) return;
  const int code = errno;
  const std::string reason = code != 0 ? std::string(": ") + std::strerror(code) : "";
  const char* remedy = code == ENOSPC || code == EDQUOT  ? "make room there, or write elsewhere"
                       : code == EFBIG                   ? "raise the limit (ulimit -f), or write elsewhere"
                       : code == EACCES || code == EPERM ? "check the permissions, or write elsewhere"
                                                         : "";
  throw EnvironmentFault("cannot " + doing + " (" + library().strerror(status) + ")" + reason, path_, remedy);
}

void NcFile::need_library() { library(); }

NcFile::NcFile(const std::string& path) : path_(path) {
  const Turn turn;
  errno = 0;
  check(library().create(path.c_str(), NC_CLOBBER | NC_NETCDF4, &file_), "create the NetCDF file");
}

NcFile::~NcFile() {
  if (file_ < 0) return;
  const Turn turn;
  library().close(file_);
}

int NcFile::add_dimension(const std::string& name, std::size_t size) {
  const Turn turn;
  int dimension = -1;
  errno = 0;
  check(library().def_dim(file_, name.c_str(), size == 0 ? NC_UNLIMITED : size, &dimension),
        "make the dimension " + name);
  return dimension;
}

int NcFile::add_variable(const std::string& name, Type type, const std::vector<int>& dimensions,
                         const std::vector<std::size_t>& chunks) {
  const Turn turn;
  int variable = -1;
  errno = 0;
  const std::string doing = "make the variable " + name;
  check(library().def_var(file_, name.c_str(), type_of(type), static_cast<int>(dimensions.size()), dimensions.data(),
                          &variable),
        doing);
  if (chunks.empty()) return variable;
  check(library().def_var_chunking(file_, variable, NC_CHUNKED, chunks.data()), doing);
  check(library().set_var_chunk_cache(file_, variable, 0, 0, 0), doing);
  return variable;
}

void NcFile::add_text(int variable, const std::string& name, const std::string& value) {
  const Turn turn;
  errno = 0;
  check(library().put_att_text(file_, variable, name.c_str(), value.size(), value.c_str()),
        "set the attribute " + name);
}

void NcFile::add_number(int variable, const std::string& name, Type type, double value) {
  const Turn turn;
  errno = 0;
  check(library().put_att_double(file_, variable, name.c_str(), type_of(type), 1, &value), "set the attribute " + name);
}

void NcFile::put(int variable, std::int64_t value) {
  const Turn turn;
  const long long number = value;
  errno = 0;
  check(library().put_var_longlong(file_, variable, &number), "write");
}

void NcFile::put(int variable, std::size_t record, std::int64_t value) {
  const Turn turn;
  const long long number = value;
  errno = 0;
  check(library().put_var1_longlong(file_, variable, &record, &number), "write");
}

void NcFile::put(int variable, const std::vector<double>& values) {
  const Turn turn;
  errno = 0;
  check(library().put_var_double(file_, variable, values.data()), "write");
}

void NcFile::put(int variable, std::size_t record, const float* values, std::size_t size) {
  const Turn turn;
  const std::array<std::size_t, 2> start = {record, 0}, count = {1, size};
  errno = 0;
  check(library().put_vara_float(file_, variable, start.data(), count.data(), values), "write");
}

void NcFile::close() {
  const Turn turn;
  errno = 0;
  const int status = library().close(file_);
  file_ = -1;
  check(status, "close the NetCDF file");
  const int written = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = written >= 0 && (fsync(written) == 0 || errno == EINVAL || errno == EROFS);
  const int code = errno;
  if (written >= 0) ::close(written);
  if (!synced) throw EnvironmentFault(std::string("cannot write the output to disk: ") + std::strerror(code), path_);
}

}  // namespace tradewind::netcdf
