// Metadata of format 3.
#include <algorithm>
#include <numeric>

#include "worker/zarr/array_info.h"

namespace tradewind::zarr {
namespace {

struct Codec {
  std::string name;
  Json options = Json::object();
};

std::vector<Codec> read_codecs(const Json& document, const std::string& where) {
  const Json& list = member(document, "codecs", where);
  if (!list.is_array() || list.empty() || list.size() > 16)
    refuse_array("`codecs` must be a list of 1 to 16 codecs", where);
  std::vector<Codec> codecs;
  for (const Json& one : list) {
    Codec codec;
    const Json& name = one.is_string() ? one : member(one, "name", where);
    if (!name.is_string()) refuse_array("a codec without a name", where);
    codec.name = name.get<std::string>();
    if (one.is_object())
      if (const auto options = one.find("configuration"); options != one.end() && !options->is_null())
        codec.options = *options;
    codecs.push_back(std::move(codec));
  }
  return codecs;
}

std::vector<std::int64_t> read_axes(const Json& options, std::size_t count, const std::string& where) {
  const std::vector<std::int64_t> order = read_lengths(options, "order", 0, where);
  std::vector<bool> seen(count, false);
  for (const std::int64_t axis : order) {
    if (order.size() != count || axis >= static_cast<std::int64_t>(count) || seen[static_cast<std::size_t>(axis)])
      refuse_array("the `order` of a transposition is none", where);
    seen[static_cast<std::size_t>(axis)] = true;
  }
  if (order.size() != count) refuse_array("the `order` of a transposition is none", where);
  return order;
}

bool read_swapped(const Codec& bytes, int element_size, const std::string& where) {
  const auto endian = bytes.options.is_object() ? bytes.options.find("endian") : bytes.options.end();
  if (element_size == 1 || endian == bytes.options.end()) {
    if (element_size > 1) refuse_array("codec bytes does not tell the order of bytes (`endian`)", where);
    return false;
  }
  if (*endian != "little" && *endian != "big") refuse_array("`endian` must be little or big", where);
  return is_swapped(*endian == "big");
}

Packing packing_3(const std::string& name, const std::string& where) {
  if (name == "blosc" || name == "numcodecs.blosc") return Packing::blosc;
  if (name == "zstd" || name == "numcodecs.zstd") return Packing::zstd;
  if (name == "gzip" || name == "numcodecs.gzip") return Packing::gzip;
  if (name == "numcodecs.zlib") return Packing::zlib;
  if (name == "crc32c") return Packing::crc32c;
  refuse_array("codec " + Json(name).dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 60) +
                   " is not supported; bytes, transpose, sharding_indexed, blosc, zstd, gzip and crc32c are",
               where);
}

std::shared_ptr<const ShardForm> read_shard(const Codec& codec, const ArrayInfo& info);

// Codecs of the array, or of a shard's inner chunks (then `shard` is null: no shards within shards).
void read_form(ChunkForm& form, const std::vector<Codec>& codecs, const ArrayInfo& info,
               std::shared_ptr<const ShardForm>* shard) {
  std::vector<std::int64_t> axes(form.shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  bool as_bytes = false;
  for (const Codec& codec : codecs) {
    if (as_bytes) {
      if (shard != nullptr && *shard) refuse_array("shards that are packed as a whole are not supported", info.where);
      form.packings.push_back(packing_3(codec.name, info.where));
    } else if (codec.name == "transpose") {
      // Each transposition changes what the ones before have left.
      const std::vector<std::int64_t> order = read_axes(codec.options, axes.size(), info.where), before = axes;
      for (std::size_t i = 0; i < order.size(); ++i) axes[i] = before[static_cast<std::size_t>(order[i])];
    } else if (codec.name == "bytes") {
      form.swapped = read_swapped(codec, info.type.size, info.where);
      as_bytes = true;
    } else if (codec.name == "sharding_indexed" && shard != nullptr) {
      if (!std::is_sorted(axes.begin(), axes.end())) refuse_array("transposed shards are not supported", info.where);
      *shard = read_shard(codec, info);
      as_bytes = true;
    } else {
      refuse_array("codec " + codec.name.substr(0, 60) + " is not supported before the elements are bytes", info.where);
    }
  }
  if (!as_bytes) refuse_array("no codec that makes bytes of elements", info.where);
  if (shard == nullptr || !*shard) lay_out(form, axes, info.type.size, info.where);
}

std::shared_ptr<const ShardForm> read_shard(const Codec& codec, const ArrayInfo& info) {
  auto shard = std::make_shared<ShardForm>();
  shard->inner.shape = read_lengths(codec.options, "chunk_shape", 1, info.where);
  if (shard->inner.shape.size() != info.chunk.shape.size())
    refuse_array("the `chunk_shape` of shards and of the array differ in length", info.where);
  double count = 1;
  for (std::size_t i = 0; i < info.chunk.shape.size(); ++i) {
    if (info.chunk.shape[i] % shard->inner.shape[i] != 0)
      refuse_array("the chunks of a shard do not fill it", info.where);
    shard->counts.push_back(info.chunk.shape[i] / shard->inner.shape[i]);
    count *= static_cast<double>(shard->counts.back());
  }
  if (count > 0x1p24) refuse_array("more than 16777216 chunks in a shard", info.where);
  shard->inner_count = static_cast<std::int64_t>(count);
  read_form(shard->inner, read_codecs(codec.options, info.where), info, nullptr);
  const Json index = {{"codecs", member(codec.options, "index_codecs", info.where)}};
  const std::vector<Codec> codecs = read_codecs(index, info.where);
  if (codecs.front().name != "bytes" || codecs.size() > 2 || (codecs.size() == 2 && codecs[1].name != "crc32c"))
    refuse_array("the index of shards may be packed with bytes and crc32c only", info.where);
  shard->index_swapped = read_swapped(codecs.front(), 8, info.where);
  shard->index_checked = codecs.size() == 2;
  if (const auto place = codec.options.find("index_location"); place != codec.options.end()) {
    if (*place != "start" && *place != "end") refuse_array("`index_location` must be start or end", info.where);
    shard->index_first = *place == "start";
  }
  return shard;
}

void read_names(ArrayInfo& info, const Json& document) {
  const Json& encoding = member(document, "chunk_key_encoding", info.where);
  const Json& name = encoding.is_string() ? encoding : member(encoding, "name", info.where);
  if (name != "default" && name != "v2") refuse_array("`chunk_key_encoding` must be default or v2", info.where);
  info.default_names = name == "default";
  info.separator = info.default_names ? '/' : '.';
  if (!encoding.is_object()) return;
  const auto options = encoding.find("configuration");
  if (options == encoding.end() || !options->is_object()) return;
  const auto separator = options->find("separator");
  if (separator == options->end()) return;
  if (*separator != "." && *separator != "/") refuse_array("the `separator` of chunk names must be . or /", info.where);
  info.separator = separator->get<std::string>()[0];
}

}  // namespace

ArrayInfo read_array_3(const Json& document, const std::string& where) {
  ArrayInfo info;
  info.where = where;
  if (member(document, "zarr_format", where) != 3) refuse_array("`zarr_format` must be 3", where);
  if (member(document, "node_type", where) != "array") refuse_array("`node_type` must be array", where);
  if (const auto more = document.find("storage_transformers");
      more != document.end() && !(more->is_array() && more->empty()))
    refuse_array("`storage_transformers` are not supported", where);
  info.shape = read_lengths(document, "shape", 0, where);
  info.type = named_type(member(document, "data_type", where), where);
  const Json& grid = member(document, "chunk_grid", where);
  if (member(grid, "name", where) != "regular") refuse_array("`chunk_grid` must be regular", where);
  info.chunk.shape = read_lengths(member(grid, "configuration", where), "chunk_shape", 1, where);
  if (info.chunk.shape.size() != info.shape.size()) refuse_array("`chunk_shape` and `shape` differ in length", where);
  read_form(info.chunk, read_codecs(document, where), info, &info.shard);
  read_names(info, document);
  read_fill(info, document);
  return info;
}

}  // namespace tradewind::zarr
