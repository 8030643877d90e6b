#include "common/checkpoint/pickle_tensors.h"

#include <algorithm>
#include <cstdint>

#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

constexpr std::size_t max_dimensions = 64;  // torch's own limit
// Copies of compressed storages: at most this, or this many times the file.
constexpr std::uint64_t copied_base = std::uint64_t{256} << 20, copied_ratio = 8;
// Strides of 0 let a few bytes look like any number of elements.
constexpr std::int64_t repeated_base = std::int64_t{1} << 24, repeated_ratio = 64;

struct Named {
  std::string_view name;
  ScalarType type;
};
constexpr Named storage_classes[] = {
    {"DoubleStorage", ScalarType::f64},    {"FloatStorage", ScalarType::f32}, {"HalfStorage", ScalarType::f16},
    {"BFloat16Storage", ScalarType::bf16}, {"LongStorage", ScalarType::i64},  {"IntStorage", ScalarType::i32},
    {"ShortStorage", ScalarType::i16},     {"CharStorage", ScalarType::i8},   {"ByteStorage", ScalarType::u8},
    {"BoolStorage", ScalarType::boolean},  {"UntypedStorage", ScalarType::u8}};
constexpr Named dtypes[] = {{"float64", ScalarType::f64},   {"double", ScalarType::f64},  {"float32", ScalarType::f32},
                            {"float", ScalarType::f32},     {"float16", ScalarType::f16}, {"half", ScalarType::f16},
                            {"bfloat16", ScalarType::bf16}, {"int64", ScalarType::i64},   {"long", ScalarType::i64},
                            {"int32", ScalarType::i32},     {"int", ScalarType::i32},     {"int16", ScalarType::i16},
                            {"short", ScalarType::i16},     {"int8", ScalarType::i8},     {"uint8", ScalarType::u8},
                            {"bool", ScalarType::boolean}};
constexpr Named numpy_codes[] = {{"f8", ScalarType::f64}, {"f4", ScalarType::f32}, {"f2", ScalarType::f16},
                                 {"i8", ScalarType::i64}, {"i4", ScalarType::i32}, {"i2", ScalarType::i16},
                                 {"i1", ScalarType::i8},  {"u1", ScalarType::u8},  {"b1", ScalarType::boolean}};

template <std::size_t N>
std::optional<ScalarType> look_up(const Named (&table)[N], std::string_view name) {
  for (const Named& row : table)
    if (row.name == name) return row.type;
  return std::nullopt;
}

std::string_view last_part(std::string_view dotted) { return dotted.substr(dotted.rfind('.') + 1); }

// The dtype object of numpy: numpy.dtype(code, align, copy) with state (version, byte order, ...).
std::optional<ScalarType> numpy_type(Ref value) {
  const auto* dtype = get<Object>(value);
  if (!dtype || dtype->name != "numpy.dtype" || dtype->arguments.empty()) return std::nullopt;
  const auto* code = get<std::string>(dtype->arguments[0]);
  const auto* state = get<Tuple>(dtype->state);
  if (!code) return std::nullopt;
  if (state && state->items.size() > 1) {
    const auto* order = get<std::string>(state->items[1]);
    if (!order || *order == ">") return std::nullopt;
  }
  std::string_view name = *code;
  if (name.starts_with('<') || name.starts_with('|') || name.starts_with('=')) name.remove_prefix(1);
  return look_up(numpy_codes, name);
}

// Number of elements; nothing on overflow, counting dimensions of 0 as 1 so that no partial product overflows either.
std::optional<std::int64_t> checked_elements(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    empty = empty || size == 0;
    if (__builtin_mul_overflow(product, std::max<std::int64_t>(size, 1), &product)) return std::nullopt;
  }
  return empty ? 0 : product;
}

// One past the last element that a strided view touches; nothing on overflow.
std::optional<std::int64_t> checked_end(const TensorDescriptor& tensor, std::int64_t offset) {
  std::int64_t end = 1;
  if (__builtin_add_overflow(end, offset, &end)) return std::nullopt;
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    std::int64_t step = 0;
    if (__builtin_mul_overflow(tensor.shape[d] - 1, tensor.strides[d], &step)) return std::nullopt;
    if (__builtin_add_overflow(end, step, &end)) return std::nullopt;
  }
  return end;
}

bool too_repetitive(std::int64_t elements, std::int64_t stored) {
  return elements > repeated_base && elements / repeated_ratio > stored;
}

}  // namespace

PickleStorages::PickleStorages(std::shared_ptr<const archive::Archive> archive, std::string folder)
    : archive_(std::move(archive)), folder_(std::move(folder)) {}

std::span<const std::byte> PickleStorages::bytes(const std::string& key, std::size_t alignment, std::uint64_t wanted) {
  if (const auto found = copies_.find(key); found != copies_.end()) return std::as_bytes(std::span(found->second));
  const std::string name = key.size() <= PickleArena::max_name ? folder_ + "data/" + key : std::string();
  const archive::Entry* entry = archive_ ? archive_->find(name) : nullptr;
  if (!entry)
    throw UserError("the checkpoint has no entry for storage '" + key.substr(0, 64) + "'",
                    archive_ ? archive_->path() : std::string(), "fetch the file again");
  if (!entry->deflated) {
    const auto mapped = archive_->bytes(*entry);
    if (reinterpret_cast<std::uintptr_t>(mapped.data()) % alignment == 0) return mapped;
  } else {
    const std::uint64_t limit = std::max(copied_base, copied_ratio * archive_->file_size());
    if (entry->size > limit - copied_)
      throw UserError("the compressed storages have more than " + std::to_string(limit) + " bytes",
                      archive_->path() + ": " + name, "rewrite the file with stored entries");
    // Before it is unpacked: a stored one costs nothing, whatever its size.
    if (entry->size > wanted)
      throw UserError("the compressed storage unpacks to " + std::to_string(entry->size) +
                          " bytes, of which the model " + "wants " + std::to_string(wanted),
                      archive_->path() + ": " + name, "fetch the file again");
    copied_ += entry->size;
  }
  return std::as_bytes(std::span(copies_.emplace(key, archive_->read(*entry, entry->size)).first->second));
}

const std::string& PickleStorages::keep(const Bytes& value, PickleArena& charged) {
  const auto found = kept_.find(&value);
  if (found != kept_.end()) return found->second;
  charged.charge(value.data.size());
  return kept_.emplace(&value, value.data).first->second;
}

Cell* PickleTensors::storage(Ref persistent_id) {
  const auto* id = get<Tuple>(persistent_id);
  if (!id || id->items.size() < 5) arena_.fail("a persistent id is not that of a storage");
  const auto* kind = get<std::string>(id->items[0]);
  const auto* type = get<Global>(id->items[1]);
  if (!kind || *kind != "storage" || !type || !get<std::string>(id->items[2]) || !get<std::int64_t>(id->items[4]))
    arena_.fail("a persistent id is not that of a storage");
  arena_.charge(type->name.size() + 2 * PickleArena::reference_size);
  return arena_.make(Object{type->name, {id->items[2], id->items[4]}, nullptr, {}, {}});
}

std::vector<std::int64_t> PickleTensors::sizes(Ref value, const char* what) const {
  const auto* tuple = get<Tuple>(value);
  if (!tuple || tuple->items.size() > max_dimensions) arena_.fail(std::string("a tensor's ") + what + " is malformed");
  std::vector<std::int64_t> sizes;
  for (const Ref item : tuple->items) {
    const auto* size = get<std::int64_t>(item);
    if (!size) arena_.fail(std::string("a tensor's ") + what + " is not made of integers");
    if (*size < 0) arena_.fail(std::string("a tensor's ") + what + " is negative: " + std::to_string(*size));
    sizes.push_back(*size);
  }
  return sizes;
}

Cell* PickleTensors::torch_tensor(const std::vector<Ref>& arguments, bool explicit_dtype) {
  if (arguments.size() < (explicit_dtype ? 7U : 4U)) arena_.fail("a tensor has too few arguments");
  const auto* storage = get<Object>(arguments[0]);
  const auto* key = storage && storage->arguments.size() == 2 ? get<std::string>(storage->arguments[0]) : nullptr;
  const auto* count = key ? get<std::int64_t>(storage->arguments[1]) : nullptr;
  const auto* offset = get<std::int64_t>(arguments[1]);
  if (!count || !offset) arena_.fail("a tensor's storage or offset is malformed");

  const auto stored_type = look_up(storage_classes, last_part(storage->name));
  auto type = stored_type;
  if (explicit_dtype) {
    const auto* dtype = get<Global>(arguments[6]);
    type = dtype ? look_up(dtypes, last_part(dtype->name)) : std::nullopt;
  }
  // Complex, quantised and 8-bit floats: inert, an error only where one is used.
  if (!type || !stored_type) return nullptr;

  const auto stored_item = static_cast<std::int64_t>(size_of(*stored_type)),
             item = static_cast<std::int64_t>(size_of(*type));
  std::int64_t stored_bytes = 0;
  if (*count < 0 || __builtin_mul_overflow(*count, stored_item, &stored_bytes))
    arena_.fail("a storage's size is malformed");
  const auto bytes = storages_.bytes(*key, size_of(*type), static_cast<std::uint64_t>(stored_bytes));
  if (static_cast<std::uint64_t>(stored_bytes) > bytes.size())
    arena_.fail("storage " + key->substr(0, 64) + " has " + std::to_string(stored_bytes) +
                " bytes, but its entry only " + std::to_string(bytes.size()));
  const std::int64_t stored = stored_bytes / item;

  TensorDescriptor tensor;
  tensor.dtype = *type;
  tensor.shape = sizes(arguments[2], "size");
  tensor.strides = sizes(arguments[3], "stride");
  if (tensor.shape.size() != tensor.strides.size()) arena_.fail("a tensor has more sizes than strides, or fewer");
  const auto elements = checked_elements(tensor.shape);
  if (!elements || *offset < 0) arena_.fail("a tensor's extent overflows");
  if (*elements > 0) {
    const auto end = checked_end(tensor, *offset);
    if (!end || *end > stored)
      arena_.fail("a tensor reaches beyond storage " + key->substr(0, 64) + " of " + std::to_string(stored) +
                  " elements");
    if (too_repetitive(*elements, stored)) arena_.fail("a tensor repeats its storage too often");
    tensor.data = bytes.data() + *offset * item;
  }
  arena_.charge(2 * tensor.shape.size() * sizeof(std::int64_t));
  return arena_.make(std::move(tensor));
}

TensorDescriptor PickleTensors::numpy_array(Ref buffer, ScalarType type, std::vector<std::int64_t> shape,
                                            bool fortran) const {
  const auto* bytes = get<Bytes>(buffer);
  if (!bytes) arena_.fail("a numpy array's content is not bytes");
  const auto elements = checked_elements(shape);
  if (!elements || static_cast<std::uint64_t>(*elements) != bytes->data.size() / size_of(type) ||
      bytes->data.size() % size_of(type) != 0)
    arena_.fail("a numpy array's shape does not match its " + std::to_string(bytes->data.size()) + " bytes");
  TensorDescriptor tensor;
  tensor.dtype = type;
  tensor.strides.resize(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t d = fortran ? i : shape.size() - 1 - i;
    tensor.strides[d] = stride;
    stride *= std::max<std::int64_t>(shape[d], 1);
  }
  tensor.shape = std::move(shape);
  if (*elements > 0) tensor.data = reinterpret_cast<const std::byte*>(storages_.keep(*bytes, arena_).data());
  return tensor;
}

void PickleTensors::numpy_state(Cell& array, Ref state) {
  const auto* items = get<Tuple>(state);
  if (!items || items->items.size() != 5) arena_.fail("a numpy array's state is malformed");
  const auto type = numpy_type(items->items[2]);
  if (!type) return;
  const auto* fortran = get<bool>(items->items[3]);
  if (!fortran) arena_.fail("a numpy array's state is malformed");
  arena_.charge(2 * max_dimensions * sizeof(std::int64_t));
  array.data = numpy_array(items->items[4], *type, sizes(items->items[1], "shape"), *fortran);
}

Cell* PickleTensors::numpy_buffer(const std::vector<Ref>& arguments) {
  if (arguments.size() < 3) arena_.fail("a numpy array has too few arguments");
  const auto type = numpy_type(arguments[1]);
  if (!type) return nullptr;
  const auto* order = arguments.size() > 3 ? get<std::string>(arguments[3]) : nullptr;
  arena_.charge(2 * max_dimensions * sizeof(std::int64_t));
  return arena_.make(numpy_array(arguments[0], *type, sizes(arguments[2], "shape"), order && *order == "F"));
}

Cell* PickleTensors::numpy_scalar(const std::vector<Ref>& arguments) {
  const auto type = arguments.size() == 2 ? numpy_type(arguments[0]) : std::nullopt;
  if (!type) return nullptr;
  const TensorDescriptor value = numpy_array(arguments[1], *type, {}, false);
  switch (*type) {
    case ScalarType::f64:
    case ScalarType::f32:
    case ScalarType::f16:
      return arena_.make(to_double(value)[0]);
    case ScalarType::boolean:
      return arena_.boolean(to_int64(value)[0] != 0);
    default:
      return arena_.make(to_int64(value)[0]);
  }
}

}  // namespace tradewind::checkpoint
