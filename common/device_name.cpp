#include "common/device_name.h"

#include <charconv>

namespace tradewind {

std::optional<DeviceName> device_name_of(std::string_view text) {
  constexpr std::string_view indexed = "cuda:";
  constexpr std::size_t most_digits = 3;
  if (text == "cpu") return DeviceName{};
  if (text == "cuda") return DeviceName{.cuda = true};
  if (!text.starts_with(indexed)) return std::nullopt;
  const std::string_view digits = text.substr(indexed.size());
  if (digits.empty() || digits.size() > most_digits ||
      digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  int index = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return DeviceName{.cuda = true, .index = index};
}

}  // namespace tradewind
