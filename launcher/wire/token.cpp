#include "launcher/wire/token.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/errors.h"
#include "common/sha256.h"

namespace tradewind::launcher {

std::string make_token() {
  std::array<unsigned char, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw EnvironmentFault(std::string("the system gives no random numbers: ") + std::strerror(errno), "getrandom");
  return hex_of(bytes.data(), bytes.size());
}

bool same_token(std::string_view a, std::string_view b) {
  if (a.empty() || a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

}  // namespace tradewind::launcher
