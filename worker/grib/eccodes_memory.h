// How ecCodes gets the memory of its tables. A code table of two octets has 65536 entries of 24 bytes, of which a few
// hundred are named; ecCodes clears all of them by hand, so that a dozen tables take 1.5 MB of memory each. The
// allocator has cleared pages that are not there until they are written to.
#pragma once

#include <cstddef>

struct grib_context;

// Stands in for the function of this name in ecCodes, which calls it through the dynamic linker: `size` bytes of zeros,
// to be given to free(). Throws std::bad_alloc. Thread-safe.
extern "C" void* grib_context_malloc_clear_persistent(const grib_context* context, std::size_t size);
