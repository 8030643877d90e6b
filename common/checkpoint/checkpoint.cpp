#include "common/checkpoint/checkpoint.h"

#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

#include "common/checkpoint/listing.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are little-endian");

template <class T>
std::vector<double> converted(std::string_view bytes) {
  std::vector<double> out(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<double>(value);
  }
  return out;
}

struct ArrayType {
  const char* name;  // of numpy
  std::size_t size;
  std::vector<double> (*convert)(std::string_view);
};
constexpr ArrayType kArrayTypes[] = {
    {"float64", 8, converted<double>},       {"float32", 4, converted<float>},
    {"int64", 8, converted<std::int64_t>},   {"int32", 4, converted<std::int32_t>},
    {"int16", 2, converted<std::int16_t>},   {"int8", 1, converted<std::int8_t>},
    {"uint64", 8, converted<std::uint64_t>}, {"uint32", 4, converted<std::uint32_t>},
    {"uint16", 2, converted<std::uint16_t>}, {"uint8", 1, converted<std::uint8_t>},
    {"bool", 1, converted<std::uint8_t>},
};

// By its path, or below another top folder when the file was zipped again.
const ArchiveEntry* find_entry(const Archive& archive, const std::string& path) {
  if (const ArchiveEntry* entry = archive.find(path)) return entry;
  const auto slash = path.find('/');
  return slash == std::string::npos ? nullptr : archive.find(archive.root() + path.substr(slash + 1));
}

void require_same(std::size_t tree, std::size_t metadata, const char* what, const Archive& archive) {
  if (tree == metadata) return;
  throw UserError("the model has " + std::to_string(tree) + " " + what + ", its metadata " + std::to_string(metadata),
                  archive.path(), "model and metadata of this checkpoint do not belong together");
}

struct FoundArray {
  const ArrayType& type;
  const ArchiveEntry& entry;
};

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) add_to_list(text, std::to_string(size), " x ");
  return text.empty() ? "a single value" : text;
}

// Nothing on overflow.
std::optional<std::uint64_t> elements_of(const std::vector<std::int64_t>& shape) {
  std::uint64_t product = 1;
  for (const std::int64_t size : shape)
    if (__builtin_mul_overflow(product, static_cast<std::uint64_t>(size), &product)) return std::nullopt;
  return product;
}

FoundArray find_array(const Archive& archive, const Metadata& metadata, const std::string& name,
                      std::int64_t elements) {
  const std::string where = archive.path() + ": supporting array " + name;
  constexpr const char* damaged = "the checkpoint is damaged; export it again";
  const auto array = metadata.arrays.find(name);
  if (array == metadata.arrays.end()) {
    std::string known;
    for (const auto& item : metadata.arrays) add_to_list(known, item.first);
    throw UserError("the checkpoint has no such array", where, "it has: " + (known.empty() ? "none" : known));
  }
  const ArrayType* type = nullptr;
  for (const ArrayType& each : kArrayTypes) {
    if (array->second.dtype == each.name) type = &each;
  }
  if (type == nullptr) throw UserError("type " + array->second.dtype + " is not supported", where, damaged);
  const ArchiveEntry* entry = find_entry(archive, array->second.entry);
  if (entry == nullptr) throw UserError("the archive has no entry " + array->second.entry, where, damaged);
  const auto given = elements_of(array->second.shape);
  if (!given || *given != static_cast<std::uint64_t>(elements)) {
    throw UserError("it has the shape " + shape_text(array->second.shape) + " where " + std::to_string(elements) +
                        " values are needed",
                    where, damaged);
  }
  if (*given * type->size != entry->size)  // of as many values as the model has points: no overflow
    throw UserError(std::to_string(entry->size) + " bytes do not make an array of its shape and type", where, damaged);
  return {*type, *entry};
}

}  // namespace

bool has_coordinates_of_model(const Metadata& metadata, std::int64_t points) {
  const std::vector<std::int64_t> of_model = {points};
  const auto other = [&](const char* name) {
    const auto array = metadata.arrays.find(name);
    return array != metadata.arrays.end() && array->second.shape != of_model;
  };
  return !metadata.arrays.contains("grid_indices") || !(other("latitudes") || other("longitudes"));
}

void require_array(const Archive& archive, const Metadata& metadata, const std::string& name, std::int64_t elements) {
  find_array(archive, metadata, name, elements);
}

std::vector<double> read_array(const Archive& archive, const Metadata& metadata, const std::string& name,
                               std::int64_t elements) {
  const auto [type, entry] = find_array(archive, metadata, name, elements);
  if (entry.deflated) return type.convert(archive.read(entry, entry.size));
  const auto bytes = archive.bytes(entry);
  require_checksum(archive, entry, bytes);
  return type.convert({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// The tree decides what is computed, the metadata what goes in and comes out.
void require_agreement(const Archive& archive, const Metadata& metadata, const ModelDescription& model) {
  const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  const DatasetDescription& dataset = only_dataset(model);
  require_same(size(dataset.input_variables), metadata.input.size(), "input variables", archive);
  require_same(size(dataset.output_variables), metadata.output.size(), "output variables", archive);
  require_same(size(dataset.input_steps), metadata.time.input_offsets.size(), "input times", archive);
  require_same(size(dataset.output_steps), metadata.time.output_offsets.size(), "output times", archive);
  if (metadata.grid_points != 0)
    require_same(size(dataset.nodes.count), size(metadata.grid_points), "grid points", archive);
  if (metadata.multi_dataset_layout && dataset.name != metadata.dataset) {
    throw UserError("the model's dataset is " + dataset.name + ", that of its metadata " + metadata.dataset,
                    archive.path(), "model and metadata of this checkpoint do not belong together");
  }
}

}  // namespace tradewind::checkpoint
