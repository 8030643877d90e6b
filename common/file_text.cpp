#include "common/file_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace tradewind {

std::string file_text(const std::filesystem::path& file) {
  std::string text;
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return text;
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t read = ::read(descriptor, piece.data(), piece.size());
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(read));
  }
  ::close(descriptor);
  return text;
}

}  // namespace tradewind
