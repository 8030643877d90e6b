// A file that is written in order by one writer, under its own name: a pipe, a device, a stream that the launcher has
// handed over. Errors: EnvironmentFault with path and cause. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace tradewind::outputs {

// Streams that were open before this process, by the paths that mean them: path -> descriptor here, its owner's.
using GivenStreams = std::map<std::string, int>;

class OrderedFile {
 public:
  // Whether the path is to be written so: it was given, means a descriptor, or is there and is neither file nor folder.
  static bool is_ordered(const std::string& path, const GivenStreams& given);

  // Opens it. A named pipe is waited for until somebody reads it, so long.
  OrderedFile(const std::string& path, const GivenStreams& given,
              std::chrono::milliseconds patience = std::chrono::seconds(30));
  ~OrderedFile();
  OrderedFile(const OrderedFile&) = delete;
  OrderedFile& operator=(const OrderedFile&) = delete;

  void write(std::string_view bytes, const std::function<void(std::size_t)>& moved = {});
  // Returns when what was written is on disk, where it goes to one.
  void close();

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace tradewind::outputs
