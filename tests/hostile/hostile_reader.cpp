// hostile_reader FILE: opens a checkpoint as every part of the program does, within 10 s of processor time and 2 GiB of
// address space beyond the file itself. Prints the error; leaves with its exit code.
#include <sys/resource.h>

#include <filesystem>
#include <iostream>

#include "common/checkpoint/opening/obstacles.h"
#include "common/errors.h"

namespace {

void limit(const char* path) {
#if defined(__SANITIZE_ADDRESS__)
  constexpr rlim_t seconds = 100;
#else
  constexpr rlim_t seconds = 10;
#endif
  const rlimit time{seconds, seconds + 1};
  ::setrlimit(RLIMIT_CPU, &time);
#if !defined(__SANITIZE_ADDRESS__)
  std::error_code none;
  const auto size = std::filesystem::file_size(path, none);
  const rlim_t bytes = (rlim_t{2} << 30) + (none ? 0 : size);
  const rlimit space{bytes, bytes};
  ::setrlimit(RLIMIT_AS, &space);
#else
  (void)path;
#endif
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  limit(argv[1]);
  try {
    (void)tradewind::checkpoint::open_checkpoint(argv[1]);
  } catch (const tradewind::Error& error) {
    std::cerr << "error: " << error.what() << "\n";
    return static_cast<int>(error.exit_code());
  }
  return 0;
}
