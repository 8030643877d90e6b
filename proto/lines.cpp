#include "proto/lines.h"

#include <algorithm>

namespace tradewind::proto {

std::optional<std::string> LineReader::next() {
  const std::size_t end = pending_.find('\n', std::max(begin_, scanned_));
  const bool whole = end != std::string::npos;
  if ((whole ? end + 1 : pending_.size()) - begin_ > cap_)
    throw ProtocolError("a line of more than " + std::to_string(cap_) + " bytes");
  if (!whole) {
    pending_.erase(0, begin_);
    begin_ = 0;
    scanned_ = pending_.size();
    return std::nullopt;
  }
  std::string line = pending_.substr(begin_, end - begin_);
  begin_ = end + 1;
  scanned_ = begin_;
  return line;
}

}  // namespace tradewind::proto
