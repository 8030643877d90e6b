// The elements of a zarr array, by the names of format 2 ("<f4", numpy's) and of format 3 ("float32").
// Plain values, pure functions. Errors: UserError naming the type.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/checkpoint/metadata.h"

namespace tradewind::zarr {

using Json = checkpoint::Json;

struct DataType {
  enum class Kind { boolean, integer, natural, real, date };  // natural: an integer without sign
  Kind kind = Kind::real;
  int size = 4;                         // bytes of an element: 1, 2, 4 or 8
  bool swapped = false;                 // its bytes lie in the other order than this machine's
  std::int64_t seconds = 0, parts = 1;  // of a date: its unit is `seconds`, or one of `parts` of a second
  bool operator==(const DataType&) const = default;
};

DataType numpy_type(std::string_view name, const std::string& where);    // format 2
DataType named_type(const Json& description, const std::string& where);  // format 3; the order of bytes comes later

// Whether numbers of `big` or little endian have to be turned round here.
inline bool is_swapped(bool big) { return big == (std::endian::native == std::endian::little); }

}  // namespace tradewind::zarr
