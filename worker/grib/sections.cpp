#include "worker/grib/sections.h"

#include <string>

#include "common/errors.h"

namespace tradewind::grib {
namespace {

[[noreturn]] void fail(std::string_view where) {
  throw UserError("corrupt or truncated GRIB message: its sections reach beyond it", std::string(where),
                  "copy or retrieve the file again");
}

std::uint64_t number_at(std::string_view message, std::uint64_t at, std::uint64_t bytes, std::string_view where) {
  if (at > message.size() || bytes > message.size() - at) fail(where);
  return big_endian(message.substr(at, bytes));
}

std::string_view part(std::string_view message, std::uint64_t at, std::uint64_t length, std::string_view where) {
  if (at > message.size() || length > message.size() - at) fail(where);
  return message.substr(at, length);
}

// Section `wanted` of edition 2; empty when there is none.
std::string_view section_of(std::string_view message, std::uint64_t wanted, std::string_view where) {
  for (std::uint64_t at = 16; at + 4 < message.size();) {
    const std::uint64_t length = number_at(message, at, 4, where);
    if (length < 5) fail(where);
    const std::string_view section = part(message, at, length, where);
    if (number_at(message, at + 4, 1, where) == wanted) return section;
    at += length;
  }
  return {};
}

}  // namespace

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::string_view grid_section(std::string_view message, std::string_view where) {
  if (number_at(message, 7, 1, where) == 2) return section_of(message, 3, where);
  constexpr std::uint64_t section1 = 8;
  const std::uint64_t section2 = section1 + number_at(message, section1, 3, where);
  if (number_at(message, section1 + 7, 1, where) & 0x80)
    return part(message, section2, number_at(message, section2, 3, where), where);
  return part(message, section1 + 4, 3, where);  // centre, process, number of the grid
}

std::uint64_t points_in_picture(std::string_view message, std::string_view where) {
  using std::string_view_literals::operator""sv;
  if (number_at(message, 7, 1, where) != 2) return 0;
  const std::string_view section = section_of(message, 7, where);
  if (section.size() < 5) return 0;
  const std::string_view data = section.substr(5);
  const auto number = [&](std::uint64_t at) { return number_at(data, at, 4, where); };
  if (data.starts_with("\xff\x4f\xff\x51"sv)) {  // SOC, SIZ: Lsiz, Rsiz, Xsiz, Ysiz, XOsiz, YOsiz
    const std::uint64_t width = number(8) - number(16), height = number(12) - number(20);
    return width > 0xffffffff || height > 0xffffffff ? ~std::uint64_t{0} : width * height;
  }
  if (data.starts_with("\x89PNG\r\n\x1a\n"sv)) return number(16) * number(20);  // IHDR: width, height
  return 0;
}

}  // namespace tradewind::grib
