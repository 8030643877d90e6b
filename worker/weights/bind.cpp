#include "worker/weights/bind.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include "common/errors.h"

namespace tradewind::weights {
namespace {

at::ScalarType scalar_type(checkpoint::ScalarType type) {
  switch (type) {
    case checkpoint::ScalarType::f64:
      return at::kDouble;
    case checkpoint::ScalarType::f32:
      return at::kFloat;
    case checkpoint::ScalarType::f16:
      return at::kHalf;
    case checkpoint::ScalarType::bf16:
      return at::kBFloat16;
    case checkpoint::ScalarType::i64:
      return at::kLong;
    case checkpoint::ScalarType::i32:
      return at::kInt;
    case checkpoint::ScalarType::i16:
      return at::kShort;
    case checkpoint::ScalarType::i8:
      return at::kChar;
    case checkpoint::ScalarType::u8:
      return at::kByte;
    case checkpoint::ScalarType::boolean:
      return at::kBool;
  }
  throw InternalFault("a tensor of unknown type");
}

struct AddressRange {
  std::uintptr_t begin = 0, end = 0;
};

// The mapping of a file that holds an address; empty when the memory is of another kind.
AddressRange file_mapping_of(std::uintptr_t address) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    unsigned long begin = 0, end = 0, inode = 0;
    char permissions[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %*s %*s %lu", &begin, &end, permissions, &inode) != 4) continue;
    if (address >= begin && address < end)
      return inode != 0 && permissions[1] == '-' ? AddressRange{begin, end} : AddressRange{};
  }
  return {};
}

}  // namespace

at::Tensor bind(const checkpoint::TensorDescriptor& descriptor) {
  const at::TensorOptions options = at::TensorOptions().dtype(scalar_type(descriptor.dtype));
  if (!descriptor.data) return at::empty(descriptor.shape, options);
  // ATen has no read-only tensors; nothing writes to a weight.
  void* data = const_cast<std::byte*>(descriptor.data);
  return at::from_blob(data, descriptor.shape, descriptor.strides, options);
}

at::Tensor bind_float(const checkpoint::TensorDescriptor& descriptor) {
  return bind(descriptor).to(at::kFloat).contiguous();
}

void forget_pages(const checkpoint::TensorDescriptor& descriptor) {
  if (!descriptor.data || !descriptor.contiguous()) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(descriptor.data);
  const std::uintptr_t last = first + static_cast<std::uintptr_t>(descriptor.elements()) * size_of(descriptor.dtype);
  const std::uintptr_t begin = (first + page - 1) / page * page, end = last / page * page;
  if (begin >= end) return;
  // Read-only pages of a file come back as they were; any other memory would be lost.
  thread_local AddressRange known;
  if (begin < known.begin || end > known.end) known = file_mapping_of(begin);
  if (begin < known.begin || end > known.end) return;
  ::madvise(const_cast<std::byte*>(descriptor.data) + (begin - first), end - begin, MADV_DONTNEED);
}

}  // namespace tradewind::weights
