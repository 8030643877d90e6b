// Who watches a rank from outside: told where it is, what it reads and writes. Never answers, never fails, costs
// nanoseconds. entering() from the communicator's thread, the others from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/dates.h"

namespace tradewind::dist {

enum class FileUse { read, write };

class Observer {
 public:
  virtual ~Observer() = default;
  // The next piece of work begins: "processor layer 3". A sign of life.
  virtual void entering(std::string_view /*place*/) {}
  // A file is about to be read or written, until file_ends() of what this returns.
  virtual int file_begins(FileUse /*use*/, std::string_view /*path*/) { return -1; }
  virtual void file_moved(FileUse /*use*/, std::uint64_t /*bytes*/) {}
  virtual void file_ends(int /*file*/) {}
  // Everything that this rank has to write of the state at that lead time is written.
  virtual void state_written(Duration /*lead_time*/) {}
};

// Who does not watch.
Observer& nobody();

// A file between its begin and its end.
class FileWatch {
 public:
  FileWatch(Observer& observer, FileUse use, std::string_view path)
      : observer_(observer), use_(use), file_(observer.file_begins(use, path)) {}
  ~FileWatch() { observer_.file_ends(file_); }
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  void moved(std::uint64_t bytes) { observer_.file_moved(use_, bytes); }

 private:
  Observer& observer_;
  FileUse use_;
  int file_;
};

}  // namespace tradewind::dist
