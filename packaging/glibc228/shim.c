// What Debian 12's static libstdc++ asks of a C library newer than 2.28, hidden from everything else.
// fstat64 and stat64 are functions of their own since glibc 2.33, __libc_single_threaded came with 2.32, arc4random
// with 2.36 (its release notes).
#include <stddef.h>
#include <sys/types.h>

#define OURS __attribute__((visibility("hidden")))

struct stat64;
extern int __fxstat64(int version, int descriptor, struct stat64* found);
extern int __xstat64(int version, const char* path, struct stat64* found);
extern int __lxstat64(int version, const char* path, struct stat64* found);
extern int __fxstatat64(int version, int folder, const char* path, struct stat64* found, int flags);
extern ssize_t getrandom(void* bytes, size_t count, unsigned flags);

enum { stat_version = 1 };

OURS char __libc_single_threaded = 0;  // counts of references are atomic always

OURS int fstat64(int descriptor, struct stat64* found) { return __fxstat64(stat_version, descriptor, found); }
OURS int stat64(const char* path, struct stat64* found) { return __xstat64(stat_version, path, found); }
OURS int lstat64(const char* path, struct stat64* found) { return __lxstat64(stat_version, path, found); }
OURS int fstatat64(int folder, const char* path, struct stat64* found, int flags) {
  return __fxstatat64(stat_version, folder, path, found, flags);
}
OURS int fstat(int descriptor, struct stat64* found) { return __fxstat64(stat_version, descriptor, found); }
OURS int stat(const char* path, struct stat64* found) { return __xstat64(stat_version, path, found); }
OURS int lstat(const char* path, struct stat64* found) { return __lxstat64(stat_version, path, found); }
OURS int fstatat(int folder, const char* path, struct stat64* found, int flags) {
  return __fxstatat64(stat_version, folder, path, found, flags);
}

OURS unsigned arc4random(void) {
  unsigned value = 0;
  while (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) {
  }
  return value;
}
