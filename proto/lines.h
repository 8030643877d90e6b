// Framing: one JSON object per line. Turns arriving bytes into whole lines and refuses what is too long, so that a peer
// that sends garbage costs a bounded amount of memory. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tradewind::proto {

// The peer broke the protocol: its bytes mean nothing, or the wrong thing at this moment.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Longest line in either direction, its newline included. Texts are cut before they are sent, configs are far smaller.
inline constexpr std::size_t max_line_bytes = std::size_t{1} << 20;

class LineReader {
 public:
  explicit LineReader(std::size_t cap = max_line_bytes) : cap_(cap) {}
  void feed(std::string_view bytes) { pending_.append(bytes); }
  // Lines may be that long from now on.
  void widen(std::size_t cap) { cap_ = cap; }
  // The next whole line without its newline. ProtocolError when it is longer than the cap, whole or not.
  std::optional<std::string> next();
  // What came after the last newline.
  std::string_view rest() const { return std::string_view(pending_).substr(begin_); }

 private:
  std::size_t cap_;
  std::string pending_;
  std::size_t begin_ = 0;    // of the next line
  std::size_t scanned_ = 0;  // no newline before here
};

}  // namespace tradewind::proto
