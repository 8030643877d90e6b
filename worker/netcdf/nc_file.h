// A NetCDF-4 file that is being written. netCDF-C and HDF5 are not thread-safe: every call takes one lock of the
// process. Errors: EnvironmentFault with path, what netCDF says and, where there is one, the system's reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tradewind::netcdf {

enum class Type { int64, float32, float64 };

class NcFile {
 public:
  // EnvironmentFault when such files cannot be written here (library.h).
  static void need_library();
  // Over what is at the path.
  explicit NcFile(const std::string& path);
  ~NcFile();  // without close(): what was written stays as it is
  NcFile(const NcFile&) = delete;
  NcFile& operator=(const NcFile&) = delete;

  int add_dimension(const std::string& name, std::size_t size);  // 0: it grows
  // `chunks`: none, as netCDF likes. With chunks nothing of the variable is kept in memory, so that it is to be written
  // by whole chunks.
  int add_variable(const std::string& name, Type type, const std::vector<int>& dimensions,
                   const std::vector<std::size_t>& chunks = {});
  void add_text(int variable, const std::string& name, const std::string& value);
  void add_number(int variable, const std::string& name, Type type, double value);

  void put(int variable, std::int64_t value);                      // of no dimension
  void put(int variable, std::size_t record, std::int64_t value);  // of one that grows
  void put(int variable, const std::vector<double>& values);       // whole, of one dimension
  void put(int variable, std::size_t record, const float* values, std::size_t size);
  // Returns when all is on disk.
  void close();

 private:
  void check(int status, const std::string& doing) const;

  std::string path_;
  int file_ = -1;
};

}  // namespace tradewind::netcdf
