#include "common/own_library.h"

#include <filesystem>

namespace tradewind {

std::string own_library_path(const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& place : {folder, folder / ".." / TRADEWIND_LIBRARY_DIR}) {
    const fs::path path = place / name;
    if (path.is_absolute() && fs::exists(path, error)) return path.lexically_normal().string();
  }
  return {};
}

}  // namespace tradewind
