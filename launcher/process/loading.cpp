#include "launcher/process/loading.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "common/errors.h"
#include "launcher/process/descriptor.h"
#include "launcher/process/system_errors.h"

namespace tradewind::launcher {
namespace {

constexpr auto patience = std::chrono::seconds(2);  // less than the silence after which a host counts as lost
constexpr std::size_t most_output = std::size_t{64} << 10;

// What comes through the pipe until its end, within the time that there is.
std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> piece{};
  for (const auto end = std::chrono::steady_clock::now() + patience; text.size() < most_output;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd ready{descriptor, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) break;
    const ssize_t count = ::read(descriptor, piece.data(), piece.size());
    if (count <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return text;
}

// Standard output of a program; empty when it cannot be started or does not end well.
std::string output_of(std::vector<std::string> words, const std::map<std::string, std::string>& variables) {
  std::vector<std::string> settings;
  settings.reserve(variables.size());
  for (const auto& [name, value] : variables) settings.emplace_back(name).append("=").append(value);
  std::vector<char*> arguments, environment;
  for (std::string& word : words) arguments.push_back(word.data());
  for (std::string& setting : settings) environment.push_back(setting.data());
  arguments.push_back(nullptr);
  environment.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const Descriptor ours(ends[0]);
  Descriptor theirs(ends[1]);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, theirs.get(), 1);
  ::posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, arguments.front(), &files, nullptr, arguments.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return {};
  theirs.reset();
  std::string text = read_all(ours.get());
  ::kill(pid, SIGKILL);  // it has ended, unless it was too slow
  ::waitpid(pid, nullptr, 0);
  return text;
}

// The loader's list: `name => path (address)`, or `path (address)` of what LD_PRELOAD names.
std::string path_in(const std::string& list, const std::string& library) {
  std::istringstream lines(list);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, arrow, path;
    words >> name >> arrow >> path;
    if (name.ends_with("/" + library)) return name;
    if (name == library && arrow == "=>" && path.starts_with("/")) return path;
  }
  return {};
}

// What stands beside a library, for one that is too old to be asked, or that cannot be loaded for want of others:
// torch/version.py of a wheel (__version__ = '2.7.1+cu126'), torch/build-version of LibTorch alone (2.7.1+cpu).
std::string version_beside(const std::string& library) {
  std::error_code ignored;  // of a link to it the folder tells nothing
  const std::filesystem::path itself = std::filesystem::canonical(library, ignored);
  const std::filesystem::path folder = itself.parent_path().parent_path();
  for (const auto& [name, before] : {std::pair("version.py", "__version__ = "), std::pair("build-version", "")}) {
    std::ifstream file(folder / name);
    std::string line;
    for (int i = 0; i < 100 && std::getline(file, line); ++i) {
      if (!line.starts_with(before)) continue;
      constexpr const char* number = "0123456789.";
      const std::size_t begin = line.find_first_of(number);
      if (begin == std::string::npos) break;
      std::string version = line.substr(begin, line.find_first_not_of(number, begin) - begin);
      if (std::count(version.begin(), version.end(), '.') == 2) return version;
    }
  }
  return {};
}

}  // namespace

int print_libtorch_version(const char* path) {
  void* const library = ::dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  void* const symbol = library != nullptr ? ::dlsym(library, "aoti_torch_abi_version") : nullptr;
  if (symbol == nullptr) return static_cast<int>(ExitCode::failure);
  // Major, minor and patch in a byte each, from the top (torch/headeronly/version.h).
  const std::uint64_t version = reinterpret_cast<std::uint64_t (*)()>(symbol)();
  constexpr unsigned byte = 0xFF;
  std::printf("%u.%u.%u\n", static_cast<unsigned>(version >> 56U), static_cast<unsigned>(version >> 48U) & byte,
              static_cast<unsigned>(version >> 40U) & byte);
  std::fflush(stdout);
  ::_exit(0);  // without the library's own farewell
}

std::string loading_trouble(const std::string& worker, const std::map<std::string, std::string>& variables) {
  auto traced = variables;
  traced.insert_or_assign("LD_TRACE_LOADED_OBJECTS", std::string(1, '1'));
  const std::string library = path_in(output_of({worker}, traced), "libtorch_cpu.so");
  if (library.empty()) return {};
  std::string found = output_of({own_program().string(), std::string(version_option), library}, variables);
  found.resize(std::min(found.find('\n'), found.size()));
  if (found.empty()) found = version_beside(library);
  if (found.empty() || found == TRADEWIND_TORCH_VERSION) return {};
  std::string text(other_libtorch);
  text.append(found).append(" was found (").append(library);
  text.append("), but the worker was built for LibTorch ").append(TRADEWIND_TORCH_VERSION);
  return text;
}

}  // namespace tradewind::launcher
