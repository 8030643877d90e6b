// A worker's standard output or error as lines, whatever it writes: endless lines come in pieces. Not thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tradewind::launcher {

class TextLines {
 public:
  using Sink = std::function<void(const std::string& line)>;
  explicit TextLines(Sink sink, std::size_t longest = std::size_t{64} << 10)
      : sink_(std::move(sink)), longest_(longest) {}
  void feed(std::string_view bytes);
  // The text has ended: an unfinished line counts.
  void end();

 private:
  Sink sink_;
  std::size_t longest_;
  std::string pending_;
  bool in_pieces_ = false;  // part of the current line has gone out already
};

}  // namespace tradewind::launcher
