// Output files, written behind by one thread. A file lies beside its final name as NAME.partial until close() has put
// every byte on disk; then it takes the final name. Pipes, devices and /dev/stdout are written in order, under their
// own name. Bytes that wait are bounded: append() blocks while more than the bound is pending (a single message may be
// larger). One thread calls; errors of the writing thread (EnvironmentFault naming the path) surface on the next call.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/dates.h"
#include "worker/dist/observer.h"
#include "worker/outputs/output.h"

namespace tradewind::outputs {

class FileSink {
 public:
  explicit FileSink(std::size_t most_pending_bytes, dist::Observer& observer = dist::nobody());
  ~FileSink();  // without close(): stops, what is written stays as NAME.partial

  // Makes the file (and its folders) and removes an older one of its name; once per path and run.
  void create(const std::string& path);
  // Takes up the file that an earlier attempt of the run has begun, of which it keeps the first `size` bytes. Errors:
  // EnvironmentFault when it is not there or shorter.
  void reopen(const std::string& path, std::uint64_t size);
  // Whether the path is written in order by one writer only (pipe, device).
  static bool is_sequential(const std::string& path);

  // `offset` counts in the file; ignored where writing is in order.
  void append(const std::string& path, std::uint64_t offset, std::string bytes);
  // Everything appended so far belongs to states up to this lead time.
  void mark(Duration step);
  std::optional<Duration> last_marked() const;

  OutputFigures figures() const;  // of writing; nothing of encoding

  // Waits until all is written and on disk.
  void flush();
  // Gives the files their final names; to be called once on one rank, after every rank's flush().
  void publish();

 private:
  struct Job {
    std::string path;
    std::uint64_t offset = 0;
    std::string bytes;
    std::optional<Duration> mark;
  };
  void run();
  void write(const Job& job);
  void check_still_there(int file, const std::string& name) const;
  int descriptor(const std::string& path);
  void close_all();
  void rethrow() const;  // with the mutex held

  const std::size_t most_pending_;
  dist::Observer& observer_;
  std::map<std::string, bool> created_;     // path -> sequential
  std::map<std::string, int> descriptors_;  // the writing thread's
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::size_t pending_ = 0;
  bool stop_ = false, busy_ = false, failed_ = false;
  std::exception_ptr error_;
  std::optional<Duration> marked_;
  OutputFigures figures_;
  std::thread thread_;
};

}  // namespace tradewind::outputs
