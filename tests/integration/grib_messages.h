// GRIB files as lists of messages, to make wrong ones of right ones.
#pragma once

#include <string>
#include <vector>

namespace tradewind::test {

std::vector<std::string> messages_of(const std::string& file);
std::string joined(const std::vector<std::string>& messages);
std::string short_name(const std::string& message);
// The same field, but for its grid: a coarse regular one.
std::string on_other_grid(const std::string& message);

}  // namespace tradewind::test
