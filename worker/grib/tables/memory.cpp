#include "worker/grib/tables/memory.h"

#include <cstddef>
#include <cstdlib>
#include <new>

struct grib_context;

// In place of the function of this name in ecCodes, which calls it through the dynamic linker: `size` bytes of zeros,
// to be given to free(). The allocator has cleared pages that are not there until they are written to. Thread-safe.
extern "C" void* grib_context_malloc_clear_persistent(const grib_context*, std::size_t size) {
  void* memory = std::calloc(1, size);
  if (memory == nullptr && size > 0) throw std::bad_alloc();
  return memory;
}

namespace tradewind::grib {

// A program that calls this links the function above, which is all that is needed.
void keep_tables_small() {}

}  // namespace tradewind::grib
