// NumPy's .npz files: a zip of .npy arrays. Reading goes through the checkpoint's archive reader; writing makes a
// stored zip that appears under its name only when it is whole. Errors: UserError naming file and array;
// EnvironmentFault when the file cannot be written.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "common/archive/archive.h"
#include "worker/npz/zip_parts.h"

namespace tradewind::npz {

// Array `name` (without .npy): format versions 1 to 3, little-endian float32, float64 or int64, C or Fortran order.
// Contiguous, of that type, its own copy.
at::Tensor read(const archive::Archive& archive, const std::string& name);
bool holds(const archive::Archive& archive, const std::string& name);

// float32 or float64 tensors of any layout.
void write(const std::string& path, const std::vector<std::pair<std::string, at::Tensor>>& arrays);

// For files that several write together: an array as its part of the file, compressed (numpy.savez_compressed), and
// what follows the last part. Parts stand in the order of `entries`, from the file's beginning.
struct PackedArray {
  ZipEntry entry;
  std::string bytes;  // local header and values
};
PackedArray pack(const std::string& name, const at::Tensor& array);
PackedArray pack_text(const std::string& name, const std::string& ascii);  // an array of one text, without dimensions
std::string directory_of(const std::vector<ZipEntry>& entries);

}  // namespace tradewind::npz
