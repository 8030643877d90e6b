// Where a Python process is, as its faulthandler writes it, or a traceback tells. Pure.
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
// Those of the thread that crashed, from what faulthandler wrote about a fatal signal; empty for another text.
std::vector<PythonFrame> fatal_frames(const std::string& dump);
// `lost at train.py:12`
std::string text_of(const PythonFrame& frame);
// The innermost frame of the user's own code; nullptr when there is none.
const PythonFrame* own_frame(const std::vector<PythonFrame>& frames);
// `/u/train.py:12 in lost`, as reports have them.
std::vector<std::string> lines_of(const std::vector<PythonFrame>& frames);

// The last traceback among the lines of a process's standard error. torch puts `[rank1]: ` before each of them.
class Traceback {
 public:
  void feed(const std::string& line);
  // Innermost first; empty without a traceback.
  std::vector<PythonFrame> frames() const;
  const std::string& message() const { return message_; }  // `ValueError: too few`

 private:
  std::vector<PythonFrame> frames_;  // outermost first
  std::string message_;
  bool inside_ = false;
};

}  // namespace tradewind::launcher
