#include "launcher/process/text_lines.h"

#include <algorithm>

namespace tradewind::launcher {

void TextLines::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    const std::size_t room = longest_ - pending_.size();
    const std::size_t taken = std::min({newline, bytes.size(), room});
    pending_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    const bool whole = taken == newline;
    if (whole) bytes.remove_prefix(1);
    const bool full = pending_.size() == longest_;
    // A newline right after a full piece ends the line that the piece began.
    if (full || (whole && !(in_pieces_ && pending_.empty()))) {
      sink_(pending_);
      pending_.clear();
    }
    in_pieces_ = !whole && (full || in_pieces_);
  }
}

void TextLines::end() {
  if (!pending_.empty()) sink_(pending_);
  pending_.clear();
}

}  // namespace tradewind::launcher
