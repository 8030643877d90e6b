// The header of a .npy array: "\x93NUMPY", version, length, then a Python dict with descr, fortran_order and shape.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tradewind::npz {

struct NpyHeader {
  std::string type;  // "<f4"
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::size_t data_offset = 0;  // of the values in the entry
};

// `where` names file and array in errors (UserError).
NpyHeader parse_npy_header(std::string_view bytes, const std::string& where);
// Version 1.0, padded so that the values start at a multiple of 64.
std::string make_npy_header(const NpyHeader& header);

}  // namespace tradewind::npz
