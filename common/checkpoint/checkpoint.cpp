#include "common/checkpoint/checkpoint.h"

#include <algorithm>
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
const archive::Entry* find_entry(const archive::Archive& archive, const std::string& path) {
  if (const archive::Entry* entry = archive.find(path)) return entry;
  const auto slash = path.find('/');
  return slash == std::string::npos ? nullptr : archive.find(archive.root() + path.substr(slash + 1));
}

constexpr const char* kStrangers = "model and metadata of this checkpoint do not belong together";

std::vector<std::string> names_of(const ModelDescription& model) {
  std::vector<std::string> names;
  for (const DatasetDescription& dataset : model.datasets) names.push_back(dataset.name);
  return names;
}

std::vector<std::string> names_of(const std::vector<Metadata>& metadata) {
  std::vector<std::string> names;
  for (const Metadata& dataset : metadata) names.push_back(dataset.dataset);
  return names;
}

[[noreturn]] void refuse_names(const archive::Archive& archive, const std::vector<Metadata>& metadata,
                               const ModelDescription& model) {
  const bool one = metadata.size() == 1 && model.datasets.size() == 1;
  throw UserError((one ? "the model's dataset is " : "the model's datasets are ") + listed(names_of(model)) +
                      (one ? ", that of its metadata " : ", those of its metadata ") + listed(names_of(metadata)),
                  archive.path(), kStrangers);
}

// In the order of the metadata.
void order_datasets(const archive::Archive& archive, const std::vector<Metadata>& metadata, ModelDescription& model) {
  if (metadata.size() != model.datasets.size()) refuse_names(archive, metadata, model);
  if (!metadata.front().multi_dataset_layout) return;
  const std::vector<std::string> names = names_of(model);
  std::vector<std::size_t> moved(names.size());  // old place -> new place
  std::vector<DatasetDescription> ordered;
  for (const Metadata& dataset : metadata) {
    const auto found = std::find(names.begin(), names.end(), dataset.dataset);
    if (found == names.end()) refuse_names(archive, metadata, model);
    const auto old = static_cast<std::size_t>(found - names.begin());
    moved[old] = ordered.size();
    ordered.push_back(model.datasets[old]);
  }
  model.datasets = std::move(ordered);
  for (std::size_t& latent : model.latents) latent = moved.at(latent);
}

void require_agreement(const archive::Archive& archive, const Metadata& metadata, const DatasetDescription& dataset,
                       bool one) {
  const std::string whose = one ? "the model" : "the model's dataset " + dataset.name;
  const auto require_same = [&](std::int64_t tree, std::size_t stated, const char* what) {
    if (tree == static_cast<std::int64_t>(stated)) return;
    throw UserError(whose + " has " + std::to_string(tree) + " " + what + ", its metadata " + std::to_string(stated),
                    archive.path(), kStrangers);
  };
  require_same(dataset.input_variables, metadata.input.size(), "input variables");
  require_same(dataset.output_variables, metadata.output.size(), "output variables");
  require_same(dataset.input_steps, metadata.time.input_offsets.size(), "input times");
  require_same(dataset.output_steps, metadata.time.output_offsets.size(), "output times");
  if (metadata.grid_points != 0)
    require_same(dataset.nodes.count, static_cast<std::size_t>(metadata.grid_points), "grid points");
}

struct FoundArray {
  const ArrayType& type;
  const archive::Entry& entry;
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

FoundArray find_array(const archive::Archive& archive, const Metadata& metadata, const std::string& name,
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
  const archive::Entry* entry = find_entry(archive, array->second.entry);
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

void require_array(const archive::Archive& archive, const Metadata& metadata, const std::string& name,
                   std::int64_t elements) {
  find_array(archive, metadata, name, elements);
}

std::vector<double> read_array(const archive::Archive& archive, const Metadata& metadata, const std::string& name,
                               std::int64_t elements) {
  const auto [type, entry] = find_array(archive, metadata, name, elements);
  if (entry.deflated) return type.convert(archive.read(entry, entry.size));
  const auto bytes = archive.bytes(entry);
  require_checksum(archive, entry, bytes);
  return type.convert({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// The tree decides what is computed, the metadata what goes in and comes out.
void require_agreement(const archive::Archive& archive, const std::vector<Metadata>& metadata,
                       ModelDescription& model) {
  order_datasets(archive, metadata, model);
  for (std::size_t i = 0; i < metadata.size(); ++i)
    require_agreement(archive, metadata[i], model.datasets[i], metadata.size() == 1);
}

}  // namespace tradewind::checkpoint
