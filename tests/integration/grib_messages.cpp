#include "tests/integration/grib_messages.h"

#include <eccodes.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <utility>

namespace tradewind::test {
namespace {

using Handle = std::unique_ptr<codes_handle, int (*)(codes_handle*)>;

Handle handle_of(const std::string& message) {
  return {codes_handle_new_from_message_copy(nullptr, message.data(), message.size()), codes_handle_delete};
}

void check(int error) {
  if (error != 0) throw std::runtime_error(codes_get_error_message(error));
}

}  // namespace

std::vector<std::string> messages_of(const std::string& file) {
  std::vector<std::string> messages;
  for (std::size_t at = file.find("GRIB"); at != std::string::npos; at = file.find("GRIB", at)) {
    // Edition 2 has its length in octets 9 to 16, big-endian.
    std::size_t length = 0;
    for (std::size_t i = 8; i < 16 && at + i < file.size(); ++i)
      length = length * 256 + static_cast<unsigned char>(file[at + i]);
    messages.push_back(file.substr(at, length));
    at += length;
  }
  return messages;
}

std::string joined(const std::vector<std::string>& messages) {
  std::string file;
  for (const std::string& message : messages) file += message;
  return file;
}

std::string short_name(const std::string& message) {
  const Handle handle = handle_of(message);
  std::array<char, 64> name{};
  std::size_t size = name.size();
  check(codes_get_string(handle.get(), "shortName", name.data(), &size));
  return name.data();
}

std::string on_other_grid(const std::string& message) {
  const Handle handle = handle_of(message);
  std::size_t size = 9;
  check(codes_set_string(handle.get(), "gridType", "regular_ll", &size));
  for (const char* key : {"Ni", "Nj"}) check(codes_set_long(handle.get(), key, 4));
  const std::array<std::pair<const char*, double>, 6> corners = {{{"latitudeOfFirstGridPointInDegrees", 90},
                                                                  {"latitudeOfLastGridPointInDegrees", -90},
                                                                  {"longitudeOfFirstGridPointInDegrees", 0},
                                                                  {"longitudeOfLastGridPointInDegrees", 270},
                                                                  {"iDirectionIncrementInDegrees", 90},
                                                                  {"jDirectionIncrementInDegrees", 60}}};
  for (const auto& [key, value] : corners) check(codes_set_double(handle.get(), key, value));
  const std::vector<double> values(16, 1.5);
  check(codes_set_double_array(handle.get(), "values", values.data(), values.size()));
  const void* bytes = nullptr;
  check(codes_get_message(handle.get(), &bytes, &size));
  return {static_cast<const char*>(bytes), size};
}

}  // namespace tradewind::test
