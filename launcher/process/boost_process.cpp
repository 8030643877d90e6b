// The one file that compiles Boost.Process. Its headers expect others to have included these.
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>
#include <limits>

// Boost infers from the kernel's headers what came to the C library with glibc 2.34.
#if !__GLIBC_PREREQ(2, 34)
inline int close_range(unsigned first, unsigned last, int flags) {
  return static_cast<int>(::syscall(SYS_close_range, first, last, flags));
}
#endif

// clang-format off: in this order
#include <boost/process/v2/src.hpp>
