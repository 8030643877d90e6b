// How a configuration and a command line name a device: cpu, cuda, or cuda:N. Pure functions.
#pragma once

#include <optional>
#include <string_view>

namespace tradewind {

struct DeviceName {
  bool cuda = false;
  std::optional<int> index;  // of the devices that a process sees, from 0
};

// Nothing for what is no device's name.
std::optional<DeviceName> device_name_of(std::string_view text);

}  // namespace tradewind
