#include "launcher/watch/python_frames.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "common/printable.h"

namespace tradewind::launcher {
namespace {

constexpr std::size_t most_frames = 100;

// `  File "train.py", line 12 in lost`, of a traceback `line 12, in lost`
std::optional<PythonFrame> frame_of(const std::string& line) {
  const std::string begin = "  File \"", middle = "\", line ", in = " in ";
  if (!line.starts_with(begin)) return std::nullopt;
  const std::size_t file_end = line.rfind(middle);
  if (file_end == std::string::npos || file_end < begin.size()) return std::nullopt;
  const std::size_t number = file_end + middle.size(), number_end = line.find(in, number);
  if (number_end == std::string::npos) return std::nullopt;
  PythonFrame frame{.file = printable_line(line.substr(begin.size(), file_end - begin.size())),
                    .function = printable_line(line.substr(number_end + in.size()))};
  std::from_chars(line.data() + number, line.data() + number_end, frame.line);
  return frame;
}

bool of_library(const std::string& file) {
  for (const char* part : {"/site-packages/", "/dist-packages/", "/lib/python3", "<frozen", "<string>"})
    if (file.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

std::vector<PythonFrame> main_frames(const std::string& dump) {
  std::vector<PythonFrame> frames;
  std::istringstream lines(dump);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Thread ") || line.starts_with("Current thread "))
      frames.clear();
    else if (const auto frame = frame_of(line); frame && frames.size() < most_frames)
      frames.push_back(*frame);
  }
  return frames;
}

std::vector<PythonFrame> fatal_frames(const std::string& dump) {
  const std::size_t fatal = dump.rfind("Fatal Python error: ");
  if (fatal == std::string::npos) return {};
  const std::size_t crashed = dump.find("\nCurrent thread ", fatal);
  if (crashed == std::string::npos) return main_frames(dump.substr(fatal));
  return main_frames(dump.substr(crashed, dump.find("\n\n", crashed) - crashed));
}

std::string text_of(const PythonFrame& frame) {
  const std::size_t slash = frame.file.rfind('/');
  return frame.function + " at " + (slash == std::string::npos ? frame.file : frame.file.substr(slash + 1)) + ":" +
         std::to_string(frame.line);
}

const PythonFrame* own_frame(const std::vector<PythonFrame>& frames) {
  for (const PythonFrame& frame : frames)
    if (!of_library(frame.file)) return &frame;
  return nullptr;
}

std::vector<std::string> lines_of(const std::vector<PythonFrame>& frames) {
  std::vector<std::string> lines;
  for (const PythonFrame& frame : frames)
    lines.push_back(frame.file + ":" + std::to_string(frame.line) + " in " + frame.function);
  return lines;
}

void Traceback::feed(const std::string& whole) {
  constexpr std::size_t longest = 300;
  const std::size_t prefix = whole.starts_with("[rank") ? whole.find("]: ") : std::string::npos;
  const std::string line = prefix == std::string::npos ? whole : whole.substr(prefix + 3);
  if (line.ends_with("Traceback (most recent call last):")) {
    inside_ = true;
    frames_.clear();
    message_.clear();
  } else if (const auto frame = inside_ ? frame_of(line) : std::nullopt) {
    if (frames_.size() == most_frames) frames_.erase(frames_.begin());
    frames_.push_back(*frame);
  } else if (inside_ && !line.empty() && line.front() != ' ') {
    inside_ = false;
    message_ = printable_line(line).substr(0, longest);
  }
}

std::vector<PythonFrame> Traceback::frames() const { return {frames_.rbegin(), frames_.rend()}; }

}  // namespace tradewind::launcher
