#include "common/checkpoint/tensor_descriptor.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

struct Half {
  std::uint16_t bits;
};
struct BrainFloat {
  std::uint16_t bits;
};

double number(Half half) {
  const int exponent = (half.bits >> 10) & 31, mantissa = half.bits & 1023;
  double value = 0;
  if (exponent == 31)
    value = mantissa ? std::nan("") : INFINITY;
  else if (exponent == 0)
    value = std::ldexp(mantissa, -24);
  else
    value = std::ldexp(1024 + mantissa, exponent - 25);
  return half.bits & 0x8000 ? -value : value;
}
double number(BrainFloat brain) { return std::bit_cast<float>(static_cast<std::uint32_t>(brain.bits) << 16); }
template <class T>
T number(T value) {
  return value;
}

// Calls visit(element) for each in row-major order; elements may be unaligned.
template <class Stored, class Visit>
void for_each(const TensorDescriptor& tensor, Visit visit) {
  const std::int64_t count = tensor.elements();
  std::vector<std::int64_t> index(tensor.shape.size(), 0);
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, tensor.data + offset * static_cast<std::int64_t>(sizeof(Stored)), sizeof(Stored));
    visit(number(value));
    for (std::size_t d = index.size(); d-- > 0;) {
      offset += tensor.strides[d];
      if (++index[d] < tensor.shape[d]) break;
      offset -= tensor.strides[d] * tensor.shape[d];
      index[d] = 0;
    }
  }
}

template <class Visit>
void visit_integers(const TensorDescriptor& tensor, Visit visit) {
  switch (tensor.dtype) {
    case ScalarType::i64:
      return for_each<std::int64_t>(tensor, visit);
    case ScalarType::i32:
      return for_each<std::int32_t>(tensor, visit);
    case ScalarType::i16:
      return for_each<std::int16_t>(tensor, visit);
    case ScalarType::i8:
      return for_each<std::int8_t>(tensor, visit);
    case ScalarType::u8:
      return for_each<std::uint8_t>(tensor, visit);
    case ScalarType::boolean:
      return for_each<std::uint8_t>(tensor, [&](std::uint8_t value) { visit(value != 0); });
    default:
      throw UserError(std::string("expected a tensor of integers, found ") + name_of(tensor.dtype), tensor.path);
  }
}

}  // namespace

std::size_t size_of(ScalarType type) {
  switch (type) {
    case ScalarType::f64:
    case ScalarType::i64:
      return 8;
    case ScalarType::f32:
    case ScalarType::i32:
      return 4;
    case ScalarType::f16:
    case ScalarType::bf16:
    case ScalarType::i16:
      return 2;
    case ScalarType::i8:
    case ScalarType::u8:
    case ScalarType::boolean:
      return 1;
  }
  throw InternalFault("unknown scalar type");
}

const char* name_of(ScalarType type) {
  switch (type) {
    case ScalarType::f64:
      return "float64";
    case ScalarType::f32:
      return "float32";
    case ScalarType::f16:
      return "float16";
    case ScalarType::bf16:
      return "bfloat16";
    case ScalarType::i64:
      return "int64";
    case ScalarType::i32:
      return "int32";
    case ScalarType::i16:
      return "int16";
    case ScalarType::i8:
      return "int8";
    case ScalarType::u8:
      return "uint8";
    case ScalarType::boolean:
      return "bool";
  }
  throw InternalFault("unknown scalar type");
}

std::int64_t TensorDescriptor::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

bool TensorDescriptor::contiguous() const {
  if (data == nullptr) return true;
  std::int64_t expected = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (shape[d] != 1 && strides[d] != expected) return false;
    expected *= shape[d];
  }
  return true;
}

std::vector<std::int64_t> to_int64(const TensorDescriptor& tensor) {
  std::vector<std::int64_t> values;
  values.reserve(static_cast<std::size_t>(tensor.elements()));
  visit_integers(tensor, [&](std::int64_t value) { values.push_back(value); });
  return values;
}

std::vector<double> to_double(const TensorDescriptor& tensor) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(tensor.elements()));
  const auto keep = [&](auto value) { values.push_back(static_cast<double>(value)); };
  switch (tensor.dtype) {
    case ScalarType::f64:
      for_each<double>(tensor, keep);
      break;
    case ScalarType::f32:
      for_each<float>(tensor, keep);
      break;
    case ScalarType::f16:
      for_each<Half>(tensor, keep);
      break;
    case ScalarType::bf16:
      for_each<BrainFloat>(tensor, keep);
      break;
    default:
      visit_integers(tensor, keep);
  }
  return values;
}

}  // namespace tradewind::checkpoint
