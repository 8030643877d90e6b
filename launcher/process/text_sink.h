// Text on its way to a descriptor that may be slow, or stand still (a pager, a terminal that was stopped): whoever
// writes never waits. A little is kept in memory, the rest in a nameless temporary file, so that nothing is lost and
// memory stays small. write() from one thread; a thread of its own writes on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <streambuf>
#include <string>
#include <string_view>
#include <thread>

#include "launcher/process/descriptor.h"

namespace tradewind::launcher {

class TextSink {
 public:
  // `descriptor` stays its owner's.
  explicit TextSink(int descriptor, std::size_t most_in_memory = std::size_t{1} << 20);
  // Waits until everything is written, or the other end is gone.
  ~TextSink();
  TextSink(const TextSink&) = delete;
  TextSink& operator=(const TextSink&) = delete;

  void write(std::string_view text);
  // Waits as the destructor does, which then has nothing left to do. 0 when all was written, else the first error.
  int finish();
  // Waits as long for what was written so far to be gone. The first error, or 0.
  int settle(std::chrono::milliseconds patience);
  // The first error so far: the other end does not take what was written. 0: none.
  int error() const;
  std::int64_t spooled_bytes() const;  // in the file now

 private:
  void run();
  bool spool(std::string_view text);
  std::string next(std::unique_lock<std::mutex>& lock);

  int descriptor_;
  std::size_t most_in_memory_;
  mutable std::mutex mutex_;
  std::condition_variable changed_, idle_;
  std::string memory_;  // written before what is in the file
  Descriptor file_;
  std::int64_t file_begin_ = 0, file_end_ = 0;
  std::int64_t lost_ = 0;  // bytes for which there was no room on disk either
  bool closing_ = false, broken_ = false, busy_ = false;
  int error_ = 0;
  std::thread thread_;
};

// A stream buffer that passes on what is written to it at every flush.
class SinkBuffer : public std::streambuf {
 public:
  explicit SinkBuffer(TextSink& sink) : sink_(sink) {}

 protected:
  int_type overflow(int_type c) override {
    if (c != traits_type::eof()) pending_ += static_cast<char>(c);
    return c;
  }
  std::streamsize xsputn(const char* text, std::streamsize count) override {
    pending_.append(text, static_cast<std::size_t>(count));
    return count;
  }
  int sync() override {
    sink_.write(pending_);
    pending_.clear();
    return sink_.error() == 0 ? 0 : -1;
  }

 private:
  TextSink& sink_;
  std::string pending_;
};

}  // namespace tradewind::launcher
