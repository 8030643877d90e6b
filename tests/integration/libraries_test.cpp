// Which libraries the executables ask for, by their own dynamic sections: the launcher must start on a host that has
// none of the worker's.
#include <doctest/doctest.h>
#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "tests/integration/program.h"

using namespace tradewind::test;
namespace fs = std::filesystem;

namespace {

template <typename T>
T at(const std::string& bytes, std::size_t offset) {
  T value{};
  REQUIRE(offset + sizeof value <= bytes.size());
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

struct Dynamic {
  std::vector<std::string> needed;
  std::vector<std::string> folders;  // of its run path
  std::string run_path;              // as it is written
  bool bound_at_start = false;       // DF_BIND_NOW, with which all of its function table is read-only
};

// Of a 64-bit ELF file: the entries DT_NEEDED and DT_RUNPATH (or DT_RPATH) of its dynamic section (gABI, chapter 5).
Dynamic dynamic_of(const fs::path& file) {
  const std::string bytes = text_of(file);
  const auto header = at<Elf64_Ehdr>(bytes, 0);
  REQUIRE(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0);
  REQUIRE(header.e_ident[EI_CLASS] == ELFCLASS64);
  std::vector<Elf64_Phdr> segments;
  for (std::size_t i = 0; i < header.e_phnum; ++i)
    segments.push_back(at<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr)));
  std::vector<Elf64_Dyn> entries;
  for (const auto& segment : segments)
    for (std::size_t i = 0; segment.p_type == PT_DYNAMIC && i < segment.p_filesz / sizeof(Elf64_Dyn); ++i)
      entries.push_back(at<Elf64_Dyn>(bytes, segment.p_offset + i * sizeof(Elf64_Dyn)));
  std::size_t names = 0;
  for (const auto& entry : entries)
    for (const auto& segment : segments)
      if (entry.d_tag == DT_STRTAB && segment.p_type == PT_LOAD && entry.d_un.d_ptr >= segment.p_vaddr &&
          entry.d_un.d_ptr < segment.p_vaddr + segment.p_filesz)
        names = entry.d_un.d_ptr - segment.p_vaddr + segment.p_offset;
  Dynamic dynamic;
  for (const auto& entry : entries) {
    if (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_BIND_NOW) != 0) dynamic.bound_at_start = true;
    if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_NOW) != 0) dynamic.bound_at_start = true;
    if (entry.d_tag != DT_NEEDED && entry.d_tag != DT_RUNPATH && entry.d_tag != DT_RPATH) continue;
    REQUIRE(names + entry.d_un.d_val < bytes.size());
    const std::string text = bytes.c_str() + names + entry.d_un.d_val;
    if (entry.d_tag == DT_NEEDED) {
      dynamic.needed.push_back(text);
      continue;
    }
    dynamic.run_path += (dynamic.run_path.empty() ? "" : ":") + text;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find(':', begin), text.size());
      std::string folder = text.substr(begin, end - begin);
      if (folder.starts_with("$ORIGIN")) folder.replace(0, std::strlen("$ORIGIN"), file.parent_path().string());
      dynamic.folders.push_back(folder);
      begin = end + 1;
    }
  }
  return dynamic;
}

// Adds what a file needs, and what those of them need that lie on a run path, thus come with the program.
void add_needs(const fs::path& file, std::set<std::string>& names) {
  const Dynamic dynamic = dynamic_of(file);
  for (const std::string& name : dynamic.needed) {
    if (!names.insert(name).second) continue;
    for (const std::string& folder : dynamic.folders) {
      if (!fs::exists(fs::path(folder) / name)) continue;
      add_needs(fs::path(folder) / name, names);
      break;
    }
  }
}

bool has(const std::set<std::string>& names, const std::string& beginning) {
  const auto found = names.lower_bound(beginning);
  return found != names.end() && found->starts_with(beginning);
}

constexpr std::array worker_only = {"libtorch", "libc10", "libnccl", "libcuda", "libeccodes", "libeckit", "libgomp"};
// Loaded when a configuration asks for them.
constexpr std::array when_needed = {"libnetcdf", "libhdf5", "libnccl", "libtorch_cuda"};

fs::path beside_worker(const char* name) { return fs::path(TRADEWIND_WORKER_EXECUTABLE).parent_path() / name; }

}  // namespace

TEST_CASE("the launcher's dynamic section names none of the worker's libraries") {
  std::set<std::string> launcher, worker;
  add_needs(TRADEWIND_EXECUTABLE, launcher);
  CHECK(has(launcher, "libc.so"));
  for (const char* heavy : worker_only) CHECK_MESSAGE(!has(launcher, heavy), heavy);
  // That they would be found is shown by the worker, which has them.
  add_needs(TRADEWIND_WORKER_EXECUTABLE, worker);
  for (const char* own : {"libtorch", "libc10", "libeccodes"}) CHECK_MESSAGE(has(worker, own), own);
}

TEST_CASE("the worker starts without what only some configurations need") {
  const Result libraries =
      run({.command = {TRADEWIND_WORKER_EXECUTABLE}, .environment = {{"LD_TRACE_LOADED_OBJECTS", "1"}}});
  CHECK(libraries.output.find("libtorch_cpu") != std::string::npos);
  for (const char* heavy : when_needed) CHECK_MESSAGE(libraries.output.find(heavy) == std::string::npos, heavy);
  std::set<std::string> netcdf;
  add_needs(beside_worker("worker_netcdf.so"), netcdf);
  CHECK(has(netcdf, "libnetcdf"));
}

// Of a file and of what it needs that lies on its run paths.
void check_run_paths(const fs::path& file, std::set<std::string>& seen) {
  if (!seen.insert(fs::canonical(file).string()).second) return;
  const Dynamic dynamic = dynamic_of(file);
  CAPTURE(file.string());
  CAPTURE(dynamic.run_path);
  for (std::size_t begin = 0; begin <= dynamic.run_path.size() && !dynamic.run_path.empty();) {
    const std::size_t end = std::min(dynamic.run_path.find(':', begin), dynamic.run_path.size());
    const std::string element = dynamic.run_path.substr(begin, end - begin);
    CHECK((element.starts_with("/") || element.starts_with("$ORIGIN/") || element == "$ORIGIN"));
    // Where anybody may leave a library.
    for (const char* shared : {"/tmp", "/var/tmp", "/dev/shm"}) CHECK_FALSE(element.starts_with(shared));
    begin = end + 1;
  }
  for (const std::string& name : dynamic.needed)
    for (const std::string& folder : dynamic.folders)
      if (fs::exists(fs::path(folder) / name)) check_run_paths(fs::path(folder) / name, seen);
}

TEST_CASE("no run path has an empty or relative element, which would mean the current folder") {
  std::set<std::string> seen;
  for (const char* program : {TRADEWIND_EXECUTABLE, TRADEWIND_WORKER_EXECUTABLE, TRADEWIND_DRILL_WORKER_EXECUTABLE})
    check_run_paths(program, seen);
  for (const fs::path& plugin : {beside_worker("worker_cuda.so"), beside_worker("worker_netcdf.so")})
    if (fs::exists(plugin)) check_run_paths(plugin, seen);
  CHECK(seen.size() > 5);  // LibTorch, ecCodes and what they bring along
  const std::string own = dynamic_of(TRADEWIND_EXECUTABLE).run_path;
  for (const char* foreign : {"torch", "eckit", "eccodes", "nvidia"}) CHECK(own.find(foreign) == std::string::npos);
}

TEST_CASE("a library in the current folder is not taken for one of ours") {
  const Folder folder;
  for (const char* name : {"libz.so.1", "libstdc++.so.6", "libtorch_cpu.so", "libeccodes.so", "libeckit.so"})
    fs::create_symlink(TRADEWIND_OTHER_LIBTORCH, folder.path / name);
  for (const char* program : {TRADEWIND_EXECUTABLE, TRADEWIND_WORKER_EXECUTABLE}) {
    const Result libraries =
        run({.command = {program}, .folder = folder.path, .environment = {{"LD_TRACE_LOADED_OBJECTS", "1"}}});
    CHECK(libraries.code == 0);
    CHECK(libraries.output.find(" => ") != std::string::npos);
    CHECK(libraries.output.find("=> lib") == std::string::npos);
    CHECK(libraries.output.find("=> ./") == std::string::npos);
    CHECK(libraries.output.find(folder.path.string()) == std::string::npos);
  }
}

TEST_CASE("the programs' function tables are read-only once they run") {
  for (const char* program : {TRADEWIND_EXECUTABLE, TRADEWIND_WORKER_EXECUTABLE, TRADEWIND_DRILL_WORKER_EXECUTABLE})
    CHECK(dynamic_of(program).bound_at_start);
}

#ifdef TRADEWIND_HARDENED  // else sanitizers watch
TEST_CASE("what reads files and sockets of others has canaries on its stack and checked indices") {
  for (const char* program : {TRADEWIND_EXECUTABLE, TRADEWIND_WORKER_EXECUTABLE}) {
    const std::string bytes = text_of(program);
    for (const char* name : {"__stack_chk_fail", "__glibcxx_assert_fail"})
      CHECK_MESSAGE(bytes.find(name) != std::string::npos, name);
  }
}
#endif

TEST_CASE("nor does the loader bring them in by another way") {
  const Result libraries = run({.command = {TRADEWIND_EXECUTABLE}, .environment = {{"LD_TRACE_LOADED_OBJECTS", "1"}}});
  CHECK(libraries.output.find("libc.so") != std::string::npos);
  for (const char* heavy : worker_only) CHECK_MESSAGE(libraries.output.find(heavy) == std::string::npos, heavy);
}
