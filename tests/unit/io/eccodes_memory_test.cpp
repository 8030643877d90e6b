#include "worker/grib/tables/memory.h"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "worker/grib/handle.h"

struct grib_context;
extern "C" void* grib_context_malloc_clear_persistent(const grib_context* context, std::size_t size);

namespace {

long anonymous_kilobytes() {
  std::ifstream status("/proc/self/status");
  const std::string key = "RssAnon:";
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stol(line.substr(key.size()));
  return 0;
}

}  // namespace

TEST_CASE("ecCodes takes the memory of its tables from here") {
  CHECK(tradewind::grib::Handle::from_sample("GRIB2"));  // links what a program that reads GRIB links
  CHECK(::dlsym(RTLD_DEFAULT, "grib_context_malloc_clear_persistent") ==
        reinterpret_cast<void*>(&grib_context_malloc_clear_persistent));
}

TEST_CASE("memory of tables is zero, and not there before it is written to") {
  constexpr std::size_t size = 64 << 20;
  const long before = anonymous_kilobytes();
  const std::unique_ptr<void, void (*)(void*)> memory(grib_context_malloc_clear_persistent(nullptr, size), &std::free);
  CHECK(anonymous_kilobytes() - before < 8 << 10);
  const auto* bytes = static_cast<const char*>(memory.get());
  CHECK(std::all_of(bytes, bytes + size, [](char byte) { return byte == 0; }));
}
