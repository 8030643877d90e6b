// What the metadata of a zarr array says, of format 2 (.zarray) and 3 (zarr.json), all of it checked: shape, chunks,
// elements, how chunks are packed. https://zarr-specs.readthedocs.io. Plain values. Errors: UserError naming the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "worker/zarr/data_type.h"

namespace tradewind::zarr {

enum class Packing { blosc, zstd, zlib, gzip, crc32c };

// How the bytes of one chunk come to be those of its elements.
struct ChunkForm {
  std::vector<std::int64_t> shape;    // in elements
  std::vector<std::int64_t> strides;  // of its elements where they lie in memory, in elements
  std::vector<Packing> packings;      // in the order of writing
  bool swapped = false;               // elements' bytes have to be turned round
  std::int64_t bytes = 0;             // of all its elements
};

struct ShardForm {
  ChunkForm inner;                   // of a chunk within the shard
  std::vector<std::int64_t> counts;  // of inner chunks along each axis
  std::int64_t inner_count = 0;
  bool index_checked = false, index_first = false;  // with a CRC-32C; before the chunks instead of behind them
  bool index_swapped = false;
};

struct ArrayInfo {
  std::vector<std::int64_t> shape;
  DataType type;
  ChunkForm chunk;                         // as stored, one file each
  std::shared_ptr<const ShardForm> shard;  // null: chunks are not made of smaller ones
  bool has_fill = false;
  double fill = 0;             // the value of chunks that are not there
  bool default_names = false;  // "c/0/1" of format 3; else "0.1"
  char separator = '.';
  std::string where;  // the file, for errors

  // Shape of the smallest part that is unpacked at once.
  const ChunkForm& smallest() const { return shard ? shard->inner : chunk; }
  // Name of a chunk below the array's folder.
  std::string chunk_name(const std::vector<std::int64_t>& index) const;
};

// No chunk may take more: blosc has the same bound.
constexpr std::int64_t most_chunk_bytes = (std::int64_t{1} << 31) - 1;

ArrayInfo read_array_2(const Json& document, const std::string& where);
ArrayInfo read_array_3(const Json& document, const std::string& where);

// Shared by both: numbers checked, sizes bounded.
std::vector<std::int64_t> read_lengths(const Json& document, const char* key, std::int64_t least,
                                       const std::string& where);
// Fills in strides and bytes for elements that lie in the order of `axes`, the slowest first.
void lay_out(ChunkForm& form, const std::vector<std::int64_t>& axes, int element_size, const std::string& where);
// "NaN", "Infinity", a number, a boolean; dates and null have none.
void read_fill(ArrayInfo& info, const Json& document);
[[noreturn]] void refuse_array(const std::string& what, const std::string& where);
const Json& member(const Json& document, const char* key, const std::string& where);

}  // namespace tradewind::zarr
