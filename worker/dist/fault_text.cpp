#include "worker/dist/fault_text.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <sstream>

namespace tradewind::dist {

std::string short_text(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  // Gloo puts "[file.cc:123] " in front.
  if (text.starts_with('[')) {
    const auto end = text.find("] ");
    if (end != std::string::npos && text.substr(0, end).find(".cc:") != std::string::npos) text.erase(0, end + 2);
  }
  text.erase(std::min(text.size(), text.find(" This is typically caused by")));
  return text.substr(0, text.find('\n'));
}

std::string seconds_text(std::chrono::milliseconds duration) {
  std::ostringstream text;
  text << static_cast<double>(duration.count()) / 1000 << " s";
  return text.str();
}

}  // namespace tradewind::dist
