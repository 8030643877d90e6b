#include "worker/grib/eccodes_memory.h"

#include <cstdlib>
#include <new>

extern "C" void* grib_context_malloc_clear_persistent(const grib_context*, std::size_t size) {
  void* memory = std::calloc(1, size);
  if (memory == nullptr && size > 0) throw std::bad_alloc();
  return memory;
}
