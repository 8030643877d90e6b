// How a process ended.
#pragma once

#include <cstdint>

namespace tradewind::launcher {

struct Exit {
  int code = 0;
  int signal = 0;  // 0: it exited by itself
  std::int64_t peak_rss_bytes = 0;
};

}  // namespace tradewind::launcher
