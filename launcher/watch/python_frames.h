// Where a Python process is, as its faulthandler writes it. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tradewind::launcher {

struct PythonFrame {
  std::string file, function;
  int line = 0;
  bool operator==(const PythonFrame&) const = default;
};

// The frames of the main thread, innermost first: the last thread of a dump. Empty for a text that is no dump.
std::vector<PythonFrame> main_frames(const std::string& dump);
// `lost at train.py:12`
std::string text_of(const PythonFrame& frame);
// The innermost frame of the user's own code; nullptr when there is none.
const PythonFrame* own_frame(const std::vector<PythonFrame>& frames);

}  // namespace tradewind::launcher
