#include "worker/zarr/array.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "common/checkpoint/metadata_json.h"
#include "common/errors.h"

namespace tradewind::zarr {
namespace {

constexpr std::int64_t most_metadata = std::int64_t{64} << 20;

std::optional<Json> read_json(const Store& store, const std::string& name) {
  const auto text = store.text(name, most_metadata);
  if (!text) return std::nullopt;
  const std::string where = store.path() + "/" + name;
  try {
    return checkpoint::parse_python_json(*text);
  } catch (const UserError& error) {
    throw UserError(error.message(), where, "the store is damaged; fetch it again");
  }
}

std::uint64_t number_at(const Bytes& bytes, std::size_t at, bool swapped) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return swapped ? __builtin_bswap64(value) : value;
}

}  // namespace

Json read_attributes(const Store& store) {
  if (const auto root = read_json(store, "zarr.json")) {
    const auto attributes = root->find("attributes");
    return attributes != root->end() && attributes->is_object() ? *attributes : Json::object();
  }
  if (!store.find(".zgroup"))
    throw UserError("no zarr store: neither .zgroup nor zarr.json is there", store.path(), "check the path");
  if (auto attributes = read_json(store, ".zattrs")) return *std::move(attributes);
  return Json::object();
}

std::unique_ptr<const Array> Array::find(std::shared_ptr<const Store> store, const std::string& name) {
  for (const bool third : {false, true}) {
    const std::string file = name + (third ? "/zarr.json" : "/.zarray");
    const auto document = read_json(*store, file);
    if (!document) continue;
    const std::string where = store->path() + "/" + file;
    ArrayInfo info = third ? read_array_3(*document, where) : read_array_2(*document, where);
    return std::unique_ptr<const Array>(new Array(std::move(store), name, std::move(info)));
  }
  return nullptr;
}

std::unique_ptr<const Array> Array::open(std::shared_ptr<const Store> store, const std::string& name) {
  auto array = find(store, name);
  if (!array)
    throw UserError("the zarr store has no array `" + name + "`", store->path(), "give a store of anemoi-datasets");
  return array;
}

bool Array::read_part(const std::vector<std::int64_t>& index, Bytes& out) const {
  if (info_.shard) return read_from_shard(index, out);
  const auto file = store_->find(name_ + "/" + info_.chunk_name(index));
  if (!file) return false;
  if (file->size() > most_packed(info_.chunk))
    throw UserError("the chunk has " + std::to_string(file->size()) + " bytes, its array's chunks unpack to " +
                        std::to_string(info_.chunk.bytes),
                    file->where(), "the store is damaged; fetch it again");
  Bytes stored(static_cast<std::size_t>(file->size()));
  file->read(0, stored);
  out = unpack(std::move(stored), info_.chunk, file->where());
  return true;
}

// A shard: packed chunks, and an index of where each begins and how long it is; all bits set: it is not there.
bool Array::read_from_shard(const std::vector<std::int64_t>& index, Bytes& out) const {
  const ShardForm& shard = *info_.shard;
  std::vector<std::int64_t> outer(index.size());
  std::int64_t inner = 0;
  for (std::size_t i = 0; i < index.size(); ++i) {
    outer[i] = index[i] / shard.counts[i];
    inner = inner * shard.counts[i] + index[i] % shard.counts[i];
  }
  const auto file = store_->find(name_ + "/" + info_.chunk_name(outer));
  if (!file) return false;
  const auto refuse = [&](const std::string& what) {
    throw UserError(what, file->where(), "the store is damaged; fetch it again");
  };
  const std::int64_t index_bytes = 16 * shard.inner_count + (shard.index_checked ? 4 : 0);
  if (file->size() < index_bytes) refuse("the shard is too short for its index");
  const std::int64_t index_at = shard.index_first ? 0 : file->size() - index_bytes;
  Bytes entries;
  if (shard.index_checked) {
    entries.resize(static_cast<std::size_t>(index_bytes));
    file->read(index_at, entries);
    const ChunkForm form{.shape = {}, .strides = {}, .packings = {Packing::crc32c}, .bytes = index_bytes - 4};
    entries = unpack(std::move(entries), form, file->where());
    entries.erase(entries.begin(), entries.begin() + 16 * inner);
  } else {
    entries.resize(16);
    file->read(index_at + 16 * inner, entries);
  }
  const std::uint64_t offset = number_at(entries, 0, shard.index_swapped);
  const std::uint64_t length = number_at(entries, 8, shard.index_swapped);
  if (offset == ~std::uint64_t{0} && length == ~std::uint64_t{0}) return false;
  const auto size = static_cast<std::uint64_t>(file->size());
  if (offset > size || length > size - offset) refuse("the shard's index points out of it");
  if (std::cmp_greater(length, most_packed(shard.inner)))
    refuse("a chunk of the shard has " + std::to_string(length) + " bytes, it unpacks to " +
           std::to_string(shard.inner.bytes));
  Bytes stored(length);
  file->read(static_cast<std::int64_t>(offset), stored);
  out = unpack(std::move(stored), shard.inner, file->where());
  return true;
}

void Array::check(const std::vector<Wanted>& wanted) const {
  if (wanted.empty() || wanted.size() != info_.shape.size())
    throw InternalFault("a part of " + std::to_string(wanted.size()) + " axes", info_.where);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto inside = [&](std::int64_t place) { return place >= 0 && place < info_.shape[i]; };
    const bool fits = wanted[i].places.empty()
                          ? wanted[i].begin >= 0 && wanted[i].end <= info_.shape[i] && wanted[i].begin <= wanted[i].end
                          : std::all_of(wanted[i].places.begin(), wanted[i].places.end(), inside);
    if (!fits) throw InternalFault("beyond the array", info_.where);
  }
}

namespace {

// Places that follow each other in the array and in what is wanted.
struct Run {
  std::int64_t inside, out, length;  // inside: of the chunk; out: among what is wanted
};
struct ChunkRuns {
  std::int64_t chunk = 0;
  std::vector<Run> runs;
};

std::vector<ChunkRuns> runs_of(const Wanted& wanted, std::int64_t chunk) {
  std::vector<ChunkRuns> all;
  if (wanted.places.empty()) {
    for (std::int64_t at = wanted.begin; at < wanted.end;) {
      const std::int64_t next = std::min(wanted.end, (at / chunk + 1) * chunk);
      all.push_back({at / chunk, {{at % chunk, at - wanted.begin, next - at}}});
      at = next;
    }
    return all;
  }
  std::vector<std::size_t> order(wanted.places.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return wanted.places[a] / chunk < wanted.places[b] / chunk; });
  for (const std::size_t i : order) {
    const std::int64_t place = wanted.places[i], inside = place % chunk, out = static_cast<std::int64_t>(i);
    if (all.empty() || all.back().chunk != place / chunk) all.push_back({place / chunk, {}});
    auto& runs = all.back().runs;
    if (!runs.empty() && runs.back().inside + runs.back().length == inside &&
        runs.back().out + runs.back().length == out)
      ++runs.back().length;
    else
      runs.push_back({inside, out, 1});
  }
  return all;
}

float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
  if (exponent == 0) {
    const float value = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 31 ? 255U : static_cast<std::uint32_t>(exponent + 112);
  return std::bit_cast<float>(sign | wide << 23 | static_cast<std::uint32_t>(fraction) << 13);
}

template <typename Bits>
Bits turned(Bits bits) {
  if constexpr (sizeof(Bits) == 2) return __builtin_bswap16(bits);
  if constexpr (sizeof(Bits) == 4) return __builtin_bswap32(bits);
  if constexpr (sizeof(Bits) == 8) return __builtin_bswap64(bits);
  return bits;
}

// `length` elements of type From (as Bits), `stride` apart.
template <typename Bits, typename From, typename To>
void convert(const std::byte* from, std::int64_t stride, bool swapped, To* to, std::int64_t length) {
  for (std::int64_t i = 0; i < length; ++i) {
    Bits bits;
    std::memcpy(&bits, from + i * stride * static_cast<std::int64_t>(sizeof(Bits)), sizeof(Bits));
    if (swapped) bits = turned(bits);
    if constexpr (sizeof(Bits) == 2 && std::is_same_v<From, float>)
      to[i] = static_cast<To>(half_to_float(bits));
    else
      to[i] = static_cast<To>(std::bit_cast<From>(bits));
  }
}

template <typename To>
void convert(const DataType& type, bool swapped, const std::byte* from, std::int64_t stride, To* to,
             std::int64_t length) {
  using Kind = DataType::Kind;
  const auto as = [&]<typename Bits, typename From>(const Bits&, const From&) {
    convert<Bits, From>(from, stride, swapped, to, length);
  };
  const bool with_sign = type.kind == Kind::integer || type.kind == Kind::date;
  if constexpr (!std::is_same_v<To, std::int64_t>) {
    if (type.kind == Kind::real && type.size == 8) return as(std::uint64_t{}, double{});
    if (type.kind == Kind::real && type.size == 4) return as(std::uint32_t{}, float{});
    if (type.kind == Kind::real && type.size == 2) return as(std::uint16_t{}, float{});
  }
  if (type.size == 8) return with_sign ? as(std::uint64_t{}, std::int64_t{}) : as(std::uint64_t{}, std::uint64_t{});
  if (type.size == 4) return with_sign ? as(std::uint32_t{}, std::int32_t{}) : as(std::uint32_t{}, std::uint32_t{});
  if (type.size == 2) return with_sign ? as(std::uint16_t{}, std::int16_t{}) : as(std::uint16_t{}, std::uint16_t{});
  return with_sign ? as(std::uint8_t{}, std::int8_t{}) : as(std::uint8_t{}, std::uint8_t{});
}

// Copies what is wanted out of one chunk, axis by axis.
template <typename To>
struct Copy {
  const ArrayInfo& info;
  const ChunkForm& form;
  const std::vector<const ChunkRuns*>& runs;
  const std::vector<std::int64_t>& out_strides;
  const std::byte* chunk;  // null: the fill value everywhere
  To* to;

  void axis(std::size_t i, std::int64_t inside, std::int64_t out) const {
    const bool last = i + 1 == runs.size();
    for (const Run& run : runs[i]->runs) {
      const std::int64_t from = inside + run.inside * form.strides[i], at = out + run.out * out_strides[i];
      if (!last) {
        for (std::int64_t k = 0; k < run.length; ++k) axis(i + 1, from + k * form.strides[i], at + k * out_strides[i]);
      } else if (chunk == nullptr) {
        std::fill_n(to + at, run.length, static_cast<To>(info.fill));
      } else {
        convert(info.type, form.swapped, chunk + from * info.type.size, form.strides[i], to + at, run.length);
      }
    }
  }
};

}  // namespace

template <typename To>
void Array::read(const std::vector<Wanted>& wanted, To* to, std::int64_t* absent) const {
  check(wanted);
  if (std::is_same_v<To, std::int64_t> && info_.type.kind == DataType::Kind::real)
    throw UserError("whole numbers are needed, not real ones", info_.where, "give a store of anemoi-datasets");
  const ChunkForm& form = info_.smallest();
  const std::size_t axes = wanted.size();
  std::vector<std::vector<ChunkRuns>> chunks;
  std::vector<std::int64_t> out_strides(axes, 1);
  for (std::size_t i = 0; i < axes; ++i) {
    if (wanted[i].size() == 0) return;
    chunks.push_back(runs_of(wanted[i], form.shape[i]));
  }
  for (std::size_t i = axes; i-- > 1;) out_strides[i - 1] = out_strides[i] * wanted[i].size();
  std::vector<std::size_t> at(axes, 0);
  for (bool more = true; more;) {
    std::vector<std::int64_t> index;
    std::vector<const ChunkRuns*> runs;
    for (std::size_t i = 0; i < axes; ++i) {
      runs.push_back(&chunks[i][at[i]]);
      index.push_back(runs.back()->chunk);
    }
    Bytes chunk;
    const bool there = read_part(index, chunk);
    if (!there && !info_.has_fill)
      throw UserError("chunk " + info_.chunk_name(index) + " is not there, and the array has no fill value",
                      info_.where, "fetch the store again");
    if (!there && std::is_same_v<To, std::int64_t> && !(std::abs(info_.fill) < 0x1p62))
      refuse_array("chunk " + info_.chunk_name(index) + " is not there, and the fill value is no whole number",
                   info_.where);
    if (!there && absent != nullptr) ++*absent;
    Copy<To>{info_, form, runs, out_strides, there ? chunk.data() : nullptr, to}.axis(0, 0, 0);
    more = false;
    for (std::size_t i = axes; i-- > 0 && !more;) {
      more = ++at[i] < chunks[i].size();
      if (!more) at[i] = 0;
    }
  }
}

template <typename To>
std::vector<To> Array::read_all(std::int64_t most) const {
  if (info_.shape.empty()) refuse_array("an array without axes", info_.where);
  std::int64_t count = 1;
  std::vector<Wanted> wanted;
  for (const std::int64_t length : info_.shape) {
    wanted.push_back({.begin = 0, .end = length});
    if (length != 0 && count > most / length)
      throw UserError("the array has more than " + std::to_string(most) + " elements", info_.where,
                      "give a store of anemoi-datasets");
    count *= length;
  }
  std::vector<To> all(static_cast<std::size_t>(count));
  if (count > 0) read(wanted, all.data());
  return all;
}

template void Array::read(const std::vector<Wanted>&, float*, std::int64_t*) const;
template void Array::read(const std::vector<Wanted>&, double*, std::int64_t*) const;
template void Array::read(const std::vector<Wanted>&, std::int64_t*, std::int64_t*) const;
template std::vector<double> Array::read_all(std::int64_t) const;
template std::vector<std::int64_t> Array::read_all(std::int64_t) const;

}  // namespace tradewind::zarr
