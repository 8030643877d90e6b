// How a process ended.
#pragma once

#include <cstdint>
#include <string>

namespace tradewind::launcher {

struct Exit {
  int code = 0;
  int signal = 0;  // 0: it exited by itself
  std::int64_t peak_rss_bytes = 0;
  std::string out_of_memory;  // proof that the kernel ended it for memory; empty: none
};

}  // namespace tradewind::launcher
